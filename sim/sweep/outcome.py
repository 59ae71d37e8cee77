"""What comes of a point: figures, or why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ...compile import LayerLoss
from ..energy import Estimate
from .points import SweepPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class PointResult:
    """Figures of a point; averages over the samples are of an inference.

    Attributes
    ----------
    point : SweepPoint
        The setting.
    samples : int
        How many were run.
    accuracy : float or None
        Part classified as labelled, 0 to 1; None without labels.
    energies : mapping of str to Estimate
        Total energy within every boundary that the profile has coefficients for ('neurocores',
        'chip', 'board'), nJ an inference; empty where it has none.
    dynamic_energy : Estimate or None
        nJ an inference.
    terms : mapping of str to Estimate
        Dynamic energy by kind of operation, and static energy of the neurocores, nJ an inference.
    latency : Estimate or None
        Microseconds an inference.
    busiest_core : int or None
        The core that sets the pace.
    basis : str or None
        The weakest evidence of the energy's coefficients.
    excluded : tuple of str
        What the energy leaves out.
    cores, chips, synapse_words : int
        In use.
    weight_bits : mapping of str to int
        Width in the registers by layer, which may be less than was asked for.
    spikes, input_spikes, synaptic_operations : float
        An inference.
    quantization : tuple of LayerLoss
        Empty for weights as stored.
    warnings : tuple of str
        Of reader and compiler.
    artifact_sha256 : str
        Hash of what was run, without a time.
    wall_s : float
        How long its worker took: running, and compiling unless the worker had compiled the same
        for another number of steps.
    """

    point: SweepPoint
    samples: int
    accuracy: float | None
    energies: Mapping[str, Estimate]
    dynamic_energy: Estimate | None
    terms: Mapping[str, Estimate]
    latency: Estimate | None
    busiest_core: int | None
    basis: str | None
    excluded: tuple[str, ...]
    cores: int
    chips: int
    synapse_words: int
    weight_bits: Mapping[str, int]
    spikes: float
    input_spikes: float
    synaptic_operations: float
    quantization: tuple[LayerLoss, ...]
    warnings: tuple[str, ...]
    artifact_sha256: str
    wall_s: float
    kind: Literal["result"] = "result"


@dataclass(frozen=True, slots=True, kw_only=True)
class PointFailure:
    """Why a point has no figures.

    Attributes
    ----------
    point : SweepPoint
        The setting.
    error : str
        Class of the error.
    sentence : str
        What happened.
    traceback : str
        Where, for errors that lavadeploy did not raise on purpose; else empty.
    """

    point: SweepPoint
    error: str
    sentence: str
    traceback: str = ""
    kind: Literal["failure"] = "failure"


Outcome: TypeAlias = PointResult | PointFailure
