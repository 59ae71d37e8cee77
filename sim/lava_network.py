"""From registers to a network of Lava processes for Lava's CPU simulator."""
# lava has no type information.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportArgumentType=false

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..compile import NETWORK_INPUT, ChipNetwork
from ..hw_profiles.units import SPIKE
from .lava_chain import LavaChain, explicit_models
from .lava_layers import NetworkBuilder, Sender
from .lava_order import lava_order_of_samples
from .lava_processes.axons import PySampleSource, SampleSource
from .lava_processes.recorder import RecordPlan
from .lava_timing import LavaTiming
from .output_units import output_unit
from .spike_input import SpikeInput


def simulated_chain(
    network: ChipNetwork,
    inputs: SpikeInput,
    timing: LavaTiming,
    folder: Path,
    states: Mapping[int, tuple[str, ...]],
) -> LavaChain:
    """Build a network for Lava's CPU simulator that runs all samples one after the other.

    Parameters
    ----------
    network : ChipNetwork
        The registers.
    inputs : SpikeInput
        The samples.
    timing : LavaTiming
        When everything works.
    folder : Path
        Where each layer k writes ``k.spikes`` and, if asked, ``k.states``.
    states : mapping of int to tuple of str
        Which states of which layers to write.
    """
    spikes = inputs.spikes.reshape(inputs.n_samples, *network.input_shape, inputs.n_steps)
    source = SampleSource(spikes=lava_order_of_samples(spikes), window=timing.source)
    sender = Sender(
        port=source.s_out,
        shape=network.input_shape,
        unit=SPIKE,
        is_binary=inputs.least >= 0 and inputs.largest <= 1,
        lag=0,
    )
    builder = NetworkBuilder(
        timing=timing, senders={NETWORK_INPUT: sender}, models={source: PySampleSource}
    )
    for index, layer in enumerate(network.layers):
        plan = RecordPlan(
            window=timing.layers[index],
            spike_path=str(folder / f"{index}.spikes"),
            has_values=output_unit(layer) != SPIKE,
            state_path=str(folder / f"{index}.states") if states.get(index) else "",
            states=states.get(index, ()),
        )
        builder.add_layer(index, layer, plan)
    return LavaChain(last=builder.last, run_config=explicit_models(builder.models))
