"""From the registers of a layer's neurons to a Lava process, and the model that runs it.

==============================  ============================================================
neurons                         what runs
==============================  ============================================================
CUBA                            Lava's ``PyLifResetModelBitAcc``
CUBA with refractory delay,     ours (``lava_processes.cuba``)
graded spikes, divided current
ALIF                            ours (``lava_processes.alif``)
RF, RF_IZ                       Lava's ``PyRFModelFixed``, ``PyRF_IZModelFixed``; graded
                                payloads and biases are ours
ADRF, ADRF_IZ                   ours (``lava_processes.adaptive_resonators``)
SDNN                            Lava's ``PyDeltaModelFixed``, ``PySigmaDeltaModelFixed``,
                                ``PySigmaModelFixed``
==============================  ============================================================
"""
# lava has no type information.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportArgumentType=false

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compile import BIAS_EXPONENT, ChipInput, ChipLayer, per_neuron
from ..hw_profiles.units import SPIKE
from ..netx import (
    AdaptiveResonatorNeuron,
    AlifNeuron,
    CubaNeuron,
    IntArray,
    NeuronKind,
    ResonatorNeuron,
    SigmaDeltaNeuron,
    current_shift,
)
from ..netx.neurons import VTH_FRACTIONS
from .lava_order import lava_order, lava_shape
from .lava_processes.alignment import Alignment, for_input, for_states, for_sums
from .lava_processes.recorder import RecordPlan


def neuron_process(layer: ChipLayer, plan: RecordPlan, unit: Fraction) -> tuple[Any, type]:
    """Return the neurons of a layer as a process, and its model.

    Parameters
    ----------
    layer : ChipLayer
        The layer.
    plan : RecordPlan
        When it works, and what it writes.
    unit : Fraction
        What an input of 1 stands for.
    """
    neuron = layer.neuron
    match neuron:
        case CubaNeuron():
            return _cuba(layer, neuron, plan, unit)
        case AlifNeuron():
            from .lava_processes.alif import Alif, PyAlif

            parameters = _leaky(layer, neuron) | _adaptive(layer, neuron)
            return Alif(**_common(layer, plan, unit), **parameters), PyAlif
        case ResonatorNeuron():
            return _resonator(layer, neuron, plan, unit)
        case AdaptiveResonatorNeuron():
            from .lava_processes.adaptive_resonators import AdaptiveResonators, PyAdaptiveResonators

            process = AdaptiveResonators(
                **_common(layer, plan, unit),
                **_turning(layer, neuron),
                **_adaptive(layer, neuron),
                fires_at_phase=neuron.kind is NeuronKind.ADRF,
            )
            return process, PyAdaptiveResonators
        case _:
            return _sigma_delta(layer, neuron, plan, unit)


def in_lava_order(layer: ChipLayer, values: IntArray) -> NDArray[np.int64]:
    """Return one value a neuron in Lava's order and shape."""
    shape = lava_shape(layer.shape_out)
    return per_neuron(values, layer)[lava_order(layer.shape_out)].reshape(shape).astype(np.int64)


def lif_parameters(layer: ChipLayer, neuron: CubaNeuron) -> dict[str, Any]:
    """Return what Lava's `LIF` takes."""
    bias = None if isinstance(layer, ChipInput) else layer.bias
    shape = lava_shape(layer.shape_out)
    return {
        "shape": shape,
        "du": _decay(layer, neuron.current_decay) - 1,  # Lava adds the 1 back
        "dv": _decay(layer, neuron.voltage_decay),
        "vth": neuron.vth_mantissa,
        "bias_mant": 0 if bias is None else in_lava_order(layer, bias).astype(np.int32),
        "bias_exp": BIAS_EXPONENT,
    }


def _cuba(
    layer: ChipLayer, neuron: CubaNeuron, plan: RecordPlan, unit: Fraction
) -> tuple[Any, type]:
    from .lava_processes import cuba

    if neuron.refractory_delay == 1 and not neuron.graded_spike and not current_shift(neuron):
        process = cuba.RecordedLIF(
            plan=plan,
            alignment=_alignment_beyond_lava(layer, unit),
            **lif_parameters(layer, neuron),
        )
        return process, cuba.PyRecordedLIF
    process = cuba.ExtendedCuba(
        **_common(layer, plan, unit),
        **_leaky(layer, neuron),
        threshold=neuron.vth_mantissa << BIAS_EXPONENT,
        refractory_delay=neuron.refractory_delay,
    )
    return process, cuba.PyExtendedCuba


def _resonator(
    layer: ChipLayer, neuron: ResonatorNeuron, plan: RecordPlan, unit: Fraction
) -> tuple[Any, type]:
    from .lava_processes import resonators

    is_phase = neuron.kind is NeuronKind.RF
    process = (resonators.RecordedRF if is_phase else resonators.RecordedRFIZ)(
        shape=lava_shape(layer.shape_out),
        plan=plan,
        alignment=_alignment_beyond_lava(layer, unit),
        threshold=neuron.vth_mantissa << BIAS_EXPONENT,
        **_turning(layer, neuron),
    )
    return process, resonators.PyRecordedRF if is_phase else resonators.PyRecordedRFIZ


def _sigma_delta(
    layer: ChipLayer, neuron: SigmaDeltaNeuron, plan: RecordPlan, unit: Fraction
) -> tuple[Any, type]:
    from .lava_processes import sigma_delta

    shape = lava_shape(layer.shape_out)
    threshold = neuron.vth_mantissa + neuron.vth_fraction / VTH_FRACTIONS
    if isinstance(layer, ChipInput):
        alignment = for_input(layer.scale, layer.offset)
        process = sigma_delta.RecordedDelta(
            shape=shape, threshold=threshold, plan=plan, alignment=alignment
        )
        return process, sigma_delta.PyRecordedDelta
    if neuron.sigma_output:
        process = sigma_delta.RecordedSigma(shape=shape, plan=plan, alignment=for_sums(unit))
        return process, sigma_delta.PyRecordedSigma
    process = sigma_delta.RecordedSigmaDelta(
        shape=shape,
        threshold=threshold,
        bias=0 if layer.bias is None else in_lava_order(layer, layer.bias),
        plan=plan,
        alignment=for_sums(unit),
    )
    return process, sigma_delta.PyRecordedSigmaDelta


def _alignment(layer: ChipLayer, unit: Fraction) -> Alignment:
    return (
        for_input(layer.scale, layer.offset) if isinstance(layer, ChipInput) else for_states(unit)
    )


def _alignment_beyond_lava(layer: ChipLayer, unit: Fraction) -> Alignment | None:
    """Return None where Lava's own shift by 6 does it."""
    if unit == SPIKE and not isinstance(layer, ChipInput):
        return None
    return _alignment(layer, unit)


def _common(layer: ChipLayer, plan: RecordPlan, unit: Fraction) -> dict[str, Any]:
    return {
        "shape": lava_shape(layer.shape_out),
        "plan": plan,
        "alignment": _alignment(layer, unit),
    }


def _leaky(layer: ChipLayer, neuron: CubaNeuron | AlifNeuron) -> dict[str, Any]:
    return {
        "current_decay": _decay(layer, neuron.current_decay),
        "voltage_decay": _decay(layer, neuron.voltage_decay),
        "bias": _bias(layer, None if isinstance(layer, ChipInput) else layer.bias),
        "current_shift": current_shift(neuron),
        "graded_spike": neuron.graded_spike,
    }


def _adaptive(layer: ChipLayer, neuron: AlifNeuron | AdaptiveResonatorNeuron) -> dict[str, Any]:
    return {
        "threshold": neuron.vth_mantissa << BIAS_EXPONENT,
        "threshold_step": neuron.vth_step << BIAS_EXPONENT,
        "threshold_decay": _decay(layer, neuron.threshold_decay),
        "refractory_decay": _decay(layer, neuron.refractory_decay),
    }


def _turning(layer: ChipLayer, neuron: ResonatorNeuron | AdaptiveResonatorNeuron) -> dict[str, Any]:
    is_input = isinstance(layer, ChipInput)
    return {
        "sin_decay": _decay(layer, neuron.sin_decay),
        "cos_decay": _decay(layer, neuron.cos_decay),
        "bias": _bias(layer, None if is_input else layer.bias),
        "bias_imag": _bias(layer, None if is_input else layer.bias_imag),
        "graded_spike": neuron.graded_spike,
    }


def _bias(layer: ChipLayer, bias: IntArray | None) -> Any:
    return 0 if bias is None else in_lava_order(layer, bias) << BIAS_EXPONENT


def _decay(layer: ChipLayer, decay: IntArray) -> Any:
    """Return a number, or an array of one a neuron."""
    return int(decay) if decay.ndim == 0 else in_lava_order(layer, decay)
