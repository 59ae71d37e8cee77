"""Bits per layer: how much each layer minds fewer bits, and the fewest that a budget allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..compile import compile_network
from ..compile.core_resources import SYNAPSE_WORDS
from ..compile.passes.quantize import Quantize, QuantizedNetwork
from ..compile.quantization_plan import Method, QuantizationPlan, plan_uniformly
from ..hw_profiles import HardwareProfile
from ..netx import OptionError, RealNetwork, Shape
from .calibrate import calibrate
from .real_run import run_real_network
from .spike_changes import Objective
from .spike_input import SpikeInput
from .whole_run import run_whole_network

MOST_BITS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """What happens when a single layer is quantized and all others are left at the most bits.

    Attributes
    ----------
    layer : str
        Its name.
    bits : int
        Its width.
    output_spikes_changed : int
        Places (sample, neuron, step) of the last layer that have a spike in this network only or
        in the one with the most bits only.
    predictions_changed : int
        Samples that another output neuron wins.
    """

    layer: str
    bits: int
    output_spikes_changed: int
    predictions_changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BitChoice:
    """Bits per layer under a budget.

    Attributes
    ----------
    quantized : QuantizedNetwork
        Calibrated with these bits.
    bits : mapping of str to int
        By the name of the layer.
    synapse_words : int
        Words of synapse memory of the network, on all cores.
    accuracy_loss_percent : float
        Percentage points of accuracy lost on the calibration set against the real network; without
        labels, percent of samples whose prediction changed.
    """

    quantized: QuantizedNetwork
    bits: Mapping[str, int]
    synapse_words: int
    accuracy_loss_percent: float


def measure_sensitivity(
    network: RealNetwork,
    profile: HardwareProfile,
    inputs: SpikeInput,
    *,
    input_shape: Shape | None = None,
    method: Method = Method.LEAST_SQUARES,
) -> tuple[Sensitivity, ...]:
    """Measure how much the output changes when one layer after the other gets fewer bits.

    Parameters
    ----------
    network : RealNetwork
        A chain of layers with CUBA neurons that send spikes.
    profile : HardwareProfile
        Gives the legal widths; those up to 8 are tried.
    inputs : SpikeInput
        Some hundred samples.
    input_shape : tuple of int, optional
        See `infer_shapes`.
    method : Method
        How scales are found here; not calibrated, which would try each dozens of times.

    Returns
    -------
    tuple of Sensitivity
        Layer by layer in forward order, most bits first. The network they are compared with has
        the most bits in every layer, so that what is counted is the one layer's doing.
    """
    widths = legal_widths(profile)
    full = plan_uniformly(network, widths[0], method)
    before = _outputs(network, full, profile, inputs, input_shape)
    found: list[Sensitivity] = []
    for name, layer in full.layers.items():
        for bits in widths:
            plan = full.with_layer(name, replace(layer, bits=bits))
            after = _outputs(network, plan, profile, inputs, input_shape)
            found.append(
                Sensitivity(
                    layer=name,
                    bits=bits,
                    output_spikes_changed=int(np.count_nonzero(after != before)),
                    predictions_changed=int(
                        np.count_nonzero(predictions(after) != predictions(before))
                    ),
                )
            )
    return tuple(found)


def choose_bits(
    network: RealNetwork,
    profile: HardwareProfile,
    inputs: SpikeInput,
    *,
    accuracy_budget: float | None = None,
    memory_budget_words: int | None = None,
    input_shape: Shape | None = None,
    objective: Objective = Objective.SPIKES,
) -> BitChoice:
    """Choose the bits of each layer under a budget.

    Layers give up bits one width at a time, first the one that changes the fewest output spikes for
    each word of synapse memory it saves. Every step of an accuracy budget is verified by a run of
    the calibrated network; one that breaks the budget is taken back, and that layer stays.

    Parameters
    ----------
    network, profile, inputs, input_shape
        See `measure_sensitivity`.
    accuracy_budget : float, optional
        Percentage points that may be lost, see `BitChoice`; the least memory within it is sought.
    memory_budget_words : int, optional
        Words of synapse memory that may be used; the most bits within it are sought. One of the two
        budgets is given.
    objective : Objective
        What the final calibration makes least.

    Raises
    ------
    OptionError
        When none or both budgets are given, when the profile counts no synapse words, or when the
        budget cannot be met.
    """
    if (accuracy_budget is None) == (memory_budget_words is None):
        raise OptionError("give an accuracy budget or a memory budget, one of the two.")
    words: dict[str, dict[int, int]] = {name: {} for name in network.values}
    for width in legal_widths(profile):
        quantized = Quantize(profile=profile, plan=plan_uniformly(network, width)).run(network)
        for name, used in count_synapse_words(quantized, profile, input_shape).items():
            words[name][width] = used
    sensitivity = {
        (s.layer, s.bits): s.output_spikes_changed
        for s in measure_sensitivity(network, profile, inputs, input_shape=input_shape)
    }
    search = _Search(words=words, changed=sensitivity, widths=legal_widths(profile))
    bits = dict.fromkeys(network.values, search.widths[0])

    def choice(of: Mapping[str, int]) -> BitChoice:
        found = calibrate(
            network, profile, inputs, of, objective=objective, input_shape=input_shape
        )
        return BitChoice(
            quantized=found,
            bits=dict(of),
            synapse_words=sum(count_synapse_words(found, profile, input_shape).values()),
            accuracy_loss_percent=accuracy_loss(network, found, inputs, input_shape),
        )

    if memory_budget_words is not None:
        return _within_memory(search, bits, memory_budget_words, choice)
    assert accuracy_budget is not None
    return _within_accuracy(search, bits, accuracy_budget, choice)


def accuracy_loss(
    network: RealNetwork,
    quantized: QuantizedNetwork,
    inputs: SpikeInput,
    input_shape: Shape | None = None,
) -> float:
    """Return the percentage points lost against the real network; see `BitChoice`."""
    before = predictions(real_output(network, inputs, input_shape))
    after = predictions(run_whole_network(quantized.network, inputs.spikes, input_shape)[0])
    if inputs.labels is None:
        return 100 * float((before != after).mean())
    return 100 * float((before == inputs.labels).mean() - (after == inputs.labels).mean())


def real_output(
    network: RealNetwork, inputs: SpikeInput, input_shape: Shape | None = None
) -> NDArray[np.int64]:
    """Return the spikes of the last layer of the real network, (N, neurons, T)."""
    last = list(run_real_network(network, inputs.spikes, input_shape))[-1].output
    return np.moveaxis(last, 0, -1).astype(np.int64)


def predictions(output: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the neuron with the most spikes of each sample; of equals, the first."""
    return output.sum(axis=2).argmax(axis=1)


def legal_widths(profile: HardwareProfile) -> tuple[int, ...]:
    """Return the widths of the profile from 8 bits down."""
    return tuple(sorted((b for b in profile.formats.weight_bits.value if b <= 8), reverse=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """What the greedy choice looks at."""

    words: Mapping[str, Mapping[int, int]]
    changed: Mapping[tuple[str, int], int]
    widths: Sequence[int]

    def next_width(self, bits: int) -> int | None:
        index = self.widths.index(bits) + 1
        return self.widths[index] if index < len(self.widths) else None

    def cheapest(self, bits: Mapping[str, int], fixed: frozenset[str]) -> str | None:
        """Return the layer whose next width changes the fewest spikes for each word saved."""
        prices: dict[str, float] = {}
        for name, width in bits.items():
            narrower = self.next_width(width)
            if narrower is None or name in fixed:
                continue
            saved = self.words[name][width] - self.words[name][narrower]
            more = self.changed[name, narrower] - self.changed[name, width]
            # where nothing is saved at this width, the next may: that layer comes last
            prices[name] = max(0, more) / saved if saved > 0 else float("inf")
        return min(prices, key=lambda name: prices[name], default=None)


def _within_memory(
    search: _Search,
    bits: dict[str, int],
    budget: int,
    choice: Callable[[Mapping[str, int]], BitChoice],
) -> BitChoice:
    """Narrow layers until the counted words are within the budget, and verify on the result."""
    while True:
        used = sum(search.words[name][width] for name, width in bits.items())
        found = choice(bits) if used <= budget else None
        if found is not None and found.synapse_words <= budget:
            return found
        name = search.cheapest(bits, frozenset())
        if name is None:
            raise OptionError(
                f"a memory budget of {budget} synapse words cannot be met: with "
                f"{search.widths[-1]} bit in every layer the network takes {used}."
            )
        narrower = search.next_width(bits[name])
        assert narrower is not None
        bits = {**bits, name: narrower}


def _within_accuracy(
    search: _Search,
    bits: dict[str, int],
    budget: float,
    choice: Callable[[Mapping[str, int]], BitChoice],
) -> BitChoice:
    best = choice(bits)
    if best.accuracy_loss_percent > budget:
        raise OptionError(
            f"an accuracy budget of {budget:g} percentage points cannot be met: with "
            f"{search.widths[0]} bits in every layer {best.accuracy_loss_percent:.2f} are lost on "
            "the calibration set."
        )
    fixed: frozenset[str] = frozenset()
    while (name := search.cheapest(best.bits, fixed)) is not None:
        narrower = search.next_width(best.bits[name])
        assert narrower is not None
        tried = choice({**best.bits, name: narrower})
        if tried.accuracy_loss_percent <= budget:
            best = tried
        else:
            fixed |= {name}
    return best


def count_synapse_words(
    quantized: QuantizedNetwork,
    profile: HardwareProfile,
    input_shape: Shape | None = None,
) -> dict[str, int]:
    """Return the words of synapse memory of each layer, counted on its cores.

    On as many cores as it takes: whether the result fits the chip is for the compiler to say.

    Raises
    ------
    OptionError
        When the profile counts no words.
    """
    if profile.synapse_memory.model == "unlimited":
        raise OptionError(
            f"{profile.name} has no synapse memory to save; choose bits for a chip that has."
        )
    unbounded = profile.model_copy(
        update={"limits": profile.limits.model_copy(update={"cores_per_chip": None})}
    )
    placement = compile_network(quantized.network, unbounded, input_shape=input_shape).placement
    return {
        name: sum(
            usage.used
            for core in placement.cores_of(name)
            for usage in core.usage
            if usage.resource == SYNAPSE_WORDS
        )
        for name in quantized.plan.layers
    }


def _outputs(
    network: RealNetwork,
    plan: QuantizationPlan,
    profile: HardwareProfile,
    inputs: SpikeInput,
    input_shape: Shape | None,
) -> NDArray[np.int64]:
    quantized = Quantize(profile=profile, plan=plan).run(network)
    return run_whole_network(quantized.network, inputs.spikes, input_shape)[0]
