"""Exceptions of lavadeploy.

::

    LavaDeployError
    ├── NetxFormatError          (ValueError)    a NetX file or an artifact is damaged
    ├── ExportError              (ValueError)    a SLAYER module cannot be written as NetX
    ├── ProfileError             (ValueError)    a chip description is missing or wrong
    ├── UnsupportedNetworkError  (ValueError)    the network breaks rules of the chip
    ├── SpikeInputError          (ValueError)    the input spikes do not fit the network
    ├── OptionError              (ValueError)    a name or number is not a valid choice
    ├── RunFolderError           (ValueError)    a folder is not a run, or runs do not compare
    ├── OutputError              (OSError)       a result cannot be written
    ├── BackendUnavailableError  (RuntimeError)  a backend cannot be used on this machine
    └── BackendError             (RuntimeError)  a backend failed while running

Every message is a sentence: where, what was found, what is allowed, what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MAX_POOLING_REMEDY = (
    "Train again with sum pooling (slayer.block.*.Pool) or with a strided convolution in its place."
)


class LavaDeployError(Exception):
    """Base of every error that lavadeploy raises on purpose."""


class NetxFormatError(LavaDeployError, ValueError):
    """A NetX file or a compiled artifact is damaged, incomplete or not understood."""


class ExportError(LavaDeployError, ValueError):
    """A SLAYER module cannot be written as NetX without losing meaning."""


class ProfileError(LavaDeployError, ValueError):
    """A hardware profile is missing, malformed or lacks what was asked of it."""


class UnsupportedNetworkError(LavaDeployError, ValueError):
    """A network breaks one or more rules of the chip it is compiled for.

    Parameters
    ----------
    problems : iterable of str
        One sentence for each broken rule, in layer order. The message is one sentence a line.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class SpikeInputError(LavaDeployError, ValueError):
    """Input spikes have the wrong shape, type or range for the network."""


class OptionError(LavaDeployError, ValueError):
    """A name or a number given by the user is not among the valid choices."""


class RunFolderError(LavaDeployError, ValueError):
    """A folder is not a run folder, or two runs cannot be compared."""


class MeasurementError(LavaDeployError, ValueError):
    """A record of a measured run is damaged, or runs do not determine what is asked of them."""


class OutputError(LavaDeployError, OSError):
    """A result cannot be written; nothing half-written is left behind."""


class BackendUnavailableError(LavaDeployError, RuntimeError):
    """A backend cannot be used here; the message says what is missing."""


class BackendError(LavaDeployError, RuntimeError):
    """A backend failed while running a network."""


def suggest(name: str, valid: Iterable[str]) -> str:
    """Return a phrase that lists the valid names, the nearest one first named.

    Parameters
    ----------
    name : str
        What the user wrote.
    valid : iterable of str
        The names that would have been right.

    Returns
    -------
    str
        For example ``"did you mean 'loihi2'? Valid: 'ideal', 'loihi1', 'loihi2'"``.

    Examples
    --------
    >>> suggest("lohi2", ["loihi1", "loihi2"])
    "did you mean 'loihi2'? Valid: 'loihi1', 'loihi2'"
    """
    names = sorted(valid)
    listed = "Valid: " + ", ".join(f"'{n}'" for n in names)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean '{near[0]}'? {listed}" if near else listed
