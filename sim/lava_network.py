"""Building Lava networks: with `lava_chain` and `lava_processes`, the modules that import lava.

Two chains are built from the same registers: one for Lava's CPU simulator, with processes that
stream samples in and spikes out, and one for Loihi 2, with Lava's plain processes and the adapters
of its Loihi extension.
"""
# lava has no type information.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportArgumentType=false

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
from lava.magma.core.run_configs import Loihi2HwCfg, Loihi2SimCfg
from lava.proc.conv.process import Conv
from lava.proc.dense.process import Dense
from lava.proc.io.sink import RingBuffer as Sink
from lava.proc.io.source import RingBuffer as Source
from lava.proc.lif.process import LIF
from lava.utils.weightutils import SignMode as LavaSignMode
from numpy.typing import NDArray

from ..compile import (
    BIAS_EXPONENT,
    ChipConv,
    ChipDense,
    ChipInput,
    ChipLayer,
    CompiledNetwork,
    SignMode,
    bias_leads,
    has_readout,
    per_neuron,
)
from ..netx import Shape
from .cuba_layers import cuba_neuron
from .lava_chain import LavaChain
from .lava_order import lava_order, lava_order_of_samples, lava_shape
from .lava_processes.sample_processes import (
    LAVA_STEPS_BEFORE_LAYER,
    AxonDelay,
    RecordedLIF,
    SampleSource,
)
from .spike_input import SpikeInput

PAYLOAD_BITS = 24  # any number but 0 makes Lava multiply with the value of a spike
LAVA_SIGN_MODE = {
    SignMode.MIXED: LavaSignMode.MIXED,
    SignMode.EXCITATORY: LavaSignMode.EXCITATORY,
    SignMode.INHIBITORY: LavaSignMode.INHIBITORY,
}


def simulated_chain(
    compiled: CompiledNetwork, inputs: SpikeInput, folder: Path, *, record_states: bool
) -> LavaChain:
    """Build a chain for Lava's CPU simulator that runs all samples one after the other.

    Parameters
    ----------
    compiled : CompiledNetwork
        The registers.
    inputs : SpikeInput
        The samples.
    folder : Path
        Where each layer k writes ``k.spikes`` and, if asked, ``k.states``.
    record_states : bool
        Whether to write states.
    """
    leads = bias_leads(compiled.network)
    interval = inputs.n_steps + max(leads)
    last_step = inputs.n_samples * interval + len(compiled.network.layers)
    spikes = inputs.spikes.reshape(inputs.n_samples, *compiled.network.input_shape, inputs.n_steps)
    source = SampleSource(spikes=lava_order_of_samples(spikes), interval=interval)
    message_bits = PAYLOAD_BITS if int(spikes.max()) > 1 else 0
    port, process = source.s_out, source
    for index, layer in enumerate(compiled.network.layers):
        shape = lava_shape(layer.shape_out)
        synapse = synapse_process(layer, message_bits if index == 0 else 0)
        if isinstance(layer, ChipDense) and len(layer.shape_in) == 3:
            port = port.reshape((int(np.prod(layer.shape_in)),))
        port.connect(synapse.s_in)
        is_read = index + 1 == len(leads) and has_readout(compiled.network)
        delay = None if isinstance(layer, ChipInput) else layer.delay
        is_delayed = delay is not None and int(delay.max()) > 0
        spike_path = str(folder / f"{index}.spikes")
        steps = inputs.n_steps + leads[index]
        offset = index + LAVA_STEPS_BEFORE_LAYER - leads[index]
        process = RecordedLIF(
            **_lif_parameters(layer),
            reset_interval=interval,
            reset_offset=offset,
            spike_path="" if is_delayed else spike_path,
            state_path=str(folder / f"{index}.states") if record_states or is_read else "",
            steps=steps,
            last_step=last_step,
        )
        synapse.a_out.reshape(shape).connect(process.a_in)
        port = process.s_out
        if delay is not None and is_delayed:
            process = AxonDelay(
                delay=_spread(layer, delay, shape),
                steps=steps,
                interval=interval,
                offset=offset,
                spike_path=spike_path,
                last_step=last_step,
            )
            port.connect(process.s_in)
            port = process.s_out
    # Without the tag Lava silently takes its floating point models
    config = Loihi2SimCfg(select_tag="fixed_pt", loglevel=logging.ERROR)
    return LavaChain(last=process, run_config=config)


def hardware_chain(
    compiled: CompiledNetwork,
    spikes: NDArray[Any],
    *,
    adapters: Any,
    run_config: Any | None = None,
) -> LavaChain:
    """Build a chain for Loihi 2 that runs one sample.

    Parameters
    ----------
    compiled : CompiledNetwork
        The registers; no axonal delays.
    spikes : integer array, shape (C, T) or (C, H, W, T)
        The sample.
    adapters : module
        ``lava.proc.embedded_io.spike`` of Lava's Loihi extension, with ``PyToNxAdapter`` and
        ``NxToPyAdapter`` that carry spikes between host and chip.
    run_config : lava RunConfig, optional
        ``Loihi2HwCfg`` unless given.

    Returns
    -------
    LavaChain
        With a sink for each layer, whose ``data`` holds (neurons in Lava's order, steps).
    """
    depth, steps = len(compiled.network.layers), spikes.shape[-1]
    sample = spikes.reshape(1, *compiled.network.input_shape, steps)
    # Lava's source repeats its data; silence for the steps in which the last spikes travel
    data = np.zeros((*lava_shape(compiled.network.input_shape), steps + depth), dtype=np.int32)
    data[..., :steps] = lava_order_of_samples(sample)[0]
    source = Source(data=data)
    to_chip = adapters.PyToNxAdapter(shape=data.shape[:-1])
    source.s_out.connect(to_chip.inp)
    port, sinks = to_chip.out, []
    message_bits = PAYLOAD_BITS if int(spikes.max()) > 1 else 0
    for index, layer in enumerate(compiled.network.layers):
        shape = lava_shape(layer.shape_out)
        synapse = synapse_process(layer, message_bits if index == 0 else 0)
        if isinstance(layer, ChipDense) and len(layer.shape_in) == 3:
            port = port.reshape((int(np.prod(layer.shape_in)),))
        port.connect(synapse.s_in)
        neurons = LIF(**_lif_parameters(layer))
        synapse.a_out.reshape(shape).connect(neurons.a_in)
        port = neurons.s_out
        from_chip = adapters.NxToPyAdapter(shape=shape)
        sink = Sink(shape=shape, buffer=steps + depth)
        port.connect(from_chip.inp)
        from_chip.out.connect(sink.a_in)
        sinks.append(sink)
    config = run_config or Loihi2HwCfg(select_tag="fixed_pt", loglevel=logging.ERROR)
    return LavaChain(last=sinks[-1], run_config=config, sinks=tuple(sinks))


def _lif_parameters(layer: ChipLayer) -> dict[str, Any]:
    shape = lava_shape(layer.shape_out)
    neuron, bias = cuba_neuron(layer), None if isinstance(layer, ChipInput) else layer.bias
    return {
        "shape": shape,
        "du": _decay(neuron.current_decay) - 1,  # Lava adds the 1 back
        "dv": _decay(neuron.voltage_decay),
        "vth": neuron.vth_mantissa,
        "bias_mant": np.zeros(shape, dtype=np.int32)
        if bias is None
        else _spread(layer, bias, shape),
        "bias_exp": BIAS_EXPONENT,
    }


def synapse_process(layer: ChipLayer, message_bits: int) -> Any:
    """Return Lava's synapse process for a layer; `message_bits` 0 means binary spikes."""
    match layer:
        case ChipDense():
            mantissa = layer.weights.mantissa.astype(np.int32)
            # inputs come and outputs go in Lava's order, width first: take the weights along
            order_in, order_out = lava_order(layer.shape_in), lava_order(layer.shape_out)
            mantissa = np.ascontiguousarray(mantissa[np.ix_(order_out, order_in)])
            # Stating the sign mode keeps Lava from guessing it, which truncates matrices without
            # positive weights whose least weight is a power of two
            return Dense(
                weights=mantissa,
                weight_exp=layer.weights.exponent,
                num_weight_bits=layer.weights.bits,
                sign_mode=LAVA_SIGN_MODE[layer.weights.sign_mode],
                num_message_bits=message_bits,
            )
        case ChipInput():
            raise TypeError(f"{layer.name}: neurons at the input have no synapses")
        case ChipConv():
            # Lava convolves width first with a flipped kernel, (C_out, W, H, C_in)
            kernel = layer.weights.effective()[:, :, ::-1, ::-1].transpose(0, 3, 2, 1)
            return Conv(
                weight=np.ascontiguousarray(kernel),
                input_shape=lava_shape(layer.shape_in),
                stride=layer.stride[::-1],
                padding=layer.padding[::-1],
                dilation=layer.dilation[::-1],
                groups=layer.groups,
                num_message_bits=message_bits,
            )


def _decay(decay: NDArray[np.int32]) -> Any:
    """Return a number, or for decays by channel an array that Lava spreads over its last axis."""
    if decay.ndim == 0:
        return int(decay)
    return decay.copy()


def _spread(layer: ChipLayer, values: NDArray[np.int32], shape: Shape) -> NDArray[np.int32]:
    """Return one value a neuron in Lava's order."""
    return per_neuron(values, layer)[lava_order(layer.shape_out)].reshape(shape)
