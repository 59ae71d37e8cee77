"""Reading one layer of a NetX file."""

from __future__ import annotations

from typing import Any

from . import hdf5_schema as schema
from .arrays import IntArray, Shape
from .errors import MAX_POOLING_REMEDY, suggest
from .fields import LayerFields
from .layers import (
    AverageLayer,
    ConcatLayer,
    ConvLayer,
    ConvTransposeLayer,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    Layer,
    LayerKind,
    PoolLayer,
    RecurrentLayer,
    UnpoolLayer,
    size_of,
)
from .neuron_reader import default_neuron, read_neuron
from .neurons import Neuron, is_complex


def read_layer(fields: LayerFields, index: int, warnings: list[str]) -> Layer:
    """Read a layer.

    Parameters
    ----------
    fields : LayerFields
        Its datasets.
    index : int
        Its number.
    warnings : list of str
        Where to put what the user should know.

    Raises
    ------
    NetxFormatError
        When the layer is of no known kind, or its fields are missing or contradict each other.
    """
    text = fields.text(schema.TYPE)
    kinds = [k.value for k in LayerKind]
    if _is_max_pooling(text):
        raise fields.error(
            f"layer kind '{text}' is max pooling, which neither NetX nor the chips have: what "
            f"comes in is summed. {MAX_POOLING_REMEDY}"
        )
    if text not in kinds:
        raise fields.error(f"unknown layer kind '{text}'; {suggest(text, kinds)}.")
    match LayerKind(text):
        case LayerKind.INPUT:
            return _read_input(fields, warnings)
        case LayerKind.DENSE | LayerKind.RECURRENT:
            return _read_dense(fields, warnings, recurrent=text == LayerKind.RECURRENT.value)
        case LayerKind.CONV:
            return _read_conv(fields, warnings)
        case LayerKind.CONV_TRANSPOSE:
            return _read_conv_transpose(fields, warnings)
        case LayerKind.POOL:
            return _read_pool(fields, warnings, PoolLayer)
        case LayerKind.UNPOOL:
            return _read_pool(fields, warnings, UnpoolLayer)
        case LayerKind.FLATTEN:
            return FlattenLayer(name=fields.name, shape=fields.shape())
        case LayerKind.AVERAGE:
            return AverageLayer(name=fields.name, shape=fields.shape())
        case LayerKind.CONCAT:
            return _read_concat(fields, index)


def _is_max_pooling(text: str) -> bool:
    """Tell whether a layer kind is any spelling of max pooling: 'maxpool', 'MaxPool2d', ..."""
    return "maxpool" in "".join(letter for letter in text.lower() if letter.isalpha())


def _read_input(fields: LayerFields, warnings: list[str]) -> InputLayer:
    shape = fields.shape()
    return InputLayer(
        name=fields.name,
        shape=shape,
        weight=fields.optional_integer(schema.WEIGHT),
        bias=fields.optional_integer(schema.BIAS),
        neuron=read_neuron(fields, shape[0], warnings) if fields.has_neuron() else None,
        delay_shift=fields.optional_flag(schema.DELAY_SHIFT),
    )


def _read_dense(
    fields: LayerFields, warnings: list[str], *, recurrent: bool
) -> DenseLayer | RecurrentLayer:
    shape = fields.shape()
    n_out = size_of(shape)
    if fields.has_neuron():
        neuron = read_neuron(fields, n_out, warnings)
    else:
        neuron = default_neuron(fields, warnings)
    weight, weight_imag = (
        None if w is None else _matrix(fields, "weight", w, n_out) for w in _weights(fields, neuron)
    )
    assert weight is not None
    fields.check_stated(schema.IN_FEATURES, (weight.shape[1],), "the weights")
    fields.check_stated(schema.OUT_FEATURES, (n_out,), "the weights")
    common = _common(fields, shape, n_out, neuron, weight, weight_imag)
    if not recurrent:
        return DenseLayer(**common)
    if is_complex(neuron):
        raise fields.error(
            f"a recurrent layer of {neuron.kind.value} neurons is not known to NetX."
        )
    weight_rec = _matrix(fields, schema.WEIGHT_REC, fields.integers(schema.WEIGHT_REC), n_out)
    if weight_rec.shape != (n_out, n_out):
        raise fields.error(f"weight_rec has shape {weight_rec.shape}; ({n_out}, {n_out}) expected.")
    return RecurrentLayer(weight_rec=weight_rec, **common)


def _read_conv(fields: LayerFields, warnings: list[str]) -> ConvLayer:
    shape = fields.image_shape("conv")
    neuron = read_neuron(fields, shape[0], warnings)
    weight, weight_imag = _kernels(fields, neuron)
    groups = _groups(fields)
    if weight.shape[0] != shape[0] or shape[0] % groups:
        raise fields.error(
            f"weight has shape {weight.shape}; (C_out, C_in / groups, height, width) with "
            f"C_out = {shape[0]} and {groups} groups was expected."
        )
    _check_channels(fields, weight.shape[1] * groups, shape[0], weight)
    common = _common(fields, shape, shape[0], neuron, weight, weight_imag)
    return ConvLayer(groups=groups, **_geometry(fields, (1, 1)), **common)


def _read_conv_transpose(fields: LayerFields, warnings: list[str]) -> ConvTransposeLayer:
    shape = fields.image_shape("convT")
    neuron = read_neuron(fields, shape[0], warnings)
    weight, weight_imag = _kernels(fields, neuron)
    groups = _groups(fields)
    if weight.shape[1] * groups != shape[0] or weight.shape[0] % groups:
        raise fields.error(
            f"weight has shape {weight.shape}; (C_in, C_out / groups, height, width) with "
            f"C_out = {shape[0]} and {groups} groups was expected."
        )
    _check_channels(fields, weight.shape[0], shape[0], weight)
    common = _common(fields, shape, shape[0], neuron, weight, weight_imag)
    return ConvTransposeLayer(groups=groups, **_geometry(fields, (1, 1)), **common)


def _read_pool(
    fields: LayerFields, warnings: list[str], layer: type[PoolLayer | UnpoolLayer]
) -> PoolLayer | UnpoolLayer:
    shape = fields.image_shape("pooling")
    neuron = read_neuron(fields, shape[0], warnings)
    weight, weight_imag = _kernels(fields, neuron)
    if weight.shape[:2] != (1, 1):
        raise fields.error(f"weight has shape {weight.shape}; (1, 1, height, width) was expected.")
    kernel_size = (weight.shape[2], weight.shape[3])
    fields.check_stated(schema.KERNEL_SIZE, kernel_size, "the weights")
    common = _common(fields, shape, shape[0], neuron, weight, weight_imag)
    return layer(**_geometry(fields, kernel_size), **common)


def _common(
    fields: LayerFields,
    shape: Shape,
    channels: int,
    neuron: Neuron,
    weight: IntArray,
    weight_imag: IntArray | None,
) -> dict[str, Any]:
    """Return the fields of `SynapticLayer`."""
    return {
        "name": fields.name,
        "shape": shape,
        "weight": weight,
        "weight_imag": weight_imag,
        "neuron": neuron,
        "bias": fields.per_channel(schema.BIAS, channels),
        "bias_imag": fields.per_channel(schema.BIAS_IMAG, channels) if is_complex(neuron) else None,
        "delay": _delay(fields, channels),
        "delay_shift": fields.optional_flag(schema.DELAY_SHIFT),
    }


def _delay(fields: LayerFields, channels: int) -> IntArray | None:
    delay = fields.per_channel(schema.DELAY, channels)
    if delay is not None:
        least = float(fields.reals.get(schema.DELAY, delay).min())
        if least < 0:
            raise fields.error(f"{schema.DELAY} is {least:g}; no spike leaves before it is made.")
    return delay


def _geometry(fields: LayerFields, stride: tuple[int, int]) -> dict[str, Any]:
    """Return the fields of `KernelLayer`, with a stride for files that state none."""
    return {
        "stride": fields.pair(schema.STRIDE, stride, 1),
        "padding": fields.pair(schema.PADDING, (0, 0), 0),
        "dilation": fields.pair(schema.DILATION, (1, 1), 1),
    }


def _read_concat(fields: LayerFields, index: int) -> ConcatLayer:
    if not fields.has(schema.SOURCES):
        raise fields.error(
            f"layer kind 'concat' does not say which layers it joins: field '{schema.SOURCES}' "
            "(their numbers) is missing. No version of lava-dl writes or reads this kind."
        )
    sources = tuple(int(n) for n in fields.integers(schema.SOURCES).reshape(-1))
    if not sources or not all(0 <= n < index for n in sources):
        raise fields.error(f"{schema.SOURCES} is {sources}; numbers of earlier layers expected.")
    return ConcatLayer(name=fields.name, shape=fields.shape(), sources=sources)


def _weights(fields: LayerFields, neuron: Neuron) -> tuple[IntArray, IntArray | None]:
    """Return weights, and those to the imaginary part for neurons that have one."""
    if not is_complex(neuron):
        if fields.has_group("weight"):
            raise fields.error(
                f"has complex weights, but its neurons are {neuron.kind.value}, which are real."
            )
        return fields.integers(schema.WEIGHT), None
    real, imag = fields.integers(schema.WEIGHT_REAL), fields.integers(schema.WEIGHT_IMAG)
    if real.shape != imag.shape:
        raise fields.error(f"weight/real has shape {real.shape}, weight/imag {imag.shape}.")
    return real, imag


def _matrix(fields: LayerFields, name: str, weight: IntArray, n_out: int) -> IntArray:
    if weight.ndim == 1 and weight.size % n_out == 0:
        weight = weight.reshape(n_out, -1)
    if weight.ndim != 2 or weight.shape[0] != n_out or weight.shape[1] == 0:
        raise fields.error(
            f"{name} has shape {weight.shape}; (neurons, inputs) = ({n_out}, inputs) was expected."
        )
    return weight


def _kernels(fields: LayerFields, neuron: Neuron) -> tuple[IntArray, IntArray | None]:
    weight, weight_imag = _weights(fields, neuron)
    if weight.ndim == 5 and weight.shape[4] == 1:  # lava-dl 0.2 kept torch's time axis
        weight = weight[..., 0]
        weight_imag = None if weight_imag is None else weight_imag[..., 0]
    if weight.ndim != 4 or weight.size == 0:
        raise fields.error(f"weight has shape {weight.shape}; a kernel has four dimensions.")
    return weight, weight_imag


def _groups(fields: LayerFields) -> int:
    groups = fields.optional_integer(schema.GROUPS)
    if groups is not None and groups < 1:
        raise fields.error(f"groups is {groups}; at least 1 was expected.")
    return 1 if groups is None else groups


def _check_channels(fields: LayerFields, c_in: int, c_out: int, weight: IntArray) -> None:
    fields.check_stated(schema.IN_CHANNELS, (c_in,), "weights and groups")
    fields.check_stated(schema.OUT_CHANNELS, (c_out,), "weights and groups")
    fields.check_stated(schema.KERNEL_SIZE, (weight.shape[2], weight.shape[3]), "the weights")
