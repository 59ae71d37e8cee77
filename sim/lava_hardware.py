"""From registers to a chain of Lava processes for Loihi 2, with Lava's adapters for the chip."""
# lava has no type information.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportArgumentType=false

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from lava.magma.core.run_configs import Loihi2HwCfg
from lava.proc.io.sink import RingBuffer as Sink
from lava.proc.io.source import RingBuffer as Source
from lava.proc.lif.process import LIF
from numpy.typing import NDArray

from ..compile import ChipConv, ChipDense, ChipInput, ChipLayer, CompiledNetwork
from .cuba_layers import cuba_neuron
from .lava_chain import LavaChain
from .lava_neurons import lif_parameters
from .lava_order import lava_order, lava_order_of_samples, lava_shape
from .lava_synapses import PAYLOAD_BITS, conv_parameters, dense_synapses


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
        synapse = _synapses(layer, message_bits if index == 0 else 0)
        if isinstance(layer, ChipDense) and len(layer.shape_in) == 3:
            port = port.reshape((int(np.prod(layer.shape_in)),))
        port.connect(synapse.s_in)
        neurons = LIF(**lif_parameters(layer, cuba_neuron(layer)))
        synapse.a_out.reshape(shape).connect(neurons.a_in)
        port = neurons.s_out
        from_chip = adapters.NxToPyAdapter(shape=shape)
        sink = Sink(shape=shape, buffer=steps + depth)
        port.connect(from_chip.inp)
        from_chip.out.connect(sink.a_in)
        sinks.append(sink)
    config = run_config or Loihi2HwCfg(select_tag="fixed_pt", loglevel=logging.ERROR)
    return LavaChain(last=sinks[-1], run_config=config, sinks=tuple(sinks))


def _synapses(layer: ChipLayer, message_bits: int) -> Any:
    match layer:
        case ChipInput():
            raise TypeError(f"{layer.name}: neurons at the input have no synapses")
        case ChipDense():
            order_out, order_in = lava_order(layer.shape_out), lava_order(layer.shape_in)
            process, _ = dense_synapses(
                layer.weights, order_out, order_in, message_bits=message_bits
            )
            return process
        case ChipConv():
            from lava.proc.conv.process import Conv

            return Conv(**conv_parameters(layer, layer.weights, message_bits))
