"""Where the 24 bits of a state, or the comparison with the threshold, can part from SLAYER."""

from __future__ import annotations

import numpy as np

from ..netx import NEVER_FIRES, NON_STRICT_THRESHOLD, CubaNeuron
from .stages import ChipConv, ChipDense, ChipInput, ChipLayer, ChipNetwork

STATE_LIMIT = 1 << 23


def parity_warnings(network: ChipNetwork) -> tuple[str, ...]:
    """Return a sentence for each layer whose spikes could differ from SLAYER's.

    Parameters
    ----------
    network : ChipNetwork
        In register form.

    Returns
    -------
    tuple of str
        Empty when SLAYER and Lava provably agree for binary input of any length.

    Notes
    -----
    Bounds, for one neuron: the current stays below ``64 * sum(abs(w)) * 4096 / current_decay`` over
    the weights of one sign, the geometric sum of a constant input; the voltage does not go above
    ``64 * threshold`` plus one step's current and bias (else the neuron would have fired), nor
    below the geometric sum of the most negative current and bias.
    """
    return tuple(w for layer in network.layers for w in _layer_warnings(layer))


def _layer_warnings(layer: ChipLayer) -> list[str]:
    warnings: list[str] = []
    neuron = layer.neuron
    if isinstance(layer, ChipInput) or not isinstance(neuron, CubaNeuron):
        return warnings
    if NON_STRICT_THRESHOLD <= neuron.vth_mantissa < NEVER_FIRES:
        warnings.append(
            f"{layer.name}: threshold {neuron.vth_mantissa} is {NON_STRICT_THRESHOLD} or "
            "more; there SLAYER fires when the voltage equals the threshold, Lava only above it."
        )
    current, lowest_current = current_bounds(layer, neuron)
    if current is None or lowest_current is None:
        warnings.append(
            f"{layer.name}: its current never decays (iDecay 0), so a long input can take it "
            "out of 24 bits, where Lava wraps and SLAYER does not."
        )
        return warnings
    if max(current, -lowest_current) >= STATE_LIMIT:
        warnings.append(
            f"{layer.name}: its current can reach {max(current, -lowest_current):.3g}, beyond the "
            f"24 bits of {STATE_LIMIT}; there Lava wraps and SLAYER does not."
        )
    bias = layer.bias
    bias_low = 0 if bias is None else 64 * min(0, int(bias.min()))
    bias_high = 0 if bias is None else 64 * max(0, int(bias.max()))
    decay = int(neuron.voltage_decay.min())
    lowest = lowest_current + bias_low
    lowest_voltage = lowest * 4096 / decay if decay else (-np.inf if lowest < 0 else 0.0)
    highest_voltage = 64 * neuron.vth_mantissa + current + bias_high
    if max(highest_voltage, -lowest_voltage) >= STATE_LIMIT:
        warnings.append(
            f"{layer.name}: its voltage can leave the 24 bits of ±{STATE_LIMIT - 1} (bounds "
            f"{lowest_voltage:.3g} to {highest_voltage:.3g}); there Lava clips and SLAYER does not."
        )
    return warnings


def current_bounds(
    layer: ChipDense | ChipConv, neuron: CubaNeuron
) -> tuple[float, float] | tuple[None, None]:
    """Return the highest and lowest current any binary input can cause; None where unbounded."""
    weight = layer.weights.effective().astype(np.int64)
    weight = weight.reshape(weight.shape[0], -1)
    excitation = int(np.where(weight > 0, weight, 0).sum(axis=1).max())
    inhibition = int(np.where(weight < 0, weight, 0).sum(axis=1).min())
    decay = int(neuron.current_decay.min())
    if decay == 0:
        return (None, None) if excitation or inhibition else (0.0, 0.0)
    scale = 64 * 4096 / decay
    return excitation * scale, inhibition * scale
