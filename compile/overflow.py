"""Where the registers of a state, or the comparison with the threshold, can part from SLAYER."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ..netx import NEVER_FIRES, NON_STRICT_THRESHOLD, CubaNeuron
from .problems import Problem
from .stages import ChipLayer, ChipNetwork
from .state_bounds import KERNEL_SUM, STATE_BITS, StateBounds, Verdict, state_bounds

# What Lava's models do with a state that does not fit: PyLifModelBitAcc clips the voltage, and so
# do resonators both parts; everything else keeps the low bits. ALIF's terms are ours, clipped.
_CLIPPED = frozenset({"voltage", "real", "imag", "threshold", "refractory"})


# What quantization asked for bounds has scaled down already, as far as the bits allow.
FEWER_BITS = "Ask for fewer bits, which leave more room, or train with less inhibition or memory."


def parity_warnings(
    network: ChipNetwork,
    bounds: tuple[StateBounds, ...] | None = None,
    *,
    is_trained: bool = True,
) -> tuple[str, ...]:
    """Return a sentence for each cause that could part a layer's spikes from SLAYER's.

    Parameters
    ----------
    network : ChipNetwork
        In register form.
    bounds : tuple of StateBounds, optional
        Of its states, where they are known; else those for binary input of any length.
    is_trained : bool
        Whether SLAYER has a model of these numbers; not where the compiler chose them.

    Returns
    -------
    tuple of str
        Layer by layer. Empty when SLAYER and Lava provably agree for such input.
    """
    bounds = state_bounds(network) if bounds is None else bounds
    sentences: list[str] = []
    for layer in network.layers:
        sentences += _threshold_warning(layer) if is_trained else []
        own = [bound for bound in _unproved(bounds) if bound.layer == layer.name]
        shown = [bound for bound in own if bound.witness is not None]
        sentences += [overflow_sentence(bound) for bound in shown]
        sentences += _unproved_sentences([bound for bound in own if bound.witness is None])
    return tuple(sentences)


def overflow_problems(
    network: ChipNetwork,
    bounds: tuple[StateBounds, ...] | None = None,
    *,
    is_trained: bool = True,
) -> tuple[Problem, ...]:
    """Return a problem for every state that is not proved to fit its register.

    Parameters
    ----------
    network : ChipNetwork
        In register form.
    bounds : tuple of StateBounds, optional
    is_trained : bool
        See `parity_warnings`.
    """
    bounds = state_bounds(network) if bounds is None else bounds
    unproved = _unproved(bounds)
    wrapping = {bound.layer for bound in unproved if bound.state == "current"}
    return tuple(
        Problem(
            layer=bound.layer,
            found=_found(bound),
            allowed=f"registers of {bound.bits} bits hold {_register(bound)}",
            remedy=_remedy(bound) if is_trained else FEWER_BITS,
            rule="states_fit_registers",
        )
        for bound in unproved
        # the bounds of a voltage follow from those of a current that does not fit
        if not (bound.state == "voltage" and bound.layer in wrapping)
    )


def _found(bound: StateBounds) -> str:
    found = f"the bounds of its {_state(bound)} are {_bounds(bound)}"
    if bound.witness is None:
        return found
    return f"{found}, and this input goes there, {bound.witness}"


def overflow_sentence(bound: StateBounds) -> str:
    """Return what is known of a state that is not proved to fit.

    Examples
    --------
    >>> bound = StateBounds(
    ...     layer="fc1", state="current", low=-64, high=2**24, bits=24, headroom_bits=-1.0, neuron=7
    ... )
    >>> print(overflow_sentence(bound))  # doctest: +NORMALIZE_WHITESPACE
    fc1: its current is not proved to fit 24 bits (bounds -64 to 16777216, head-room -1.00 bits); no
    input that takes it beyond 8388607 was found, but there Lava wraps and SLAYER does not.
    """
    size = f"bounds {_bounds(bound)}, {_headroom(bound)}"
    does = "clips" if bound.state in _CLIPPED else "wraps"
    beyond = f"there Lava {does} and SLAYER does not"
    if bound.witness is None:
        return (
            f"{bound.layer}: its {_state(bound)} is not proved to fit {bound.bits} bits ({size}); "
            f"no input that takes it beyond {_most(bound)} was found, but {beyond}."
        )
    return (
        f"{bound.layer}: its {_state(bound)} can leave {bound.bits} bits ({size}); {beyond}. This "
        f"input does it, {bound.witness}."
    )


def _unproved_sentences(bounds: list[StateBounds]) -> list[str]:
    """Return one sentence for all states of a layer of which no overflowing input is known.

    Sigma-delta neurons have four states, whose bounds say little once one has none.
    """
    if len(bounds) < 2:
        return [overflow_sentence(bound) for bound in bounds]
    states = [f"{_state(b)} ({_headroom(b)})" for b in bounds]
    sentence = (
        f"{bounds[0].layer}: its {', '.join(states[:-1])} and {states[-1]} are not proved to fit "
        "their registers; no input that takes them beyond was found, but there Lava wraps or clips "
        "and SLAYER does not."
    )
    return [sentence]


def _threshold_warning(layer: ChipLayer) -> list[str]:
    neuron = layer.neuron
    if not isinstance(neuron, CubaNeuron):
        return []
    if not NON_STRICT_THRESHOLD <= neuron.vth_mantissa < NEVER_FIRES:
        return []
    sentence = (
        f"{layer.name}: threshold {neuron.vth_mantissa} is {NON_STRICT_THRESHOLD} or "
        "more; there SLAYER fires when the voltage equals the threshold, Lava only above it."
    )
    return [sentence]


def _unproved(bounds: Iterable[StateBounds]) -> list[StateBounds]:
    return [bound for bound in bounds if bound.verdict is not Verdict.PROVED]


def _state(bound: StateBounds) -> str:
    return "sum of a kernel" if bound.state == KERNEL_SUM else bound.state


def _bounds(bound: StateBounds) -> str:
    low = "-inf" if bound.low is None else str(bound.low)
    high = "inf" if bound.high is None else str(bound.high)
    return f"{low} to {high}"


def _headroom(bound: StateBounds) -> str:
    if bound.headroom_bits == -math.inf:
        return "no head-room"
    return f"head-room {bound.headroom_bits + 0.0:.2f} bits".replace("-0.00", "0.00")


def _most(bound: StateBounds) -> int:
    return (1 << (bound.bits - 1)) - 1


def _register(bound: StateBounds) -> str:
    return f"-{_most(bound)} to {_most(bound)}"


def _remedy(bound: StateBounds) -> str:
    if bound.low is None or bound.high is None:
        if bound.bits != STATE_BITS:
            return "Sums without decay have no bound: compile without --strict and look at a run."
        return "Let currents and voltages decay: without, long input takes them anywhere."
    largest = max(-bound.low, bound.high)
    halvings = (largest // (_most(bound) + 1)).bit_length()
    return f"Scale weights, bias and threshold down together by 2**{halvings}."
