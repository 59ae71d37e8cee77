"""The types a network passes through on its way to a chip, one for each stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ..hw_profiles import HardwareProfile
from ..netx import (
    ConvLayer,
    DenseLayer,
    InputLayer,
    IntArray,
    LayerShapes,
    Neuron,
    RecurrentLayer,
    Shape,
    fires_at_rest,
    is_readout,
    size_of,
    spread,
    steps_before_input,
)
from .placement import Placement
from .quantization_loss import LayerLoss
from .weight_registers import WeightRegisters

BIAS_EXPONENT = 6  # NetX biases are in weight units; the chip adds them to 64 times finer states
NETWORK_INPUT = -1  # the source that stands for what the user feeds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LegalLayer:
    """A layer of a kind that a chip has.

    Attributes
    ----------
    layer : InputLayer, DenseLayer, RecurrentLayer or ConvLayer
        Named as the user's; input layers have neurons here.
    shapes : LayerShapes
        What really comes in and goes out. A dense layer takes (C, H, W) channel slowest.
    sources : tuple of int
        Indices of the layers whose outputs come in, side by side in this order; `NETWORK_INPUT`.
    """

    layer: InputLayer | DenseLayer | RecurrentLayer | ConvLayer
    shapes: LayerShapes
    sources: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowering:
    """What became of a layer that chips do not have, or not in that form.

    Attributes
    ----------
    layer : str
        Name of the user's layer.
    before, after : str
        What it was and what stands for it, in a few words.
    exact : bool
        Whether every output is the same in every step. If not, it was allowed by the user.
    """

    layer: str
    before: str
    after: str
    exact: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LegalNetwork:
    """Layers that chips have: neurons behind no synapses, dense, recurrent or convolving ones.

    Attributes
    ----------
    input_shape : tuple of int
        (N,) or (C, H, W).
    layers : tuple of LegalLayer
        In forward order.
    lowerings : tuple of Lowering
        In the order of the user's layers.
    """

    input_shape: Shape
    layers: tuple[LegalLayer, ...]
    lowerings: tuple[Lowering, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChipInput:
    """Neurons at the input: each takes one number, scaled and shifted, in place of synapses.

    Attributes
    ----------
    name : str
        Name of the user's layer.
    shape_in, shape_out : tuple of int
        (N,) or (C, H, W), the same.
    sources : tuple of int
        The network's input.
    neuron : Neuron
        Parameters of the neurons, as registers hold them.
    scale, offset : int or None
        What the input is multiplied with and what is added, in units of 1/64; None is 64 and 0.
    delay_shift : bool
        Whether SLAYER returned the output one step late; see `steps_before_input`.
    """

    name: str
    shape_in: Shape
    shape_out: Shape
    sources: tuple[int, ...]
    neuron: Neuron
    scale: int | None
    offset: int | None
    delay_shift: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChipDense:
    """A dense layer in register form.

    Attributes
    ----------
    name : str
        Name of the user's layer.
    shape_in, shape_out : tuple of int
        Shapes as they come and go; (C, H, W) inputs are taken channel slowest.
    sources : tuple of int
        Indices of the layers whose outputs come in side by side; see `LegalLayer`.
    weights : WeightRegisters
        Mantissa of shape (n_out, n_in).
    weights_imag : WeightRegisters or None
        Weights to the imaginary part of complex neurons, of the same shape.
    weights_rec : WeightRegisters or None
        Weights of the layer's own spikes of the step before, of shape (n_out, n_out).
    neuron : Neuron
        Parameters of the neurons, as registers hold them.
    bias, bias_imag : int32 array, shape (n_out,), or None
        Mantissas, in units of 1/64 (exponent `BIAS_EXPONENT`).
    delay : int32 array, shape (n_out,), or None
        Axonal delay of the output, in steps.
    delay_shift : bool
        Whether SLAYER returned the output one step late; see `steps_before_input`.
    """

    name: str
    shape_in: Shape
    shape_out: Shape
    sources: tuple[int, ...]
    weights: WeightRegisters
    weights_imag: WeightRegisters | None
    weights_rec: WeightRegisters | None
    neuron: Neuron
    bias: IntArray | None
    bias_imag: IntArray | None
    delay: IntArray | None
    delay_shift: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChipConv:
    """A convolution in register form; attributes as in `ChipDense`, and its geometry.

    Attributes
    ----------
    bias, bias_imag, delay : int32 array, shape (C_out,), or None
        One a channel.
    stride, padding, dilation : tuple of int
        (height, width) each.
    groups : int
        Number of channel groups.
    """

    name: str
    shape_in: Shape
    shape_out: Shape
    sources: tuple[int, ...]
    weights: WeightRegisters
    weights_imag: WeightRegisters | None
    neuron: Neuron
    bias: IntArray | None
    bias_imag: IntArray | None
    delay: IntArray | None
    delay_shift: bool
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int


ChipLayer: TypeAlias = ChipInput | ChipDense | ChipConv


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChipNetwork:
    """A network in register form.

    Attributes
    ----------
    input_shape : tuple of int
        (N,) or (C, H, W).
    layers : tuple of ChipLayer
        In forward order.
    """

    input_shape: Shape
    layers: tuple[ChipLayer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassRecord:
    """A pass that was run.

    Attributes
    ----------
    name : str
        Of the pass.
    options : mapping of str to str, int, float, bool or None
        Its options, as text where they are no plain value.
    """

    name: str
    options: Mapping[str, str | int | float | bool | None]


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
    passes : tuple of PassRecord
        In order.
    warnings : tuple of str
        What the user should know, one sentence each.
    lowerings : tuple of Lowering
        What became of layers that chips do not have.
    losses : tuple of LayerLoss
        What quantization lost, one for each layer with weights; empty for files of whole numbers,
        where nothing is lost.
    calibration_sha256 : str
        Hash of the samples that quantization was calibrated on, or whose spikes cores were placed
        by; empty without.
    created : str
        When it was compiled, in ISO 8601; empty where the caller wants the same bytes each time.
    """

    network: ChipNetwork
    placement: Placement
    profile: HardwareProfile
    source_sha256: str
    passes: tuple[PassRecord, ...]
    warnings: tuple[str, ...]
    lowerings: tuple[Lowering, ...] = ()
    losses: tuple[LayerLoss, ...] = ()
    calibration_sha256: str = ""
    created: str = ""


def neuron_of(legal: LegalLayer) -> Neuron:
    """Return the neuron of a legal layer; input layers without neurons are none."""
    assert legal.layer.neuron is not None
    return legal.layer.neuron


def legal_weights(legal: LegalLayer) -> list[IntArray]:
    """Return the weight matrices of a legal layer: none for neurons at the input."""
    layer = legal.layer
    if isinstance(layer, InputLayer):
        return []
    rest = (layer.weight_imag, layer.weight_rec if isinstance(layer, RecurrentLayer) else None)
    return [layer.weight, *(weight for weight in rest if weight is not None)]


def weight_sets(layer: ChipLayer) -> Iterator[tuple[str, WeightRegisters]]:
    """Yield the weights of a layer with their names: 'weight', 'weight_imag', 'weight_rec'."""
    if isinstance(layer, ChipInput):
        return
    yield "weight", layer.weights
    if layer.weights_imag is not None:
        yield "weight_imag", layer.weights_imag
    if isinstance(layer, ChipDense) and layer.weights_rec is not None:
        yield "weight_rec", layer.weights_rec


def has_bias(layer: ChipLayer) -> bool:
    """Tell whether something other than spikes drives the neurons of a layer."""
    if isinstance(layer, ChipInput):
        return bool(layer.offset)
    return any(bias is not None and bool(bias.any()) for bias in (layer.bias, layer.bias_imag))


def bias_leads(network: ChipNetwork) -> tuple[int, ...]:
    """Return, for each layer, how many steps it runs before the first input can reach it.

    See `steps_before_input`; 0 for networks where nothing happens in those steps: without biases,
    and without neurons that fire at rest.
    """
    if not any(has_bias(layer) or fires_at_rest(layer.neuron) for layer in network.layers):
        return (0,) * len(network.layers)
    return steps_before_input(layer.delay_shift for layer in network.layers)


def synaptic_layers(network: ChipNetwork) -> tuple[ChipDense | ChipConv, ...]:
    """Return the layers that have weights, in forward order."""
    return tuple(layer for layer in network.layers if not isinstance(layer, ChipInput))


def has_readout(network: ChipNetwork) -> bool:
    """Tell whether the last layer never fires, so that its voltage is the answer."""
    return is_readout(network.layers[-1].neuron)


def neuron_count(layer: ChipLayer) -> int:
    """Return the number of neurons of a layer."""
    return size_of(layer.shape_out)


def input_count(layer: ChipLayer) -> int:
    """Return how many neurons come into a layer, from all its sources."""
    return size_of(layer.shape_in)


def per_neuron(values: IntArray, layer: ChipLayer) -> IntArray:
    """Spread a value, or one a channel, over the neurons of a layer.

    Parameters
    ----------
    values : int32 array, shape () or (C,)
        One value, or one a channel (convolution) or neuron (dense).
    layer : ChipLayer
        The layer.

    Returns
    -------
    int32 array, shape (neurons,)
        Channel slowest.
    """
    return spread(values, neuron_count(layer))
