"""How many words of a core's synapse memory a layer takes."""

from __future__ import annotations

from collections import Counter

from ..hw_profiles import HardwareProfile
from .stages import ChipConv, ChipDense, ChipInput, ChipLayer, neuron_count, weight_sets

WORD_BITS = 64
SMALLEST_RUN = 4  # 3 channels are one run


def synapse_words(
    layer: ChipLayer,
    profile: HardwareProfile,
    *,
    neurons: int,
    channels: range,
    inputs: int,
    delay_bits: int = 0,
) -> int:
    """Return the synapse words of a core that holds a block of a layer.

    Parameters
    ----------
    layer : ChipLayer
        The layer; neurons at the input have no synapses.
    profile : HardwareProfile
        Names the formula.
    neurons : int
        Neurons on the core.
    channels : range
        Output channels on the core (convolutions).
    inputs : int
        Input axons of the core (dense layers).
    delay_bits : int
        Bits by which each synapse says how late it is; see `delay_bits_of`.

    Returns
    -------
    int
        Words of 64 bits; zero for a profile without limits.
    """
    if isinstance(layer, ChipInput):
        return 0
    return sum(
        # a layer hears itself without its axonal delays, which SLAYER adds behind the loop
        _words_of(
            layer, profile, registers.bits + (delay_bits if name != "weight_rec" else 0), lists
        )
        for name, registers in weight_sets(layer)
        for lists in [_lists(layer, name, neurons=neurons, channels=channels, inputs=inputs)]
    )


def _lists(
    layer: ChipDense | ChipConv, name: str, *, neurons: int, channels: range, inputs: int
) -> list[tuple[int, int]]:
    """Return how many synapse lists of how many targets a set of weights has."""
    if isinstance(layer, ChipConv):
        return _shared_lists(layer, channels)
    return [(neuron_count(layer) if name == "weight_rec" else inputs, neurons)]


def _words_of(
    layer: ChipDense | ChipConv, profile: HardwareProfile, bits: int, lists: list[tuple[int, int]]
) -> int:
    match profile.synapse_memory.model:
        case "unlimited":
            return 0
        case "nengo-loihi":
            return sum(count * _nengo_words(targets, bits) for count, targets in lists)
        case "lava-loihi2":
            words = lava_conv_words if isinstance(layer, ChipConv) else lava_dense_words
            return sum(count * words(targets, bits) for count, targets in lists)


def delay_bits_of(most: int) -> int:
    """Return the bits that each synapse spends on delays of at most so many steps.

    Notes
    -----
    None without delays, else 3 to 6 (NxTF, Intel's compiler for Loihi 1). Logs of the Lava compiler
    show no network with delays; for Loihi 2 the same is assumed.
    """
    return max(3, most.bit_length()) if most else 0


def lava_dense_words(targets: int, bits: int) -> int:
    """Return the words of one axon's list in Lava's sparse encoding on Loihi 2.

    Notes
    -----
    ``ceil((10 + n (12 + b)) / 64)``, reconstructed from per-core tables in lava-dl's notebooks.

    Examples
    --------
    >>> 784 * lava_dense_words(50, 8)  # MNIST, first layer, as logged
    12544
    """
    return _words(10 + targets * (12 + bits))


def lava_conv_words(targets: int, bits: int) -> int:
    """Return the words of one shared list in Lava's dense encoding on Loihi 2.

    Notes
    -----
    ``ceil((10 + n b) / 64)`` for each of its runs (`channel_runs`), reconstructed like
    `lava_dense_words`: all 20 logged sizes follow from it.

    Examples
    --------
    >>> 27 * lava_conv_words(24, 6)  # PilotNet SDNN, first layer, as logged: runs of 16 and 8
    81
    """
    return sum(_words(10 + run * bits) for run in channel_runs(targets))


def channel_runs(channels: int) -> tuple[int, ...]:
    """Return in which runs the channels of a convolution are stored: powers of two, largest first.

    Notes
    -----
    In the logs of Lava's compiler 24, 36 and 48 channels take two input axons and two map entries a
    place, 48 also two neuron groups; 64 take one of each, and so do 3. So the last run is at least
    `SMALLEST_RUN` and need not be full.

    Examples
    --------
    >>> channel_runs(36), channel_runs(64), channel_runs(3)
    ((32, 4), (64,), (3,))
    """
    slots = -(-channels // SMALLEST_RUN)
    runs = [SMALLEST_RUN << k for k in reversed(range(slots.bit_length())) if slots >> k & 1]
    spare = slots * SMALLEST_RUN - channels
    return (*runs[:-1], runs[-1] - spare)


def _shared_lists(layer: ChipConv, channels: range) -> list[tuple[int, int]]:
    """Return how many synapse lists a block of a convolution has and how many targets each.

    One list for each input channel and kernel position, shared by all places of the image; a list
    reaches the block's channels of its own group, so there is one entry a group.
    """
    _, in_group, kernel_height, kernel_width = layer.weights.mantissa.shape
    out_group = layer.shape_out[0] // layer.groups
    targets = Counter(channel // out_group for channel in channels)
    return [(in_group * kernel_height * kernel_width, count) for count in targets.values()]


def _nengo_words(targets: int, bits: int) -> int:
    """nengo-loihi's rule: entries of at most 64 targets with 10 header bits, word aligned."""
    full, rest = divmod(targets, 64)
    words = full * _words(10 + 64 * bits)
    return words + (_words(10 + rest * bits) if rest else 0)


def _words(bits: int) -> int:
    return -(-bits // WORD_BITS)
