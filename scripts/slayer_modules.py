"""A SLAYER model from the file of its state, and from the code that builds it."""
# torch's type information is partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import importlib
import importlib.util
import pickle
from pathlib import Path
from typing import Any, cast

from lavadeploy.netx import BackendUnavailableError, OptionError

WEIGHT = "blocks.{}.synapse.weight"  # of a `Classifier`


def load_module(path: Path, builder: str | None = None) -> Any:
    """Return a SLAYER model with the state that a file holds.

    Parameters
    ----------
    path : Path
        What ``torch.save(model.state_dict(), path)`` wrote.
    builder : str, optional
        What builds the model: ``file.py:function`` or ``package.module:function``, called without
        arguments. Without it, the `Classifier` of the training scripts is built, its sizes taken
        from the state.

    Raises
    ------
    OptionError
        When the file cannot be read as a state, or does not fit the model. Whole pickled modules
        are refused: reading one runs whatever code it holds.
    BackendUnavailableError
        Without torch and lava-dl.
    """
    try:
        import torch

        from lavadeploy.scripts.slayer_training import Classifier
    except ImportError as error:
        raise BackendUnavailableError(
            f"--against needs torch and lava-dl ({error}). lavadeploy doctor says how to get them."
        ) from error
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise OptionError(f"'{path}': {error.strerror or error}.") from error
    except pickle.UnpicklingError as error:
        raise OptionError(
            f"'{path}': holds more than numbers, a whole model perhaps, and reading that would run "
            "whatever code it holds. Save model.state_dict() instead, and name the function that "
            "builds the model: --model my_code.py:build."
        ) from error
    except Exception as error:  # torch's words for damaged archives are many
        raise OptionError(f"'{path}': is no file of torch.save ({error}).") from error
    if not isinstance(state, dict):
        raise OptionError(f"'{path}': holds no state of a model. Save model.state_dict().")
    named = cast(dict[str, Any], state)
    model = Classifier(*_sizes(named, path)) if builder is None else _build(builder)
    try:
        model.load_state_dict(named)
    except (RuntimeError, AttributeError, TypeError) as error:
        first = str(error).strip().replace("\n", " ")
        raise OptionError(f"'{path}': does not fit the model ({first}).") from error
    return model


def _sizes(state: dict[str, Any], path: Path) -> tuple[int, ...]:
    """Return the sizes of a `Classifier`, input first."""
    sizes: list[int] = []
    for number in range(len(state)):
        weight = state.get(WEIGHT.format(number))
        if weight is None:
            break
        n_out, n_in = weight.shape[:2]
        sizes += [n_out] if sizes else [n_in, n_out]
    if not sizes:
        raise OptionError(
            f"'{path}': is not the state of a model of the training scripts. Name the function "
            "that builds yours: --model my_code.py:build."
        )
    return tuple(sizes)


def _build(builder: str) -> Any:
    place, _, name = builder.rpartition(":")
    if not place or not name:
        raise OptionError(f"--model '{builder}'; file.py:function was expected.")
    try:
        if place.endswith(".py"):
            spec = importlib.util.spec_from_file_location(Path(place).stem, place)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        else:
            module = importlib.import_module(place)
        return getattr(module, name)()
    except (ImportError, OSError, AttributeError) as error:
        raise OptionError(f"--model '{builder}': {error}.") from error
