"""What the compiler did, as data for tables and JSON."""

from __future__ import annotations

from dataclasses import dataclass

from .core_resources import SETTINGS, SYNAPSE_WORDS
from .stages import (
    ChipConv,
    ChipDense,
    ChipInput,
    ChipLayer,
    CompiledNetwork,
    neuron_count,
    weight_sets,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerReport:
    """One layer's row in the compile report.

    Attributes
    ----------
    name, kind : str
        Name of the user's layer; 'input', 'dense', 'recurrent' or 'conv'.
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
    shape_out: tuple[int, ...]
    neurons: int
    weights: int
    weight_bits: int | None
    weight_exponent: int | None
    sign_mode: str | None
    cores: int
    fullest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileReport:
    """What was compiled for which chip.

    Attributes
    ----------
    profile : str
        The chip.
    layers : tuple of LayerReport
        In forward order.
    cores : int
        Cores in use.
    synapse_words : int
        Words of synapse memory in use, on all cores.
    warnings : tuple of str
        What the user should know.
    """

    profile: str
    layers: tuple[LayerReport, ...]
    cores: int
    synapse_words: int
    warnings: tuple[str, ...]


def report_compilation(compiled: CompiledNetwork) -> CompileReport:
    """Describe a compiled network.

    Parameters
    ----------
    compiled : CompiledNetwork
        What `compile_network` or `load_artifact` returned.

    Returns
    -------
    CompileReport
        Plain numbers; ``dataclasses.asdict`` makes JSON of it.
    """
    return CompileReport(
        profile=compiled.profile.name,
        layers=tuple(
            LayerReport(
                name=layer.name,
                kind=layer_form(layer),
                shape_out=layer.shape_out,
                neurons=neuron_count(layer),
                weights=sum(int(weights.mantissa.size) for _, weights in weight_sets(layer)),
                weight_bits=None if isinstance(layer, ChipInput) else layer.weights.bits,
                weight_exponent=None if isinstance(layer, ChipInput) else layer.weights.exponent,
                sign_mode=None if isinstance(layer, ChipInput) else layer.weights.sign_mode.value,
                cores=len(compiled.placement.cores_of(layer.name)),
                fullest=_fullest(compiled, layer.name),
            )
            for layer in compiled.network.layers
        ),
        cores=len(compiled.placement.cores),
        synapse_words=sum(
            usage.used
            for core in compiled.placement.cores
            for usage in core.usage
            if usage.resource == SYNAPSE_WORDS
        ),
        warnings=compiled.warnings,
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
        (usage.used / usage.available, usage)
        for core in compiled.placement.cores_of(layer)
        for usage in core.usage
        if usage.available and usage.resource not in SETTINGS
    ]
    if not shares:
        return "no limits"
    share, usage = max(shares, key=lambda pair: pair[0])
    return f"{usage.resource} {usage.used} of {usage.available} ({100 * share:.0f} %)"
