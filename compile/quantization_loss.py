"""What quantization lost in a layer, in the units of the numbers it came from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..hw_profiles.arithmetic import DECAY_ONE
from ..netx import (
    AdaptiveResonatorNeuron,
    AlifNeuron,
    IntArray,
    Neuron,
    RealArray,
    RealValues,
    ResonatorNeuron,
    SigmaDeltaNeuron,
    SynapticLayer,
    is_readout,
)
from ..netx.neurons import VTH_FRACTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class DecayLoss:
    """What rounding did to a decay, the worst over the channels.

    Attributes
    ----------
    error_percent : float
        Of the decay; infinite where it was 0 and no longer is.
    half_life_error : float
        Change of the half-life of the state, in steps; infinite where one of the two never decays.
        Of a resonator: of the length of its state, which sine and cosine have together.
    """

    error_percent: float
    half_life_error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerLoss:
    """What quantization lost in a layer. Errors are magnitudes.

    Attributes
    ----------
    layer : str
        Its name.
    bits : int
        Width asked for; the registers may need less.
    method : str
        How the scale was found.
    scale : float
        Whole numbers for one unit of the real ones; 1 where the numbers were whole already. The
        voltage of a readout comes out times this.
    step : int
        Weights are multiples of it.
    weights : int
        How many there are.
    clipped : int
        How many of them were beyond the largest that fits, and took that instead.
    largest_weight_error, mean_weight_error : float
        In 1/64.
    largest_weight_error_percent, mean_weight_error_percent : float
        The same, of the largest weight.
    threshold_error_percent : float
        Of the threshold; 0 for readouts, which have none.
    threshold_step_error_percent : float
        Of what a spike adds to an adaptive threshold.
    largest_bias_error : float
        In 1/64.
    largest_delay_error : float
        In steps.
    decays : mapping of str to DecayLoss
        By the name of the neuron's field.
    spikes, spikes_changed : int or None
        Spikes of the layer in the network of real numbers on the calibration set, and how many
        places (sample, neuron, step) have one in only one of the two networks; None without a set.
    """

    layer: str
    bits: int
    method: str
    scale: float
    step: int
    weights: int
    clipped: int
    largest_weight_error: float
    mean_weight_error: float
    largest_weight_error_percent: float
    mean_weight_error_percent: float
    threshold_error_percent: float
    threshold_step_error_percent: float
    largest_bias_error: float
    largest_delay_error: float
    decays: Mapping[str, DecayLoss]
    spikes: int | None = None
    spikes_changed: int | None = None


def measure_loss(
    values: RealValues,
    layer: SynapticLayer,
    *,
    bits: int,
    method: str,
    scale: float,
    step: int,
    clipped: int,
) -> LayerLoss:
    """Compare a quantized layer with the real numbers it came from.

    Parameters
    ----------
    values : RealValues
        The real numbers.
    layer : SynapticLayer
        The quantized layer.
    bits, method, scale, step, clipped
        See `LayerLoss`.
    """
    pairs = (
        (values.weight, layer.weight),
        (values.weight_imag, layer.weight_imag),
        (values.weight_rec, getattr(layer, "weight_rec", None)),
    )
    errors = np.concatenate([_errors(real, whole, scale) for real, whole in pairs])
    largest = max(float(np.abs(real).max(initial=0)) for real, _ in pairs if real is not None)
    in_percent = 100 / largest if largest else 0.0
    neuron = layer.neuron
    step_given = neuron.vth_step if isinstance(neuron, AlifNeuron | AdaptiveResonatorNeuron) else 0
    biases = ((values.bias, layer.bias), (values.bias_imag, layer.bias_imag))
    return LayerLoss(
        layer=layer.name,
        bits=bits,
        method=method,
        scale=scale,
        step=step,
        weights=int(errors.size),
        clipped=clipped,
        largest_weight_error=float(errors.max(initial=0.0)),
        mean_weight_error=float(errors.mean()) if errors.size else 0.0,
        largest_weight_error_percent=float(errors.max(initial=0.0)) * in_percent,
        mean_weight_error_percent=float(errors.mean()) * in_percent if errors.size else 0.0,
        threshold_error_percent=(
            0.0 if is_readout(neuron) else _percent(values.vth, threshold_of(neuron) / scale)
        ),
        threshold_step_error_percent=_percent(values.vth_step or 0.0, step_given / scale),
        largest_bias_error=max(
            float(_errors(real, whole, scale).max(initial=0.0)) for real, whole in biases
        ),
        largest_delay_error=float(_errors(values.delay, layer.delay, 1.0).max(initial=0.0)),
        decays=_decay_losses(values.decays, neuron),
    )


def threshold_of(neuron: Neuron) -> float:
    """Return the threshold in weight units, with its fraction where it has one."""
    fraction = neuron.vth_fraction if isinstance(neuron, SigmaDeltaNeuron) else 0
    return neuron.vth_mantissa + fraction / VTH_FRACTIONS


def half_life(decay: RealArray) -> RealArray:
    """Return after how many steps a decay, of 4096, has left half of a state; may be infinite.

    Examples
    --------
    >>> half_life(np.array([0.0, 2048.0, 4096.0])).tolist()
    [inf, 1.0, 0.0]
    """
    return _half_life_of_kept(1 - np.asarray(decay, dtype=np.float64) / DECAY_ONE)


def _half_life_of_kept(kept: RealArray) -> RealArray:
    """Return the half-life of a state of which this part is kept in a step."""
    inside = np.clip(kept, np.finfo(np.float64).tiny, 1 - np.finfo(np.float64).epsneg)
    steps = math.log(0.5) / np.log(inside)
    return np.where(kept <= 0, 0.0, np.where(kept >= 1, np.inf, steps))


def _decay_losses(decays: Mapping[str, RealArray], neuron: Neuron) -> dict[str, DecayLoss]:
    whole = {name: np.asarray(getattr(neuron, name), dtype=np.float64) for name in decays}
    turned = {"sin_decay", "cos_decay"} if _turns(neuron) else set[str]()
    radius_error = 0.0
    if turned:
        before, after = (
            _half_life_of_kept(np.hypot(d["sin_decay"], d["cos_decay"]) / DECAY_ONE)
            for d in (decays, whole)
        )
        radius_error = _largest_difference(before, after)
    return {
        name: DecayLoss(
            error_percent=max(
                _percent(float(a), float(b)) for a, b in np.broadcast(np.asarray(real), whole[name])
            ),
            half_life_error=radius_error
            if name in turned
            else _largest_difference(half_life(real), half_life(whole[name])),
        )
        for name, real in decays.items()
    }


def _turns(neuron: Neuron) -> bool:
    return isinstance(neuron, ResonatorNeuron | AdaptiveResonatorNeuron)


def _largest_difference(before: RealArray, after: RealArray) -> float:
    both = np.isinf(before) & np.isinf(after)
    with np.errstate(invalid="ignore"):  # infinite minus infinite, replaced
        return float(np.where(both, 0.0, np.abs(after - before)).max(initial=0.0))


def _percent(wanted: float, found: float) -> float:
    if wanted == found:
        return 0.0
    return 100 * abs(found - wanted) / abs(wanted) if wanted else math.inf


def _errors(real: RealArray | None, whole: IntArray | None, scale: float) -> RealArray:
    if real is None or whole is None:
        return np.zeros(0, dtype=np.float64)
    return np.abs(whole / scale - real).reshape(-1)
