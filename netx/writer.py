"""Writing a `Network` as NetX HDF5 that lava-dl's reader loads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from . import hdf5_schema as schema
from .arrays import IntArray
from .atomic_write import write_bytes_atomically
from .hdf5_store import AttributeValue, RawValue, tree_bytes
from .layers import (
    ConcatLayer,
    ConvLayer,
    ConvTransposeLayer,
    DenseLayer,
    InputLayer,
    KernelLayer,
    Layer,
    RecurrentLayer,
    SynapticLayer,
    layer_kind,
    size_of,
)
from .network import Network
from .neurons import (
    AdaptiveResonatorNeuron,
    AlifNeuron,
    CubaNeuron,
    Neuron,
    ResonatorNeuron,
    SigmaDeltaNeuron,
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
    numbers, as SLAYER stores them. What the reader did not understand is written back. The same
    network gives the same bytes.
    """
    write_values(network, netx_values(network), path)


def write_values(network: Network, values: Mapping[str, RawValue], path: str | Path) -> None:
    """Write datasets of layers with what else a network holds; see `write_netx`."""
    attributes: dict[str, AttributeValue] = {
        "format": schema.FORMAT,
        "format_version": schema.FORMAT_VERSION,
        "producer": PRODUCER,
    }
    attributes |= {
        n: v for n, v in sorted(network.extra_attributes.items()) if n not in schema.OWN_ATTRIBUTES
    }
    everything = {**dict(sorted(network.extra.items())), **values}
    write_bytes_atomically(Path(path), tree_bytes(everything, attributes))


def netx_values(network: Network) -> dict[str, RawValue]:
    """Return the datasets of a network's layers by full path."""
    values: dict[str, RawValue] = {}
    for index, layer in enumerate(network.layers):
        for field, value in (dict(sorted(layer.extra.items())) | _layer_values(layer)).items():
            values[f"layer/{index}/{field}"] = value
    return values


def _layer_values(layer: Layer) -> dict[str, RawValue]:
    values: dict[str, RawValue] = {
        schema.TYPE: layer_kind(layer).value,
        schema.SHAPE: np.array(layer.shape, dtype=np.int64),
    }
    if isinstance(layer, InputLayer | SynapticLayer) and layer.delay_shift is not None:
        values[schema.DELAY_SHIFT] = np.array(layer.delay_shift, dtype=np.bool_)
    match layer:
        case InputLayer():
            if layer.weight is not None:
                values[schema.WEIGHT] = _as_slayer_stores(np.array(layer.weight))
            if layer.bias is not None:
                values[schema.BIAS] = _as_slayer_stores(np.array(layer.bias))
            if layer.neuron is not None:
                values |= _neuron_values(layer.neuron)
        case DenseLayer() | RecurrentLayer():
            values[schema.IN_FEATURES] = _integer(layer.weight.shape[1])
            values[schema.OUT_FEATURES] = _integer(size_of(layer.shape))
            values |= _synapse_values(layer)
            if isinstance(layer, RecurrentLayer):
                values[schema.WEIGHT_REC] = _as_slayer_stores(layer.weight_rec)
        case ConvLayer():
            values |= _channels(layer.weight.shape[1] * layer.groups, layer.shape[0], layer.groups)
            values |= _kernel_values(layer) | _synapse_values(layer)
        case ConvTransposeLayer():
            values |= _channels(layer.weight.shape[0], layer.shape[0], layer.groups)
            values |= _kernel_values(layer) | _synapse_values(layer)
        case KernelLayer():
            values |= _kernel_values(layer) | _synapse_values(layer)
        case ConcatLayer():
            values[schema.SOURCES] = np.array(layer.sources, dtype=np.int64)
        case _:
            pass
    return values


def _channels(c_in: int, c_out: int, groups: int) -> dict[str, RawValue]:
    return {
        schema.IN_CHANNELS: _integer(c_in),
        schema.OUT_CHANNELS: _integer(c_out),
        schema.GROUPS: _integer(groups),
    }


def _kernel_values(layer: KernelLayer) -> dict[str, RawValue]:
    return {
        schema.KERNEL_SIZE: np.array(layer.kernel_size, dtype=np.int64),
        schema.STRIDE: np.array(layer.stride, dtype=np.int64),
        schema.PADDING: np.array(layer.padding, dtype=np.int64),
        schema.DILATION: np.array(layer.dilation, dtype=np.int64),
    }


def _synapse_values(layer: SynapticLayer) -> dict[str, RawValue]:
    values: dict[str, RawValue] = {}
    if layer.weight_imag is None:
        values[schema.WEIGHT] = _as_slayer_stores(layer.weight)
    else:
        values[schema.WEIGHT_REAL] = _as_slayer_stores(layer.weight)
        values[schema.WEIGHT_IMAG] = _as_slayer_stores(layer.weight_imag)
    for field, numbers in (
        (schema.BIAS, layer.bias),
        (schema.BIAS_IMAG, layer.bias_imag),
        (schema.DELAY, layer.delay),
    ):
        if numbers is not None:
            values[field] = _as_slayer_stores(numbers)
    return values | _neuron_values(layer.neuron)


def _as_slayer_stores(numbers: IntArray) -> RawValue:
    """Return whole numbers as float32, or as int32 where float32 has too few digits for them."""
    rounded = numbers.astype(np.float32)
    is_exact = np.array_equal(rounded.astype(np.float64), numbers.astype(np.float64))
    return rounded if is_exact else numbers.astype(np.int32)


def _integer(number: int) -> RawValue:
    return np.array(number, dtype=np.int64)


def _neuron_values(neuron: Neuron) -> dict[str, RawValue]:
    values: dict[str, RawValue] = {
        schema.NEURON_TYPE: neuron.kind.value,
        schema.VTH_MANTISSA: _integer(neuron.vth_mantissa),
    }
    if neuron.message_bits is not None:
        values[schema.MESSAGE_BITS] = _integer(neuron.message_bits)
    if isinstance(neuron, SigmaDeltaNeuron):
        values[schema.ACTIVATION] = neuron.activation
        if neuron.vth_fraction:
            values[schema.VTH_FRACTION] = _integer(neuron.vth_fraction)
        if neuron.sigma_output:
            # lava-dl looks only whether the dataset is there
            values[schema.SIGMA_OUTPUT] = np.array(True)
        return values
    values[schema.GRADED_SPIKE] = np.array(neuron.graded_spike, dtype=np.bool_)
    if isinstance(neuron, CubaNeuron | AlifNeuron):
        values[schema.CURRENT_DECAY] = neuron.current_decay.astype(np.int64)
        values[schema.VOLTAGE_DECAY] = neuron.voltage_decay.astype(np.int64)
        values[schema.REFRACTORY_DELAY] = _integer(neuron.refractory_delay)
        if neuron.current_exponent:
            values[schema.CURRENT_EXPONENT] = np.array([neuron.current_exponent], np.float32)
    if isinstance(neuron, ResonatorNeuron | AdaptiveResonatorNeuron):
        values[schema.SIN_DECAY] = neuron.sin_decay.astype(np.int64)
        values[schema.COS_DECAY] = neuron.cos_decay.astype(np.int64)
    if isinstance(neuron, AlifNeuron | AdaptiveResonatorNeuron):
        values[schema.VTH_STEP] = _integer(neuron.vth_step)
        values[schema.THRESHOLD_DECAY] = neuron.threshold_decay.astype(np.int64)
        values[schema.REFRACTORY_DECAY] = neuron.refractory_decay.astype(np.int64)
    return values
