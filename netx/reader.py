"""Reading NetX HDF5 files into a `Network`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import hdf5_schema as schema
from .errors import NetxFormatError, suggest
from .hdf5_store import RawArray, RawValue, StoredTree, read_tree
from .network import (
    INT32,
    ConvLayer,
    CubaNeuron,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    IntArray,
    Layer,
    LayerKind,
    Network,
    NeuronKind,
    Shape,
    Source,
    layer_kind,
    size_of,
)

LAYERS_NOT_READ_YET = ("average", "concat", "convT", "dense_rec", "pool", "unpool")


def read_netx(path: str | Path) -> Network:
    """Read a NetX file as SLAYER, lava-dl or lavadeploy wrote it.

    Parameters
    ----------
    path : str or Path
        The HDF5 file; a compiled artifact is one too.

    Returns
    -------
    Network
        Layers in forward order, numbers as stored, and a warning for each dataset not understood.

    Raises
    ------
    NetxFormatError
        When the file cannot be read, has no layers, lacks a field, holds a number that is not
        whole where an integer belongs, or a layer or neuron kind that is not supported.

    Notes
    -----
    Accepts what is found in the wild: strings as scalars or arrays of one, bytes or text; shapes of
    one or three elements; dense weights of one dimension; convolution weights of five (the last
    of size 1); the neuron spelling ``LOIHI``.
    """
    return network_from_tree(read_tree(Path(path)))


def network_from_tree(tree: StoredTree) -> Network:
    """Read the layers of an HDF5 file that is already in memory; see `read_netx`."""
    names = _layer_indices(tree)
    warnings: list[str] = []
    layers: list[Layer] = []
    unread: dict[str, list[str]] = {}
    for index in names:
        fields = _Fields(tree=tree, index=index)
        layers.append(_read_layer(fields, warnings))
        left = ", ".join(sorted(fields.names() - schema.FIELDS[layer_kind(layers[-1])]))
        if left:
            unread.setdefault(left, []).append(fields.name)
    warnings += [f"{', '.join(where)}: not read: {left}." for left, where in unread.items()]
    return Network(
        layers=tuple(layers),
        source=Source(path=tree.path, sha256=tree.sha256),
        warnings=tuple(warnings),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fields:
    """The datasets of one layer, with errors that name file, layer and field."""

    tree: StoredTree
    index: int

    @property
    def name(self) -> str:
        return f"layer{self.index}"

    def names(self) -> frozenset[str]:
        prefix = f"layer/{self.index}/"
        return frozenset(n[len(prefix) :] for n in self.tree.values if n.startswith(prefix))

    def error(self, text: str) -> NetxFormatError:
        return NetxFormatError(f"'{self.tree.path}', {self.name}: {text}")

    def get(self, field: str) -> RawValue | None:
        return self.tree.values.get(f"layer/{self.index}/{field}")

    def text(self, field: str) -> str:
        value = self.get(field)
        if not isinstance(value, str):
            raise self.error(f"field '{field}' is missing or not a string.")
        return value

    def integers(self, field: str) -> NDArray[np.int32]:
        """Return a field as whole numbers, or say which element is none."""
        value = self.get(field)
        if value is None or isinstance(value, str):
            raise self.error(f"field '{field}' is missing or not a number.")
        bad = _first_bad(value)
        if bad is not None:
            where, number = bad
            raise self.error(
                f"{field} is {number} at {where}; NetX stores whole numbers (in units of 1/64) "
                f"between {INT32.min} and {INT32.max}. Export the quantized values, as "
                "export_slayer does."
            )
        return value.astype(np.int32)

    def integer(self, field: str) -> int:
        """Return a field of one whole number."""
        array = self.integers(field)
        if array.size != 1:
            raise self.error(f"{field} has {array.size} values; 1 was expected.")
        return int(array.reshape(-1)[0])

    def has_neuron(self) -> bool:
        return any(name.startswith("neuron/") for name in self.names())

    def optional_integer(self, field: str) -> int | None:
        return None if self.get(field) is None else self.integer(field)

    def pair(self, field: str) -> tuple[int, int]:
        """Return a (height, width) field; a single number stands for both."""
        array = self.integers(field).reshape(-1)
        if array.size not in (1, 2):
            raise self.error(f"{field} has {array.size} values; (height, width) was expected.")
        return (int(array[0]), int(array[-1]))

    def shape(self) -> Shape:
        array = self.integers(schema.SHAPE).reshape(-1)
        shape = tuple(int(n) for n in array)
        if not shape or any(n < 1 for n in shape):
            raise self.error(f"shape is {shape}; positive sizes were expected.")
        return shape


def _layer_indices(tree: StoredTree) -> list[int]:
    if "layer" not in tree.groups:
        raise NetxFormatError(
            f"'{tree.path}': has no group 'layer', so it is not a NetX file "
            f"(found: {', '.join(sorted(tree.groups | set(tree.values))[:5]) or 'nothing'})."
        )
    names = [g[len("layer/") :] for g in tree.groups if g.startswith("layer/")]
    names = [n for n in names if "/" not in n]
    if not names:
        raise NetxFormatError(f"'{tree.path}': group 'layer' is empty; the network has no layers.")
    wrong = sorted(n for n in names if not n.isdecimal())
    if wrong:
        raise NetxFormatError(f"'{tree.path}': layer '{wrong[0]}' is not numbered.")
    # h5py orders names as text, '10' before '2'; the forward order is that of the numbers
    indices = sorted(int(n) for n in names)
    if indices != list(range(len(indices))):
        raise NetxFormatError(f"'{tree.path}': layers are numbered {indices}; one is missing.")
    return indices


def _read_layer(fields: _Fields, warnings: list[str]) -> Layer:
    text = fields.text(schema.TYPE)
    if text in LAYERS_NOT_READ_YET:
        raise fields.error(
            f"layer kind '{text}' cannot be read by this version. "
            f"It reads {', '.join(k.value for k in LayerKind)}."
        )
    if text not in {k.value for k in LayerKind}:
        raise fields.error(
            f"unknown layer kind '{text}'; {suggest(text, [k.value for k in LayerKind])}."
        )
    kind = LayerKind(text)
    if any(n.startswith("weight/") for n in fields.names()):
        raise fields.error(
            "complex weights (weight/real, weight/imag) cannot be read by this version."
        )
    match kind:
        case LayerKind.INPUT:
            return _read_input(fields)
        case LayerKind.DENSE:
            return _read_dense(fields, warnings)
        case LayerKind.CONV:
            return _read_conv(fields)
        case LayerKind.FLATTEN:
            return FlattenLayer(name=fields.name, shape=fields.shape())


def _read_input(fields: _Fields) -> InputLayer:
    return InputLayer(
        name=fields.name,
        shape=fields.shape(),
        weight=fields.optional_integer(schema.WEIGHT),
        bias=fields.optional_integer(schema.BIAS),
        neuron=_read_neuron(fields) if fields.has_neuron() else None,
    )


def _read_dense(fields: _Fields, warnings: list[str]) -> DenseLayer:
    shape = fields.shape()
    n_out = size_of(shape)
    weight = fields.integers(schema.WEIGHT)
    if weight.ndim == 1 and weight.size % n_out == 0:
        weight = weight.reshape(n_out, -1)
    if weight.ndim != 2 or weight.shape[0] != n_out or weight.shape[1] == 0:
        raise fields.error(
            f"weight has shape {weight.shape}; (neurons, inputs) = ({n_out}, inputs) was expected."
        )
    if not fields.has_neuron():
        warnings.append(
            f"{fields.name}: no neuron group; read as lava-dl does, an integrator (iDecay 0, "
            f"vDecay 4096) with threshold {schema.DEFAULT_VTH_MANTISSA}, which never fires."
        )
        neuron = CubaNeuron(
            kind=NeuronKind.CUBA,
            vth_mantissa=schema.DEFAULT_VTH_MANTISSA,
            current_decay=np.array(0, dtype=np.int32),
            voltage_decay=np.array(4096, dtype=np.int32),
        )
    else:
        neuron = _read_neuron(fields)
    _check_decay_size(fields, neuron, n_out)
    return DenseLayer(
        name=fields.name,
        shape=shape,
        weight=weight,
        neuron=neuron,
        bias=_per_channel(fields, schema.BIAS, n_out),
        delay=_per_channel(fields, schema.DELAY, n_out),
    )


def _read_conv(fields: _Fields) -> ConvLayer:
    shape = fields.shape()
    if len(shape) != 3:
        raise fields.error(f"shape is {shape}; a convolution's is (C, H, W).")
    weight = fields.integers(schema.WEIGHT)
    if weight.ndim == 5 and weight.shape[4] == 1:  # lava-dl 0.2 kept torch's time axis
        weight = weight[..., 0]
    if weight.ndim != 4 or weight.shape[0] != shape[0] or weight.size == 0:
        raise fields.error(
            f"weight has shape {weight.shape}; (C_out, C_in / groups, height, width) with "
            f"C_out = {shape[0]} was expected."
        )
    neuron = _read_neuron(fields)
    _check_decay_size(fields, neuron, shape[0])
    groups = fields.optional_integer(schema.GROUPS)
    return ConvLayer(
        name=fields.name,
        shape=shape,
        weight=weight,
        stride=_positive(fields, schema.STRIDE, 1),
        padding=_positive(fields, schema.PADDING, 0),
        dilation=_positive(fields, schema.DILATION, 1),
        groups=1 if groups is None else groups,
        neuron=neuron,
        bias=_per_channel(fields, schema.BIAS, shape[0]),
        delay=_per_channel(fields, schema.DELAY, shape[0]),
    )


def _read_neuron(fields: _Fields) -> CubaNeuron:
    text = fields.text(schema.NEURON_TYPE)
    if text not in {k.value for k in NeuronKind}:
        raise fields.error(
            f"neuron kind '{text}' cannot be read by this version. "
            f"It reads {', '.join(k.value for k in NeuronKind)}."
        )
    refractory = fields.optional_integer(schema.REFRACTORY_DELAY)
    graded = fields.optional_integer(schema.GRADED_SPIKE)
    return CubaNeuron(
        kind=NeuronKind(text),
        vth_mantissa=fields.integer(schema.VTH_MANTISSA),
        current_decay=_decay(fields, schema.CURRENT_DECAY),
        voltage_decay=_decay(fields, schema.VOLTAGE_DECAY),
        refractory_delay=1 if refractory is None else refractory,
        graded_spike=bool(graded),
    )


def _decay(fields: _Fields, field: str) -> IntArray:
    array = fields.integers(field)
    return array.reshape(()) if array.size == 1 else array.reshape(-1)


def _check_decay_size(fields: _Fields, neuron: CubaNeuron, channels: int) -> None:
    for field, array in (
        (schema.CURRENT_DECAY, neuron.current_decay),
        (schema.VOLTAGE_DECAY, neuron.voltage_decay),
    ):
        if array.ndim == 1 and array.size != channels:
            raise fields.error(f"{field} has {array.size} values; 1 or {channels} was expected.")


def _per_channel(fields: _Fields, field: str, channels: int) -> IntArray | None:
    if fields.get(field) is None:
        return None
    array = fields.integers(field).reshape(-1)
    if array.size not in (1, channels):
        raise fields.error(f"{field} has {array.size} values; 1 or {channels} was expected.")
    return np.broadcast_to(array, (channels,)).astype(np.int32)


def _positive(fields: _Fields, field: str, least: int) -> tuple[int, int]:
    default = least
    pair = (default, default) if fields.get(field) is None else fields.pair(field)
    if min(pair) < least:
        raise fields.error(f"{field} is {pair}; at least {least} was expected.")
    return pair


def _first_bad(array: RawArray) -> tuple[tuple[int, ...], Any] | None:
    """Return place and value of the first element that is no 32-bit whole number."""
    wide = array.astype(np.float64)
    # NaN compares false with everything, so it is caught here too
    good = (wide == np.round(wide)) & (wide >= INT32.min) & (wide <= INT32.max)
    if bool(np.all(good)):
        return None
    where = tuple(int(i) for i in np.argwhere(~good)[0])
    return where, wide[where].item()
