"""A sweep before it runs: the points, what they share, and how a finished one is told again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...hw_profiles import HardwareProfile, load_profile, profile_sha256
from ...netx import OptionError, RealNetwork, __version__, has_fractions, read_real_netx
from ..json_text import to_json
from ..spike_files import load_spike_input
from ..spike_input import SpikeInput
from .point_data import FileSpikes, PackedSpikes
from .points import AS_STORED, Bits, PointSettings, SweepPoint, grid
from .run_point import PointTask

DEFAULT_BITS = 8  # of networks of real numbers, as by `lavadeploy compile`


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFiles:
    """The files of a sweep, as the user named them.

    Attributes
    ----------
    network, input : str
        Paths.
    labels, calibration : str or None
        Paths; None where none was named. Labels may lie with the input all the same.
    samples : int or None
        Only the first ones; None for all.
    profiles : mapping of str to str
        Names of chips or paths, by the name that points give them.
    """

    network: str
    input: str
    labels: str | None
    calibration: str | None
    samples: int | None
    profiles: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SweepPlan:
    """What a sweep is to run.

    Attributes
    ----------
    network : RealNetwork
        As read; one of whole numbers, too.
    network_sha256 : str
        Hash of its file.
    inputs : SpikeInput
        The samples, with all their steps.
    profiles : mapping of str to HardwareProfile
        By the name that points give them.
    points : tuple of SweepPoint
        In the order in which they are reported.
    settings : PointSettings
        What they share.
    calibration : SpikeInput or None
        Training samples to quantize and to place by.
    input_file : FileSpikes or None
        Where `inputs` came from; None for those made in memory.
    files : NamedFiles or None
        What the user named; None for a plan that was not read from files.
    """

    network: RealNetwork
    network_sha256: str
    inputs: SpikeInput
    profiles: Mapping[str, HardwareProfile]
    points: tuple[SweepPoint, ...]
    settings: PointSettings = field(default_factory=PointSettings)
    calibration: SpikeInput | None = None
    input_file: FileSpikes | None = None
    files: NamedFiles | None = None

    def task(self, point: SweepPoint) -> PointTask:
        """Return what a worker is told of a point."""
        profile = self.profiles[point.profile]
        said = {
            "version": __version__,
            "network": self.network_sha256,
            "calibration": None if self.calibration is None else self.calibration.sha256(),
            "profile": profile_sha256(profile),
            "bits": point.bits,
            "settings": self.settings,
        }
        return PointTask(
            point=point,
            profile_json=profile.model_dump_json(),
            settings=self.settings,
            compilation=_hash_of(said),
        )

    def identity(self, point: SweepPoint) -> str:
        """Return a hash of all that a point's figures depend on.

        That is network, samples, labels, chip, width, steps, settings and the version of
        lavadeploy; not the other points, and no name or place of a file.
        """
        said = {
            "compilation": self.task(point).compilation,
            "input": self.inputs.sha256(),
            "labels": self.labels_sha256() or None,
            "steps": point.steps,
        }
        return _hash_of(said)

    def labels_sha256(self) -> str:
        """Return a hash of the labels, as int64 numbers; empty where there are none."""
        labels = self.inputs.labels
        return "" if labels is None else hashlib.sha256(labels.tobytes()).hexdigest()

    def packed_calibration(self) -> PackedSpikes | None:
        """Return the training samples as they are sent to workers."""
        return None if self.calibration is None else PackedSpikes.of(self.calibration)


def plan_sweep(
    network: str | Path,
    inputs: str | Path,
    *,
    bits: Sequence[Bits] = (),
    steps: Sequence[int] = (),
    profiles: Sequence[str] = ("loihi2",),
    settings: PointSettings | None = None,
    labels: str | Path | None = None,
    samples: int | None = None,
    calibration: str | Path | None = None,
) -> SweepPlan:
    """Read network, input and chips, and return the sweep of every combination.

    Parameters
    ----------
    network : str or Path
        A NetX file, of real or of whole numbers; the latter are rounded again for fewer bits.
    inputs, labels : str or Path
        See `load_spike_input`.
    bits : sequence of int or 'file'
        Widths; 'file' is a network of whole numbers as it is stored. What ``lavadeploy compile``
        takes without ``--bits``, if empty: 8 for real numbers, else 'file'.
    steps : sequence of int
        Steps of each sample that are run, from its first; all of them if empty.
    profiles : sequence of str
        Names of chips, or paths of profiles of your own, which get their file's name.
    settings : PointSettings, optional
        What all points share.
    samples : int, optional
        Only the first ones; all if not given.
    calibration : str or Path, optional
        Training samples to quantize and to place by.

    Raises
    ------
    OptionError, NetxFormatError, ProfileError, SpikeInputError
        When a value is none, or a file cannot be read.
    """
    if samples is not None and samples < 1:
        raise OptionError(f"samples {samples}; at least 1 was expected.")
    named = _named_profiles(profiles)
    chips = {short: load_profile(name) for short, name in named.items()}
    found = read_real_netx(network)
    source = found.nearest.source
    spikes = load_spike_input(inputs, labels).first(samples)
    default: Bits = DEFAULT_BITS if has_fractions(found) else AS_STORED
    return SweepPlan(
        network=found,
        network_sha256="" if source is None else source.sha256,
        inputs=spikes,
        profiles=chips,
        points=grid(tuple(chips), bits or (default,), steps or (spikes.n_steps,)),
        settings=settings or PointSettings(),
        calibration=None if calibration is None else load_spike_input(calibration),
        input_file=FileSpikes(
            path=Path(inputs).absolute(),
            labels=None if labels is None else Path(labels).absolute(),
            samples=samples,
        ),
        files=NamedFiles(
            network=str(network),
            input=str(inputs),
            labels=None if labels is None else str(labels),
            calibration=None if calibration is None else str(calibration),
            samples=samples,
            profiles=named,
        ),
    )


def _named_profiles(names: Sequence[str]) -> dict[str, str]:
    """Return chips by short names: a path's is its file's, since those inside need not differ."""
    found: dict[str, str] = {}
    for name in dict.fromkeys(names):
        short = Path(name).stem if name.endswith((".yaml", ".yml")) else name
        if short in found:
            raise OptionError(
                f"profiles '{found[short]}' and '{name}' would both be called '{short}'; rename "
                "one of the files."
            )
        found[short] = name
    return found


def _hash_of(said: object) -> str:
    return hashlib.sha256(to_json(said).encode("utf-8")).hexdigest()
