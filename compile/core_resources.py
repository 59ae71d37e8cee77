"""What a block of a layer takes of each resource of a core: the one list of these resources.

Formulas for Loihi 2 reproduce the tables of cores that the Lava compiler printed in lava-dl's
notebooks (PilotNet, Oxford, YOLO-KP).
"""

from __future__ import annotations

from dataclasses import dataclass

from ..hw_profiles import HardwareProfile
from .placement import Usage
from .stages import (
    ChipConv,
    ChipDense,
    ChipInput,
    ChipLayer,
    input_count,
    neuron_count,
    weight_sets,
)
from .synapse_memory import channel_runs, synapse_words

NEURONS = "neurons"
NEURON_GROUPS = "neuron groups"
SYNAPSE_WORDS = "synapse words"
SYNAPSE_FORMATS = "synapse formats"
INPUT_AXONS = "input axons"
OUTPUT_AXONS = "output axons"
AXON_MAP = "axon map entries"
AXON_MEMORY = "axon memory entries"
TOTAL = "entries in total"

LIMIT_OF = {
    NEURONS: "neurons_per_core",
    SYNAPSE_WORDS: "synapse_words_per_core",
    NEURON_GROUPS: "neuron_groups_per_core",
    INPUT_AXONS: "input_axons_per_core",
    OUTPUT_AXONS: "output_axons_per_core",
    AXON_MAP: "axon_map_per_core",
    AXON_MEMORY: "axon_memory_per_core",
    TOTAL: "total_per_core",
    SYNAPSE_FORMATS: "synapse_formats_per_core",
}
SETTINGS = (NEURON_GROUPS, SYNAPSE_FORMATS)  # a layer takes one or two, however large it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How large a block is, in what its resources depend on.

    Attributes
    ----------
    neurons, positions : int
        Neurons, and places of the image among them (1 in a dense layer).
    channels : range
        Output channels.
    heard : int
        Inputs that reach it, without the layer's own neurons.
    pairs : int
        Neurons of the block, each times the cores that hear it, its own layer's included.
    delay_bits : int
        Bits that each synapse spends on the delay of what it hears.
    """

    neurons: int
    positions: int
    channels: range
    heard: int
    pairs: int
    delay_bits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """Who hears a layer, other than itself.

    Attributes
    ----------
    dense : int
        How many dense layers do.
    convolutions : tuple of int
        For each convolution that does, into how many parts its channels are cut.
    """

    dense: int
    convolutions: tuple[int, ...]


def core_usage(
    layer: ChipLayer, extent: Extent, readers: Readers, profile: HardwareProfile
) -> tuple[Usage, ...]:
    """Return what a block takes of each resource that the profile's formulas count.

    Parameters
    ----------
    layer : ChipLayer
        The layer.
    extent : Extent
        Of the block.
    readers : Readers
        Who hears the layer.
    profile : HardwareProfile
        Limits, and the formulas to use.
    """
    runs = _runs(layer, extent)
    counts = {
        NEURONS: extent.neurons,
        SYNAPSE_WORDS: synapse_words(
            layer,
            profile,
            neurons=extent.neurons,
            channels=extent.channels,
            inputs=extent.heard,
            delay_bits=extent.delay_bits,
        ),
        NEURON_GROUPS: runs,
    }
    if profile.axons.model == "discrete":
        counts[INPUT_AXONS] = _discrete_inputs(layer, extent)
        counts[OUTPUT_AXONS] = extent.pairs
    else:
        counts |= _lava_axons(layer, extent, readers, runs)
        counts[TOTAL] = sum(counts.values())
    counts[SYNAPSE_FORMATS] = sum(1 for _ in weight_sets(layer))
    return tuple(
        Usage(resource=name, used=used, available=limit_of(profile, name))
        for name, used in counts.items()
    )


def limit_of(profile: HardwareProfile, resource: str) -> int | None:
    """Return how much of a resource a core has; None is without limit."""
    limit = getattr(profile.limits, LIMIT_OF[resource])
    return None if limit is None else limit.value


def hears_itself(layer: ChipLayer) -> bool:
    """Tell whether a layer's own spikes come back to it."""
    return isinstance(layer, ChipDense) and layer.weights_rec is not None


def _discrete_inputs(layer: ChipLayer, extent: Extent) -> int:
    """One axon for each neuron that is heard."""
    return extent.heard + (neuron_count(layer) if hears_itself(layer) else 0)


def _lava_axons(layer: ChipLayer, extent: Extent, readers: Readers, runs: int) -> dict[str, int]:
    """Axon tables as the Lava compiler counts them.

    Dense layers hear each input by an axon of its own, convolutions all of them by one axon a run.
    A neuron has one map entry for all cores of a dense layer, or for the host; what a convolution
    hears has one for each place and run. The memory holds an entry for each of these and each part
    of the convolution's channels: as many as were logged, or more (at most fourfold).
    """
    match layer:
        case ChipDense():
            heard = input_count(layer) + (neuron_count(layer) if hears_itself(layer) else 0)
        case ChipInput() | ChipConv():
            heard = runs
    per_image = extent.neurons if isinstance(layer, ChipDense) else extent.positions * runs
    per_neuron = readers.dense + (1 if hears_itself(layer) else 0)
    if not readers.dense and not readers.convolutions:
        per_neuron += 1  # for the host
    return {
        INPUT_AXONS: heard,
        AXON_MAP: per_neuron * extent.neurons + len(readers.convolutions) * per_image,
        AXON_MEMORY: sum(readers.convolutions) * per_image,
    }


def _runs(layer: ChipLayer, extent: Extent) -> int:
    """Return in how many runs the channels of a block come."""
    if isinstance(layer, ChipDense) or len(layer.shape_out) != 3:
        return 1
    return len(channel_runs(len(extent.channels)))
