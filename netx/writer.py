"""Writing a `Network` as NetX HDF5 that lava-dl's reader loads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from . import hdf5_schema as schema
from .atomic_write import write_bytes_atomically
from .hdf5_store import AttributeValue, RawValue, tree_bytes
from .network import (
    ConvLayer,
    CubaNeuron,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    IntArray,
    Layer,
    Network,
    layer_kind,
    size_of,
)
from .version import PRODUCER


def write_netx(network: Network, path: str | Path) -> None:
    """Write a network as a NetX file.

    Parameters
    ----------
    network : Network
        What to write.
    path : str or Path
        The file to create or replace.

    Raises
    ------
    OutputError
        When the file cannot be written; nothing is left behind.

    Notes
    -----
    Root attributes state format, version and producer. Weights are stored as float32 holding whole
    numbers, as SLAYER stores them. The same network gives the same bytes.
    """
    attributes: dict[str, AttributeValue] = {
        "format": schema.FORMAT,
        "format_version": schema.FORMAT_VERSION,
        "producer": PRODUCER,
    }
    write_bytes_atomically(Path(path), tree_bytes(netx_values(network), attributes))


def netx_values(network: Network) -> dict[str, RawValue]:
    """Return the datasets of a network by full path, for a file that holds more besides."""
    values: dict[str, RawValue] = {}
    for index, layer in enumerate(network.layers):
        for field, value in _layer_values(layer).items():
            values[f"layer/{index}/{field}"] = value
    return values


def _layer_values(layer: Layer) -> Mapping[str, RawValue]:
    values: dict[str, RawValue] = {
        schema.TYPE: layer_kind(layer).value,
        schema.SHAPE: np.array(layer.shape, dtype=np.int64),
    }
    match layer:
        case InputLayer():
            if layer.weight is not None:
                values[schema.WEIGHT] = _as_slayer_stores(np.array(layer.weight))
            if layer.bias is not None:
                values[schema.BIAS] = _as_slayer_stores(np.array(layer.bias))
            if layer.neuron is not None:
                values |= _neuron_values(layer.neuron)
        case DenseLayer():
            values[schema.IN_FEATURES] = np.array(layer.weight.shape[1], dtype=np.int64)
            values[schema.OUT_FEATURES] = np.array(size_of(layer.shape), dtype=np.int64)
            values |= _synapse_values(layer) | _neuron_values(layer.neuron)
        case ConvLayer():
            channels = layer.weight.shape[1] * layer.groups
            values[schema.IN_CHANNELS] = np.array(channels, dtype=np.int64)
            values[schema.OUT_CHANNELS] = np.array(layer.shape[0], dtype=np.int64)
            values[schema.KERNEL_SIZE] = np.array(layer.kernel_size, dtype=np.int64)
            values[schema.STRIDE] = np.array(layer.stride, dtype=np.int64)
            values[schema.PADDING] = np.array(layer.padding, dtype=np.int64)
            values[schema.DILATION] = np.array(layer.dilation, dtype=np.int64)
            values[schema.GROUPS] = np.array(layer.groups, dtype=np.int64)
            values |= _synapse_values(layer) | _neuron_values(layer.neuron)
        case FlattenLayer():
            pass
    return values


def _synapse_values(layer: DenseLayer | ConvLayer) -> dict[str, RawValue]:
    values: dict[str, RawValue] = {schema.WEIGHT: _as_slayer_stores(layer.weight)}
    if layer.bias is not None:
        values[schema.BIAS] = _as_slayer_stores(layer.bias)
    if layer.delay is not None:
        values[schema.DELAY] = _as_slayer_stores(layer.delay)
    return values


def _as_slayer_stores(numbers: IntArray) -> RawValue:
    """Return whole numbers as float32, or as int32 where float32 has too few digits for them."""
    rounded = numbers.astype(np.float32)
    is_exact = np.array_equal(rounded.astype(np.float64), numbers.astype(np.float64))
    return rounded if is_exact else numbers.astype(np.int32)


def _neuron_values(neuron: CubaNeuron) -> dict[str, RawValue]:
    return {
        schema.NEURON_TYPE: neuron.kind.value,
        schema.VTH_MANTISSA: np.array(neuron.vth_mantissa, dtype=np.int64),
        schema.CURRENT_DECAY: neuron.current_decay.astype(np.int64),
        schema.VOLTAGE_DECAY: neuron.voltage_decay.astype(np.int64),
        schema.REFRACTORY_DELAY: np.array(neuron.refractory_delay, dtype=np.int64),
        schema.GRADED_SPIKE: np.array(neuron.graded_spike, dtype=np.bool_),
    }
