"""What the compiler did, as data for tables and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .core_resources import SETTINGS, SYNAPSE_WORDS
from .placement import Usage
from .placement_report import PlacementReport, report_placement
from .quantization_loss import LayerLoss
from .stages import (
    ChipConv,
    ChipDense,
    ChipInput,
    ChipLayer,
    CompiledNetwork,
    Lowering,
    PassRecord,
    neuron_count,
    weight_sets,
)
from .state_bounds import StateBounds, state_bounds
from .traffic import SpikeRates

NEARLY_FULL = 90.0  # percent of a resource of a core


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerReport:
    """One layer's row in the compile report.

    Attributes
    ----------
    name, kind : str
        Name of the user's layer; 'input', 'dense', 'recurrent' or 'conv'.
    neuron : str
        Kind of its neurons, as NetX spells it.
    shape_out : tuple of int
        (N,) or (C, H, W).
    neurons, weights : int
        How many of each.
    weight_bits, weight_exponent : int or None
        Width of a stored weight, and the power of two it is scaled by; None without weights.
    sign_mode : str or None
        'mixed', 'excitatory' or 'inhibitory'.
    cores : int
        Cores that hold the layer.
    fullest : str
        The resource nearest its limit on any of them, with used, available and percent.
    """

    name: str
    kind: str
    neuron: str
    shape_out: tuple[int, ...]
    neurons: int
    weights: int
    weight_bits: int | None
    weight_exponent: int | None
    sign_mode: str | None
    cores: int
    fullest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StateReport:
    """How far a state can go; fields as in `StateBounds`.

    Attributes
    ----------
    verdict : str
        'proved', 'reachable' or 'not proved'; see `Verdict`.
    overflow_input : str or None
        In words, an input of the layer that takes the state out of its register.
    """

    layer: str
    state: str
    low: int | None
    high: int | None
    bits: int
    headroom_bits: float
    verdict: str
    overflow_input: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileReport:
    """What was compiled for which chip.

    Attributes
    ----------
    profile : str
        The chip.
    source_sha256, calibration_sha256, created : str
        See `CompiledNetwork`.
    passes : tuple of PassRecord
        With their options, in order.
    layers : tuple of LayerReport
        In forward order.
    lowerings : tuple of Lowering
        What became of layers that chips do not have.
    losses : tuple of LayerLoss
        What quantization lost; empty for files of whole numbers.
    states : tuple of StateReport
        How far the states of each layer can go.
    cores : int
        In use.
    synapse_words : int
        Words of synapse memory in use, on all cores.
    placement : PlacementReport
        Every core with its place and what is taken of it, and the messages between cores.
    near_limits : tuple of str
        Resources of which some core has less than a tenth left, one sentence each.
    warnings : tuple of str
        What the user should know.
    """

    profile: str
    source_sha256: str
    calibration_sha256: str
    created: str
    passes: tuple[PassRecord, ...]
    layers: tuple[LayerReport, ...]
    lowerings: tuple[Lowering, ...]
    losses: tuple[LayerLoss, ...]
    states: tuple[StateReport, ...]
    cores: int
    synapse_words: int
    placement: PlacementReport
    near_limits: tuple[str, ...]
    warnings: tuple[str, ...]


def report_compilation(
    compiled: CompiledNetwork, spike_rates: SpikeRates | None = None
) -> CompileReport:
    """Describe a compiled network.

    Parameters
    ----------
    compiled : CompiledNetwork
        What `compile_network` or `load_artifact` returned.
    spike_rates : mapping of array, optional
        See `report_placement`.

    Returns
    -------
    CompileReport
        Plain numbers; ``dataclasses.asdict`` makes JSON of it.
    """
    cores = compiled.placement.cores
    return CompileReport(
        profile=compiled.profile.name,
        source_sha256=compiled.source_sha256,
        calibration_sha256=compiled.calibration_sha256,
        created=compiled.created,
        passes=compiled.passes,
        layers=tuple(_layer_report(compiled, layer) for layer in compiled.network.layers),
        lowerings=compiled.lowerings,
        losses=compiled.losses,
        states=tuple(_state_report(bound) for bound in state_bounds(compiled.network)),
        cores=len(cores),
        synapse_words=sum(
            usage.used for core in cores for usage in core.usage if usage.resource == SYNAPSE_WORDS
        ),
        placement=report_placement(compiled, spike_rates),
        near_limits=tuple(_near_limits(compiled)),
        warnings=compiled.warnings,
    )


def _state_report(bound: StateBounds) -> StateReport:
    return StateReport(
        layer=bound.layer,
        state=bound.state,
        low=bound.low,
        high=bound.high,
        bits=bound.bits,
        headroom_bits=bound.headroom_bits,
        verdict=bound.verdict.value,
        overflow_input=None if bound.witness is None else str(bound.witness),
    )


def _layer_report(compiled: CompiledNetwork, layer: ChipLayer) -> LayerReport:
    weights = None if isinstance(layer, ChipInput) else layer.weights
    return LayerReport(
        name=layer.name,
        kind=layer_form(layer),
        neuron=layer.neuron.kind.value,
        shape_out=layer.shape_out,
        neurons=neuron_count(layer),
        weights=sum(int(registers.mantissa.size) for _, registers in weight_sets(layer)),
        weight_bits=None if weights is None else weights.bits,
        weight_exponent=None if weights is None else weights.exponent,
        sign_mode=None if weights is None else weights.sign_mode.value,
        cores=len(compiled.placement.cores_of(layer.name)),
        fullest=_fullest(compiled, layer.name),
    )


def _near_limits(compiled: CompiledNetwork) -> Iterator[str]:
    """Yield a sentence for each layer and resource of which a core is nearly full."""
    for layer in compiled.network.layers:
        fullest: dict[str, Usage] = {}
        for core in compiled.placement.cores_of(layer.name):
            for usage in core.usage:
                share = usage.percent
                if share is None or share < NEARLY_FULL or usage.resource in SETTINGS:
                    continue
                known = fullest.get(usage.resource)
                if known is None or usage.used >= known.used:
                    fullest[usage.resource] = usage
        for usage in fullest.values():
            yield (
                f"{layer.name}: {usage.resource} {usage.used} of {usage.available} "
                f"({usage.percent:.0f} %) on its fullest core."
            )


def layer_form(layer: ChipLayer) -> str:
    """Return the form a layer has on the chip, in a word."""
    match layer:
        case ChipInput():
            return "input"
        case ChipConv():
            return "conv"
        case ChipDense():
            return "dense" if layer.weights_rec is None else "recurrent"


def _fullest(compiled: CompiledNetwork, layer: str) -> str:
    shares = [
        (usage.percent, usage)
        for core in compiled.placement.cores_of(layer)
        for usage in core.usage
        if usage.percent is not None and usage.resource not in SETTINGS
    ]
    if not shares:
        return "no limits"
    percent, usage = max(shares, key=lambda pair: pair[0])
    return f"{usage.resource} {usage.used} of {usage.available} ({percent:.0f} %)"
