"""The types a network passes through on its way to a chip, one for each stage."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..hw_profiles import HardwareProfile
from ..netx import (
    ConvLayer,
    CubaNeuron,
    DenseLayer,
    IntArray,
    LayerShapes,
    Shape,
    is_shifted,
    size_of,
    spread,
    steps_before_input,
)

BIAS_EXPONENT = 6  # NetX biases are in weight units; the chip adds them to 64 times finer states


class SignMode(str, Enum):
    """How the bits of a weight mantissa are read."""

    MIXED = "mixed"
    EXCITATORY = "excitatory"
    INHIBITORY = "inhibitory"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LegalNetwork:
    """A chain of layers that the chip has: dense and convolution, with CUBA neurons.

    Attributes
    ----------
    input_shape : tuple of int
        (N,) or (C, H, W).
    layers : tuple of DenseLayer or ConvLayer
        In forward order. A dense layer after a convolution takes its (C, H, W) output channel
        slowest, as ``torch.flatten`` orders it.
    shapes : tuple of LayerShapes
        One for each layer.
    """

    input_shape: Shape
    layers: tuple[DenseLayer | ConvLayer, ...]
    shapes: tuple[LayerShapes, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeightRegisters:
    """Weights as the synapse memory holds them.

    Attributes
    ----------
    mantissa : int16 array, shape of the layer's weight
        In [-256, 255]; a multiple of the step that `bits` and `sign_mode` leave.
    exponent : int
        A weight is ``mantissa * 2**exponent`` in units of 1/64.
    bits : int
        Width of a stored weight, sign included.
    sign_mode : SignMode
        Whether a sign is stored.
    """

    mantissa: NDArray[np.int16]
    exponent: int
    bits: int
    sign_mode: SignMode

    def effective(self) -> IntArray:
        """Return ``mantissa * 2**exponent``, whole numbers by construction."""
        wide = self.mantissa.astype(np.int32)
        shifted = wide << self.exponent if self.exponent >= 0 else wide >> -self.exponent
        return shifted.astype(np.int32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NeuronRegisters:
    """Neuron parameters as the core holds them.

    Attributes
    ----------
    vth_mantissa : int
        Threshold; compared with the voltage after a shift by 6.
    current_decay, voltage_decay : int32 array, shape () or (C,)
        Of 4096; one value, or one a channel.
    bias_mantissa : int32 array, shape (C,), or None
        Added to the voltage in each step after a shift by `bias_exponent`.
    bias_exponent : int
        Shift of the bias.
    """

    vth_mantissa: int
    current_decay: IntArray
    voltage_decay: IntArray
    bias_mantissa: IntArray | None
    bias_exponent: int = BIAS_EXPONENT


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChipDense:
    """A dense layer in register form.

    Attributes
    ----------
    name : str
        Name of the user's layer.
    shape_in, shape_out : tuple of int
        Shapes as they come and go; (C, H, W) inputs are taken channel slowest.
    weights : WeightRegisters
        Mantissa of shape (n_out, n_in).
    neuron : NeuronRegisters
        Parameters of the neurons.
    delay : int32 array, shape (n_out,), or None
        Axonal delay of the output, in steps.
    delay_shift : bool
        Whether SLAYER returned the output one step late; see `steps_before_input`.
    """

    name: str
    shape_in: Shape
    shape_out: Shape
    weights: WeightRegisters
    neuron: NeuronRegisters
    delay: IntArray | None
    delay_shift: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChipConv:
    """A convolution in register form; attributes as in `ChipDense`, and its geometry.

    Attributes
    ----------
    stride, padding, dilation : tuple of int
        (height, width) each.
    groups : int
        Number of channel groups.
    delay : int32 array, shape (C_out,), or None
        Axonal delay of each channel's output, in steps.
    """

    name: str
    shape_in: Shape
    shape_out: Shape
    weights: WeightRegisters
    neuron: NeuronRegisters
    delay: IntArray | None
    delay_shift: bool
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int


ChipLayer: TypeAlias = ChipDense | ChipConv


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChipNetwork:
    """A network in register form.

    Attributes
    ----------
    input_shape : tuple of int
        (N,) or (C, H, W).
    layers : tuple of ChipDense or ChipConv
        In forward order.
    """

    input_shape: Shape
    layers: tuple[ChipLayer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How much of a core's resource is taken; available is None where there is no limit."""

    resource: str
    used: int
    available: int | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Core:
    """A neurocore and the neurons on it.

    Attributes
    ----------
    index : int
        Number of the core on the chip.
    layer : str
        Name of the layer whose neurons it holds.
    neurons : int32 array, shape (n,)
        Their numbers in the layer, channel slowest, ascending.
    usage : tuple of Usage
        One entry for each resource.
    """

    index: int
    layer: str
    neurons: IntArray
    usage: tuple[Usage, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placement:
    """Which neurons sit on which core; every neuron on exactly one."""

    cores: tuple[Core, ...]

    def cores_of(self, layer: str) -> tuple[Core, ...]:
        """Return the cores of one layer, in order of their neurons."""
        return tuple(c for c in self.cores if c.layer == layer)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompiledNetwork:
    """What a backend runs and an artifact stores.

    Attributes
    ----------
    network : ChipNetwork
        The registers.
    placement : Placement
        The cores.
    profile : HardwareProfile
        The chip it was compiled for.
    source_sha256 : str
        Hash of the NetX file; empty when the network was made in memory.
    passes : tuple of str
        Names of the passes, in order.
    warnings : tuple of str
        What the user should know, one sentence each.
    """

    network: ChipNetwork
    placement: Placement
    profile: HardwareProfile
    source_sha256: str
    passes: tuple[str, ...]
    warnings: tuple[str, ...]


def chip_layer(
    name: str, layer: DenseLayer | ConvLayer, shapes: LayerShapes, weights: WeightRegisters
) -> ChipLayer:
    """Return a layer in register form.

    Parameters
    ----------
    name : str
        Name of the user's layer.
    layer : DenseLayer or ConvLayer
        Gives geometry, neuron parameters, bias and delays.
    shapes : LayerShapes
        What really comes in and goes out.
    weights : WeightRegisters
        The layer's weights in register form.
    """
    cuba = cuba_neuron(layer)
    neuron = NeuronRegisters(
        vth_mantissa=cuba.vth_mantissa,
        current_decay=cuba.current_decay,
        voltage_decay=cuba.voltage_decay,
        bias_mantissa=layer.bias,
    )
    if isinstance(layer, DenseLayer):
        return ChipDense(
            name=name,
            shape_in=shapes.shape_in,
            shape_out=shapes.shape_out,
            weights=weights,
            neuron=neuron,
            delay=layer.delay,
            delay_shift=is_shifted(layer),
        )
    return ChipConv(
        name=name,
        shape_in=shapes.shape_in,
        shape_out=shapes.shape_out,
        weights=weights,
        neuron=neuron,
        delay=layer.delay,
        delay_shift=is_shifted(layer),
        stride=layer.stride,
        padding=layer.padding,
        dilation=layer.dilation,
        groups=layer.groups,
    )


def cuba_neuron(layer: DenseLayer | ConvLayer) -> CubaNeuron:
    """Return the neuron of a legal layer; `Legalize` lets CUBA neurons pass only."""
    if not isinstance(layer.neuron, CubaNeuron):
        raise TypeError(f"{layer.name}: {layer.neuron.kind.value} neurons are not legal")
    return layer.neuron


def bias_leads(network: ChipNetwork) -> tuple[int, ...]:
    """Return, for each layer, how many steps it runs before the first input can reach it.

    See `steps_before_input`; 0 for networks without biases, where nothing happens in those steps.
    """
    if all(layer.neuron.bias_mantissa is None for layer in network.layers):
        return (0,) * len(network.layers)
    return steps_before_input(layer.delay_shift for layer in network.layers)


def neuron_count(layer: ChipLayer) -> int:
    """Return the number of neurons of a layer."""
    return size_of(layer.shape_out)


def per_neuron(values: IntArray, layer: ChipLayer) -> IntArray:
    """Spread a value, or one a channel, over the neurons of a layer.

    Parameters
    ----------
    values : int32 array, shape () or (C,)
        One value, or one a channel (convolution) or neuron (dense).
    layer : ChipDense or ChipConv
        The layer.

    Returns
    -------
    int32 array, shape (neurons,)
        Channel slowest.
    """
    return spread(values, neuron_count(layer))
