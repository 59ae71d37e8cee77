"""What a network consists of, as data for tables and JSON."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import IntArray, Shape
from .layers import (
    ConcatLayer,
    ConvLayer,
    ConvTransposeLayer,
    InputLayer,
    KernelLayer,
    Layer,
    RecurrentLayer,
    SynapticLayer,
    layer_kind,
    size_of,
)
from .network import Network
from .neuron_summary import NeuronSummary, summarize_neuron
from .shapes import infer_shapes
from .weight_bits import used_bits


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSummary:
    """One layer in ``lavadeploy inspect``. What a kind of layer does not have is None.

    Attributes
    ----------
    name, kind : str
        As in the file.
    shape_in, shape_out : tuple of int
        (N,) or (C, H, W). What comes into a concat layer are the outputs of its `sources`; its
        `shape_in` is that of the layer before.
    sources : tuple of int or None
        Indices of the layers that a concat layer joins.
    kernel, stride, padding, dilation : (int, int) or None
        (height, width) each.
    groups : int or None
        Of convolutions.
    neurons : int
        Zero for layers without neurons.
    weights : int
        Stored weights, zeros included: real and imaginary, recurrent too, and the one by which an
        input layer scales its input.
    weight_min, weight_max : int or None
        Range over all of them, in units of 1/64.
    used_bits : int or None
        Bits that hold them exactly, see `used_bits`; the most that one of the layer's sets (real,
        imaginary, recurrent) needs, since each has an exponent and a sign mode of its own.
    zero_weights : int
        How many of the weights are zero.
    sparsity : float or None
        ``zero_weights / weights``.
    bias_min, bias_max : int or None
        Range, in units of 1/64, imaginary biases included.
    delay_min, delay_max : int or None
        Shortest and longest axonal delay, in steps.
    delay_shift : bool or None
        As the file states it: whether SLAYER returned the output one step late.
    neuron : NeuronSummary or None
        None for layers without neurons.
    """

    name: str
    kind: str
    shape_in: Shape
    shape_out: Shape
    sources: tuple[int, ...] | None
    kernel: tuple[int, int] | None
    stride: tuple[int, int] | None
    padding: tuple[int, int] | None
    dilation: tuple[int, int] | None
    groups: int | None
    neurons: int
    weights: int
    weight_min: int | None
    weight_max: int | None
    used_bits: int | None
    zero_weights: int
    sparsity: float | None
    bias_min: int | None
    bias_max: int | None
    delay_min: int | None
    delay_max: int | None
    delay_shift: bool | None
    neuron: NeuronSummary | None


def summarize_network(network: Network, input_shape: Shape | None = None) -> list[LayerSummary]:
    """Describe every layer of a network.

    Parameters
    ----------
    network : Network
        What to describe.
    input_shape : tuple of int, optional
        See `infer_shapes`.

    Returns
    -------
    list of LayerSummary
        In forward order.

    Raises
    ------
    NetxFormatError
        When the layers do not fit each other.
    """
    shapes = infer_shapes(network, input_shape)
    return [
        _summarize(layer, shape.shape_in, shape.shape_out)
        for layer, shape in zip(network.layers, shapes, strict=True)
    ]


def _summarize(layer: Layer, shape_in: Shape, shape_out: Shape) -> LayerSummary:
    is_kernel = isinstance(layer, KernelLayer)
    neuron = layer.neuron if isinstance(layer, InputLayer | SynapticLayer) else None
    sets = _weight_sets(layer)
    weights = sum(weight.size for weight in sets)
    zeros = weights - sum(int(np.count_nonzero(weight)) for weight in sets)
    weight_min, weight_max = _range(sets)
    bias_min, bias_max = _range(_biases(layer))
    delay = layer.delay if isinstance(layer, SynapticLayer) else None
    delay_min, delay_max = _range([] if delay is None else [delay])
    return LayerSummary(
        name=layer.name,
        kind=layer_kind(layer).value,
        shape_in=shape_in,
        shape_out=shape_out,
        sources=layer.sources if isinstance(layer, ConcatLayer) else None,
        kernel=layer.kernel_size if is_kernel else None,
        stride=layer.stride if is_kernel else None,
        padding=layer.padding if is_kernel else None,
        dilation=layer.dilation if is_kernel else None,
        groups=layer.groups if isinstance(layer, ConvLayer | ConvTransposeLayer) else None,
        neurons=0 if neuron is None else size_of(shape_out),
        weights=weights,
        weight_min=weight_min,
        weight_max=weight_max,
        used_bits=max(used_bits(weight) for weight in sets) if sets else None,
        zero_weights=zeros,
        sparsity=zeros / weights if weights else None,
        bias_min=bias_min,
        bias_max=bias_max,
        delay_min=delay_min,
        delay_max=delay_max,
        delay_shift=layer.delay_shift if isinstance(layer, InputLayer | SynapticLayer) else None,
        neuron=None if neuron is None else summarize_neuron(neuron),
    )


def _weight_sets(layer: Layer) -> list[IntArray]:
    """Return the sets of weights that a layer has."""
    if isinstance(layer, InputLayer):
        return [] if layer.weight is None else [np.array([layer.weight], dtype=np.int32)]
    if not isinstance(layer, SynapticLayer):
        return []
    recurrent = layer.weight_rec if isinstance(layer, RecurrentLayer) else None
    sets = (layer.weight, layer.weight_imag, recurrent)
    return [weight for weight in sets if weight is not None]


def _biases(layer: Layer) -> list[IntArray]:
    if isinstance(layer, InputLayer):
        return [] if layer.bias is None else [np.array([layer.bias], dtype=np.int32)]
    if not isinstance(layer, SynapticLayer):
        return []
    return [bias for bias in (layer.bias, layer.bias_imag) if bias is not None]


def _range(arrays: list[IntArray]) -> tuple[int, int] | tuple[None, None]:
    """Return the least and the largest element."""
    if not arrays:
        return None, None
    return min(int(a.min()) for a in arrays), max(int(a.max()) for a in arrays)
