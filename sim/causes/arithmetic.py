"""Causes in the arithmetic of neurons: comparison, rounding, and the ends of registers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from ...hw_profiles.arithmetic import (
    CONV_BITS,
    DECAY_BITS,
    DECAY_ONE,
    STATE_LIMIT,
    STATE_SHIFT,
    Int64Array,
    clip_state,
    wrap_signed,
)
from ...netx import AlifNeuron, CubaNeuron, KernelLayer, Neuron, SigmaDeltaNeuron, is_readout
from ..neurons import Rules
from ..neurons.rules import Decays, Register
from .cause import CauseName
from .hypothesis import RUN, Hypothesis
from .layer_case import Behaviour, LayerCase

STATE_BITS = 24
HALF = DECAY_ONE // 2


def arithmetic_hypotheses(case: LayerCase) -> Iterator[Hypothesis]:
    """Yield what may be other in the arithmetic of a layer, the simplest first."""
    neuron = case.chip.neuron
    if not is_readout(neuron):
        yield _equality(neuron)
    if not isinstance(neuron, SigmaDeltaNeuron):
        yield from _rounding()
        yield from _registers(neuron)
    if isinstance(case.layer, KernelLayer):
        yield from _sums()


def _equality(neuron: Neuron) -> Hypothesis:
    fires_above = isinstance(neuron, CubaNeuron)
    is_message = isinstance(neuron, SigmaDeltaNeuron)
    what = "a change that equals" if is_message else "a state that equals"
    value = f" ({neuron.vth_mantissa << STATE_SHIFT} in the voltage's unit)" if fires_above else ""
    does, defined = ("fires", "only one above it does")
    if not fires_above:
        does, defined = ("does not fire", "from there on it should")
    return Hypothesis(
        name=CauseName.THRESHOLD_EQUALITY,
        statement=f"in {RUN} {what} the threshold{value} {does}; by the definition {defined}",
        remedy=(
            "Keep thresholds below 64 (vThMant below 4096), from where on SLAYER fires at equality."
            if fires_above and neuron.vth_mantissa >= 4096
            else "Compare as the definition does, or move the threshold by one unit of the state."
        ),
        predict=partial(_with, Rules(threshold_shift=-1 if fires_above else 1)),
        shows_place=True,
    )


def _rounding() -> Iterator[Hypothesis]:
    ways: dict[str, Register] = {
        "down": _down,
        "to the nearest": _nearest,
        "away from zero": _away,
    }
    for way, rounded in ways.items():
        yield Hypothesis(
            name=CauseName.ROUNDING_OF_DECAY,
            statement=f"{RUN} rounds what a decay leaves {way}; defined is toward zero",
            remedy="Round products of states and decays toward zero, as Lava and SLAYER do.",
            predict=partial(
                _with, Rules(decay=partial(_decay, rounded), turn=partial(_turn, rounded))
            ),
            shows_place=True,
        )


def _registers(neuron: Neuron) -> Iterator[Hypothesis]:
    wrap_remedy = (
        "Keep sums within 24 bits: smaller weights or a faster current decay (lavadeploy compile "
        "says which layer can leave them)."
    )
    clip_remedy = (
        "Keep voltages within 24 bits; lavadeploy compile says which layer can leave them."
    )
    if isinstance(neuron, CubaNeuron | AlifNeuron):
        yield _held(
            CauseName.WRAP,
            f"the current of {RUN} goes on beyond 24 bits, where the register wraps",
            wrap_remedy,
            Rules(hold_current=_unbounded),
        )
        yield _held(
            CauseName.SATURATION,
            f"the voltage of {RUN} goes on beyond 24 bits, where the register saturates",
            clip_remedy,
            Rules(hold_voltage=_unbounded),
        )
        yield _held(
            CauseName.WRAP,
            f"current and voltage of {RUN} go on beyond 24 bits, where the registers wrap and clip",
            wrap_remedy,
            _UNBOUNDED,
        )
        yield _held(
            CauseName.SATURATION,
            f"the current of {RUN} saturates at 24 bits, where the register wraps",
            wrap_remedy,
            Rules(hold_current=clip_state),
        )
        yield _held(
            CauseName.WRAP,
            f"the voltage of {RUN} wraps at 24 bits, where the register saturates",
            clip_remedy,
            Rules(hold_voltage=_wrapped),
        )
        yield _held(
            CauseName.WRAP,
            f"the current of {RUN} wraps at exactly 2**23, where the register goes up to it",
            wrap_remedy,
            Rules(hold_current=_wrapped),
        )
        return
    yield _held(
        CauseName.SATURATION,
        f"the state of {RUN} goes on beyond 24 bits, where the register saturates",
        clip_remedy,
        Rules(hold_state=_unbounded),
    )
    yield _held(
        CauseName.WRAP,
        f"the state of {RUN} wraps at 24 bits, where the register saturates",
        clip_remedy,
        Rules(hold_state=_wrapped),
    )


def _sums() -> Iterator[Hypothesis]:
    remedy = "Keep weighted sums of kernels within 24 bits: smaller weights or payloads."
    yield _held(
        CauseName.WRAP,
        f"the weighted sum of {RUN} goes on beyond {CONV_BITS} bits, where it is defined to wrap",
        remedy,
        Rules(hold_sum=_unbounded),
    )
    yield _held(
        CauseName.SATURATION,
        f"the weighted sum of {RUN} saturates at {CONV_BITS} bits, where it is defined to wrap",
        remedy,
        Rules(hold_sum=lambda value: np.clip(value, -STATE_LIMIT, STATE_LIMIT - 1)),
    )


def _held(name: CauseName, statement: str, remedy: str, rules: Rules) -> Hypothesis:
    return Hypothesis(
        name=name,
        statement=statement,
        remedy=remedy,
        predict=partial(_with, rules),
        shows_place=True,
    )


def _with(rules: Rules, case: LayerCase) -> Behaviour:
    return case.run(rules=rules)


def _unbounded(value: Int64Array) -> Int64Array:
    return value


# what SLAYER does, whose states are int64 on the CPU
_UNBOUNDED = Rules(
    hold_sum=_unbounded,
    hold_current=_unbounded,
    hold_voltage=_unbounded,
    hold_state=_unbounded,
)


def _wrapped(value: Int64Array) -> Int64Array:
    return wrap_signed(value, STATE_BITS)


def _decay(rounded: Register, state: Int64Array, decay: Decays) -> Int64Array:
    return rounded(state * (np.int64(DECAY_ONE) - decay.astype(np.int64)))


def _turn(
    rounded: Register, real: Int64Array, imag: Int64Array, sin_decay: Decays, cos_decay: Decays
) -> tuple[Int64Array, Int64Array]:
    """Turn a resonator's state as `rotate` does, but for the rounding of the four products."""
    sine, cosine = sin_decay.astype(np.int64), cos_decay.astype(np.int64)
    return (
        rounded(cosine * real) - rounded(sine * imag),
        rounded(sine * real) + rounded(cosine * imag),
    )


def _down(product: Int64Array) -> Int64Array:
    return product >> DECAY_BITS


def _nearest(product: Int64Array) -> Int64Array:
    return np.sign(product) * ((np.abs(product) + HALF) >> DECAY_BITS)


def _away(product: Int64Array) -> Int64Array:
    return np.sign(product) * ((np.abs(product) + DECAY_ONE - 1) >> DECAY_BITS)
