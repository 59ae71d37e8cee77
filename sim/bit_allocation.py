"""Bits per layer: the fewest that an accuracy budget allows, the most that a memory budget does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..compile import Quantize, QuantizedNetwork, compile_network, plan_uniformly
from ..compile.core_resources import SYNAPSE_WORDS
from ..hw_profiles import HardwareProfile
from ..netx import OptionError, RealNetwork, Shape
from .backend import ignore_progress
from .calibrate import calibrate
from .sensitivity import accuracy_loss, legal_widths, measure_sensitivity
from .spike_changes import DEFAULT_OBJECTIVE, Objective
from .spike_input import SpikeInput


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
        Percentage points of accuracy lost against the real network; without labels, percent of
        samples whose prediction changed. Counted on every second sample, and calibrated on the
        others: weights that were fitted to samples do better on them than on new ones.
    """

    quantized: QuantizedNetwork
    bits: Mapping[str, int]
    synapse_words: int
    accuracy_loss_percent: float


def choose_bits(
    network: RealNetwork,
    profile: HardwareProfile,
    inputs: SpikeInput,
    *,
    accuracy_budget: float | None = None,
    memory_budget_words: int | None = None,
    input_shape: Shape | None = None,
    objective: Objective = DEFAULT_OBJECTIVE,
    bounded: bool = False,
    on_progress: Callable[[int], None] = ignore_progress,
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
    bounded : bool
        See `LayerPlan`.
    on_progress : callable
        Called with the number of trials done so far, of `most_trials` at most.

    Raises
    ------
    OptionError
        When none or both budgets are given, when the profile counts no synapse words, or when the
        budget cannot be met.
    UnsupportedNetworkError
        See `measure_sensitivity`.
    """
    if (accuracy_budget is None) == (memory_budget_words is None):
        raise OptionError("give an accuracy budget or a memory budget, one of the two.")
    words: dict[str, dict[int, int]] = {name: {} for name in network.values}
    for width in legal_widths(profile):
        quantized = Quantize(profile=profile, plan=plan_uniformly(network, width)).run(network)
        for name, used in count_synapse_words(quantized, profile, input_shape).items():
            words[name][width] = used
    _check_budget(words, accuracy_budget, memory_budget_words)
    sensitivity = {
        (s.layer, s.bits): s.output_spikes_changed
        for s in measure_sensitivity(
            network, profile, inputs, input_shape=input_shape, on_progress=on_progress
        )
    }
    done = len(sensitivity)
    search = _Search(words=words, changed=sensitivity, widths=legal_widths(profile))
    bits = dict.fromkeys(network.values, search.widths[0])

    fitted, judged = _every_second(inputs, 0), _every_second(inputs, 1)

    def choice(of: Mapping[str, int]) -> BitChoice:
        nonlocal done
        done += 1
        on_progress(done)
        found = calibrate(
            network,
            profile,
            fitted,
            of,
            objective=objective,
            input_shape=input_shape,
            bounded=bounded,
        )
        # half of the samples judge: the choice rests on all of them
        found = replace(found, calibration_sha256=inputs.sha256())
        return BitChoice(
            quantized=found,
            bits=dict(of),
            synapse_words=sum(count_synapse_words(found, profile, input_shape).values()),
            accuracy_loss_percent=accuracy_loss(network, found, judged, input_shape),
        )

    if memory_budget_words is not None:
        return _within_memory(search, bits, memory_budget_words, choice)
    assert accuracy_budget is not None
    return _within_accuracy(search, bits, accuracy_budget, choice)


def _check_budget(
    words: Mapping[str, Mapping[int, int]], accuracy: float | None, memory: int | None
) -> None:
    """Refuse what no bits can meet before anything takes time."""
    if accuracy is not None and accuracy < 0:
        raise OptionError(f"an accuracy budget of {accuracy:g}; 0 or more was expected.")
    least = sum(min(by_width.values()) for by_width in words.values())
    if memory is not None and least > memory:
        width = min(min(by_width) for by_width in words.values())
        raise OptionError(
            f"a memory budget of {memory} synapse words cannot be met: with {width} bit in every "
            f"layer the network takes {least}. What is left does not shrink with the bits: indices "
            "and headers of synapses. Give a larger budget, use narrower layers, or another chip."
        )


def most_trials(network: RealNetwork, profile: HardwareProfile) -> int:
    """Return how many trials `choose_bits` makes at most."""
    return 2 * len(network.values) * len(legal_widths(profile)) + 1


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
                f"{search.widths[-1]} bit in every layer the network takes {used}. Allow as many, "
                "or use narrower layers."
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
            f"{search.widths[0]} bits in every layer {best.accuracy_loss_percent:.2f} are lost. "
            "Allow as many, or train with quantized weights."
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
        update={"limits": profile.limits.model_copy(update={"chips": None})}
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


def _every_second(inputs: SpikeInput, first: int) -> SpikeInput:
    """Return every second sample; a single one is all there is."""
    if inputs.n_samples == 1:
        return inputs
    labels = None if inputs.labels is None else inputs.labels[first::2]
    return SpikeInput(spikes=inputs.spikes[first::2], labels=labels)
