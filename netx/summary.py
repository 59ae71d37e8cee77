"""What a network consists of, as data for tables and JSON."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import Shape
from .layers import Layer, SynapticLayer, layer_kind, size_of
from .network import Network
from .shapes import infer_shapes


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSummary:
    """One layer's row in ``lavadeploy inspect``.

    Attributes
    ----------
    name, kind : str
        As in the file.
    shape_in, shape_out : tuple of int
        (N,) or (C, H, W).
    neurons : int
        Zero for layers without neurons.
    weights : int
        Stored weights, zeros included.
    weight_min, weight_max : int or None
        Range, in units of 1/64.
    zero_weights : int
        How many of the weights are zero.
    vth_mantissa : int or None
        Threshold, in units of 1/64.
    current_decay, voltage_decay : tuple of int or None
        Least and largest, of 4096.
    delay_max : int or None
        Longest axonal delay, in steps.
    bias : bool
        Whether the layer has a bias.
    """

    name: str
    kind: str
    shape_in: Shape
    shape_out: Shape
    neurons: int
    weights: int
    weight_min: int | None
    weight_max: int | None
    zero_weights: int
    vth_mantissa: int | None
    current_decay: tuple[int, int] | None
    voltage_decay: tuple[int, int] | None
    delay_max: int | None
    bias: bool


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
    synaptic = isinstance(layer, SynapticLayer)
    weight = layer.weight if synaptic else None
    delay = layer.delay if synaptic else None
    neuron = getattr(layer, "neuron", None)
    return LayerSummary(
        name=layer.name,
        kind=layer_kind(layer).value,
        shape_in=shape_in,
        shape_out=shape_out,
        neurons=0 if neuron is None else size_of(shape_out),
        weights=0 if weight is None else int(weight.size),
        weight_min=None if weight is None else int(weight.min()),
        weight_max=None if weight is None else int(weight.max()),
        zero_weights=0 if weight is None else int(weight.size - np.count_nonzero(weight)),
        vth_mantissa=None if neuron is None else neuron.vth_mantissa,
        current_decay=None
        if neuron is None
        else (int(neuron.current_decay.min()), int(neuron.current_decay.max())),
        voltage_decay=None
        if neuron is None
        else (int(neuron.voltage_decay.min()), int(neuron.voltage_decay.max())),
        delay_max=None if delay is None else int(delay.max()),
        bias=synaptic and layer.bias is not None,
    )
