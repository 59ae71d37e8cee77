"""A layer's neurons, as data for tables and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from typing_extensions import assert_never

from .arrays import IntArray
from .neurons import (
    AdaptiveResonatorNeuron,
    AlifNeuron,
    CubaNeuron,
    Neuron,
    ResonatorNeuron,
    SigmaDeltaNeuron,
    is_readout,
)
from .time_constants import StepRange, amplitude_steps, decay_steps, period_steps


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronSummary:
    """The neurons of one layer. What a kind of neuron does not have is None or left out.

    Attributes
    ----------
    kind : str
        As in the file.
    is_readout : bool
        Whether the threshold is out of reach, so that the voltage is what the layer says.
    vth_mantissa, vth_step : int or None
        Threshold and what a spike adds to it, in units of 1/64.
    vth_fraction : int or None
        Of sigma-delta neurons: what the threshold has beyond `vth_mantissa`, in 1/4096 of its unit.
    decays : mapping of str to (int, int)
        Least and largest, of 4096: parts lost in a step of ``current``, ``voltage``, ``threshold``
        and ``refractory``; of resonators also ``sin`` and ``cos`` as the file states them.
    time_constants_steps : mapping of str to (float or None, float or None)
        Fastest and slowest, in steps, of ``current``, ``voltage``, ``threshold``, ``refractory``
        and of a resonator's ``amplitude``. None is infinite, since JSON has no such number;
        negative means that the state grows. See `decay_steps`.
    period_steps : (float or None, float or None) or None
        Shortest and longest period of a resonator, in steps; see `period_steps`.
    refractory_delay : int or None
        Steps from a spike to the next possible one.
    graded_spike : bool or None
        Whether spikes carry the state.
    current_exponent : int or None
        Current and bias reach the voltage divided by two to this power.
    activation : str or None
        Of sigma-delta neurons.
    sigma_output : bool or None
        Whether the sum of a sigma-delta neuron is the output.
    message_bits : int or None
        Width of a spike's payload, where the file states one.
    """

    kind: str
    is_readout: bool
    vth_mantissa: int
    vth_step: int | None
    vth_fraction: int | None
    decays: Mapping[str, tuple[int, int]]
    time_constants_steps: Mapping[str, StepRange]
    period_steps: StepRange | None
    refractory_delay: int | None
    graded_spike: bool | None
    current_exponent: int | None
    activation: str | None
    sigma_output: bool | None
    message_bits: int | None


def summarize_neuron(neuron: Neuron) -> NeuronSummary:
    """Describe the neurons of a layer."""
    decaying, turning = _decaying(neuron), _turning(neuron)
    constants = {name: decay_steps(decay) for name, decay in decaying.items()}
    if turning is not None:
        constants = {"amplitude": amplitude_steps(*turning)} | constants
    is_current_based = isinstance(neuron, CubaNeuron | AlifNeuron)
    is_adaptive = isinstance(neuron, AlifNeuron | AdaptiveResonatorNeuron)
    is_sigma_delta = isinstance(neuron, SigmaDeltaNeuron)
    stated = dict(zip(("sin", "cos"), turning or (), strict=False)) | decaying
    return NeuronSummary(
        kind=neuron.kind.value,
        is_readout=is_readout(neuron),
        vth_mantissa=neuron.vth_mantissa,
        vth_step=neuron.vth_step if is_adaptive else None,
        vth_fraction=neuron.vth_fraction if is_sigma_delta else None,
        decays={name: (int(decay.min()), int(decay.max())) for name, decay in stated.items()},
        time_constants_steps=constants,
        period_steps=None if turning is None else period_steps(*turning),
        refractory_delay=neuron.refractory_delay if is_current_based else None,
        graded_spike=None if is_sigma_delta else neuron.graded_spike,
        current_exponent=neuron.current_exponent if is_current_based else None,
        activation=neuron.activation if is_sigma_delta else None,
        sigma_output=neuron.sigma_output if is_sigma_delta else None,
        message_bits=neuron.message_bits,
    )


def _decaying(neuron: Neuron) -> dict[str, IntArray]:
    """Return the part that each state loses in a step, of 4096."""
    match neuron:
        case CubaNeuron():
            return {"current": neuron.current_decay, "voltage": neuron.voltage_decay}
        case AlifNeuron():
            return {
                "current": neuron.current_decay,
                "voltage": neuron.voltage_decay,
                "threshold": neuron.threshold_decay,
                "refractory": neuron.refractory_decay,
            }
        case AdaptiveResonatorNeuron():
            return {
                "threshold": neuron.threshold_decay,
                "refractory": neuron.refractory_decay,
            }
        case ResonatorNeuron() | SigmaDeltaNeuron():
            return {}
        case _:
            assert_never(neuron)


def _turning(neuron: Neuron) -> tuple[IntArray, IntArray] | None:
    """Return sine and cosine of a resonator."""
    if isinstance(neuron, ResonatorNeuron | AdaptiveResonatorNeuron):
        return neuron.sin_decay, neuron.cos_decay
    return None
