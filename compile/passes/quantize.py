"""Pass: from real numbers to the whole ones that registers of some width hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from ...hw_profiles import HardwareProfile
from ...hw_profiles.arithmetic import DECAY_ONE
from ...netx import (
    AdaptiveResonatorNeuron,
    AlifNeuron,
    IntArray,
    Layer,
    Network,
    Neuron,
    RealArray,
    RealNetwork,
    RealValues,
    SigmaDeltaNeuron,
    SynapticLayer,
    is_readout,
)
from ...netx.neurons import VTH_FRACTIONS
from ..layer_scale import LayerScale, choose_scale
from ..problems import Problem, raise_problems
from ..quantization_loss import LayerLoss, measure_loss
from ..quantization_plan import LayerPlan, QuantizationPlan, check_layer_names
from ..weight_registers import weight_registers

AnyLayer = TypeVar("AnyLayer", bound=SynapticLayer)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QuantizedNetwork:
    """A network of whole numbers, and what was lost on the way to it.

    Attributes
    ----------
    network : Network
        As if it had been read from a file of whole numbers.
    plan : QuantizationPlan
        How it was made.
    losses : tuple of LayerLoss
        One for each layer with weights, in forward order.
    calibration_sha256 : str
        Hash of the data that the plan was calibrated on; empty without.
    """

    network: Network
    plan: QuantizationPlan
    losses: tuple[LayerLoss, ...]
    calibration_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quantize:
    """Round a network's real numbers so that registers of the planned widths hold them.

    Before: weights, biases, thresholds and decays as real numbers.
    After: whole numbers, in each layer at a scale of its own (`choose_scale`); decays, parts of
    4096, rounded to the nearest; delays rounded down, as SLAYER's forward pass does.

    Attributes
    ----------
    profile : HardwareProfile
        The chip, whose widths and ranges are legal.
    plan : QuantizationPlan
        Bits and method of each layer.
    rounded : mapping of str to int32 array
        By layer, weights that a method with data has rounded already, at the plan's scale.
    """

    profile: HardwareProfile
    plan: QuantizationPlan
    rounded: Mapping[str, IntArray] = field(default_factory=dict[str, IntArray])
    name: str = "quantize"

    def run(self, network: RealNetwork) -> QuantizedNetwork:
        """Return the network of whole numbers, with its losses.

        Raises
        ------
        UnsupportedNetworkError
            With every layer whose bits the profile does not have.
        OptionError
            When the plan leaves out a layer or names one that has no weights.
        """
        check_layer_names(self.plan.layers, tuple(network.values))
        check_widths(self.plan, self.profile)
        layers: list[Layer] = []
        losses: list[LayerLoss] = []
        warnings: list[str] = []
        for layer in network.nearest.layers:
            if not isinstance(layer, SynapticLayer):
                layers.append(layer)
                continue
            done, loss = quantize_layer(
                layer,
                network.values[layer.name],
                self.plan.layers[layer.name],
                self.profile,
                rounded=self.rounded.get(layer.name),
            )
            layers.append(done)
            losses.append(loss)
            warnings += _warnings(network.values[layer.name], done, loss)
        warnings = [*network.nearest.warnings, *warnings]
        quantized = replace(network.nearest, layers=tuple(layers), warnings=tuple(warnings))
        return QuantizedNetwork(network=quantized, plan=self.plan, losses=tuple(losses))

    def ensures(self, before: RealNetwork, after: QuantizedNetwork) -> None:
        """Check that registers of the planned widths hold every layer's weights exactly."""
        for old, new in zip(before.nearest.layers, after.network.layers, strict=True):
            assert old.name == new.name
            assert old.shape == new.shape, old.name
            if not isinstance(new, SynapticLayer):
                continue
            for weight in (new.weight, new.weight_imag, getattr(new, "weight_rec", None)):
                if weight is not None:
                    registers = weight_registers(weight, self.profile)
                    assert registers is not None, new.name
                    assert registers.bits <= self.plan.layers[new.name].bits, new.name


def quantize_layer(
    layer: AnyLayer,
    values: RealValues,
    plan: LayerPlan,
    profile: HardwareProfile,
    *,
    rounded: IntArray | None = None,
) -> tuple[AnyLayer, LayerLoss]:
    """Return one layer with whole numbers, and what it lost.

    Parameters
    ----------
    layer : SynapticLayer
        Gives geometry and kind of neuron.
    values : RealValues
        Its real numbers.
    plan : LayerPlan
        Bits and method.
    profile : HardwareProfile
        Gives the ranges of the registers.
    rounded : int32 array, optional
        The layer's weights, if a method with data has rounded them already.
    """
    found = choose_scale(layer, values, plan, profile)
    fields: dict[str, Any] = {}
    clipped = 0
    for name in ("weight", "weight_imag", "weight_rec"):
        real: RealArray | None = getattr(values, name)
        if real is not None:
            fields[name], beyond = found.grid.round(real, found.levels_per_unit)
            clipped += beyond
    if rounded is not None:
        fields["weight"] = rounded
    for name in ("bias", "bias_imag"):
        real = getattr(values, name)
        if real is not None:
            fields[name] = _nearest(real * found.scale)
    if values.delay is not None:
        fields["delay"] = np.floor(values.delay).astype(np.int32)
    neuron = _whole_neuron(layer.neuron, values, found)
    done = replace(layer, neuron=neuron, **fields)
    loss = measure_loss(
        values,
        done,
        bits=plan.bits,
        method=plan.method.value,
        scale=found.scale,
        step=found.grid.step,
        clipped=clipped,
    )
    return done, loss


def check_widths(plan: QuantizationPlan, profile: HardwareProfile) -> None:
    """Raise `UnsupportedNetworkError` with every layer whose bits the profile does not have."""
    legal = profile.formats.weight_bits.value
    listed = ", ".join(map(str, legal))
    raise_problems(
        tuple(
            Problem(
                layer=name,
                found=f"weights of {layer.bits} bits were asked for",
                allowed=f"{profile.name} has weights of {listed} bits",
                remedy=f"Ask for {min(legal, key=lambda b: (abs(b - layer.bits), -b))}.",
                rule="weight_width",
            )
            for name, layer in plan.layers.items()
            if layer.bits not in legal
        )
    )


def _whole_neuron(neuron: Neuron, values: RealValues, found: LayerScale) -> Neuron:
    """Return the neuron with whole numbers; decays are clipped to what parts of 4096 can be."""
    fields: dict[str, Any] = {}
    if isinstance(neuron, SigmaDeltaNeuron):
        # whole in 1/4096 of a weight unit, as far as its field goes
        fine = round(values.vth * VTH_FRACTIONS)
        fields["vth_mantissa"], fields["vth_fraction"] = divmod(fine, VTH_FRACTIONS)
    elif is_readout(neuron):
        fields["vth_mantissa"] = round(values.vth)
    else:
        fields["vth_mantissa"] = round(values.vth * found.scale)
    if isinstance(neuron, AlifNeuron | AdaptiveResonatorNeuron):
        fields["vth_step"] = round((values.vth_step or 0.0) * found.scale)
    for name, decay in values.decays.items():
        # sine and cosine turn both ways
        least = -DECAY_ONE if name in ("sin_decay", "cos_decay") else 0
        fields[name] = _nearest(np.clip(decay, least, DECAY_ONE))
    return replace(neuron, **fields)


def _warnings(values: RealValues, layer: SynapticLayer, loss: LayerLoss) -> list[str]:
    """Return a sentence for everything that changed by more than rounding, unasked."""
    warnings: list[str] = []
    negative = sum(
        int(np.count_nonzero(w < 0))
        for w in (values.weight, values.weight_imag, values.weight_rec)
        if w is not None
    )
    if loss.bits == 1 and 0 < negative < loss.weights:
        warnings.append(
            f"{layer.name}: 1 bit holds no sign and a weight, so its {negative} negative weights "
            "became 0. Use 2 bits or more where inhibition matters."
        )
    for name, decay in values.decays.items():
        whole = np.asarray(getattr(layer.neuron, name))
        plain = name.replace("_", " ")
        beyond = np.abs(decay - whole) > 0.5
        if beyond.any():
            warnings.append(
                f"{layer.name}: {plain} {float(decay[beyond].reshape(-1)[0]):g} is no part of 4096 "
                f"and became {int(whole[beyond].reshape(-1)[0])}."
            )
        elif name not in ("sin_decay", "cos_decay") and ((whole == 0) & (decay > 0)).any():
            warnings.append(
                f"{layer.name}: {plain} {float(decay[decay > 0].min()):g} (of 4096) rounds to 0, "
                "so that state never decays."
            )
    if values.vth > 0 and layer.neuron.vth_mantissa == 0 and loss.threshold_error_percent:
        warnings.append(
            f"{layer.name}: its threshold {values.vth:g} is so small against its weights that it "
            "rounds to 0. Give the layer more bits."
        )
    return warnings


def _nearest(values: RealArray) -> IntArray:
    return np.rint(values).astype(np.int32)
