"""Operations of a run, from what `count_activity` counted.

The only module of this package that knows the fields of `ActivityCounts`.
"""

from __future__ import annotations

import numpy as np

from ...compile import ChipNetwork, Traffic
from ..activity import ActivityCounts
from .connections import connections
from .counts import CoreOperations, FloatArray, LayerOperations, OperationCounts


def operations_of(
    activity: ActivityCounts, network: ChipNetwork | None = None, traffic: Traffic | None = None
) -> OperationCounts:
    """Return what the energy model asks for.

    Parameters
    ----------
    activity : ActivityCounts
        Of a run.
    network : ChipNetwork, optional
        What ran; gives the connections that a comparison with an artificial network needs.
    traffic : Traffic, optional
        Messages of the same run between its cores (`core_traffic` with the spikes of each neuron,
        over all samples).

    Returns
    -------
    OperationCounts
        What was not counted is None.
    """
    known = {} if network is None else {x.name: connections(x) for x in network.layers}
    layer_of = {core.core: core.layer for core in activity.cores}
    arriving = arriving_messages(traffic, len(layer_of))
    layers = tuple(
        LayerOperations(
            name=layer.name,
            neurons=layer.neurons,
            connections=known.get(layer.name),
            spikes=layer.spikes,
            synaptic_operations=layer.synaptic_operations,
            neuron_updates=layer.neuron_updates,
            **sent_messages(
                traffic, [core for core, name in layer_of.items() if name == layer.name]
            ),
        )
        for layer in activity.layers
    )
    cores = tuple(
        CoreOperations(
            core=core.core,
            layer=core.layer,
            neurons=core.neurons,
            spikes=core.spikes,
            synaptic_operations=core.synaptic_operations,
            messages_in=None if traffic is None else float(arriving[core.core]),
        )
        for core in activity.cores
    )
    return OperationCounts(
        inferences=activity.samples,
        steps=activity.steps,
        layers=layers,
        cores=cores,
        chips=activity.chips,
    )


def arriving_messages(traffic: Traffic | None, cores: int) -> FloatArray:
    """Return the messages that arrive at each core, numbered from 0; none without traffic."""
    found = np.zeros(cores, dtype=np.float64)
    if traffic is not None:
        np.add.at(found, traffic.target, traffic.messages)
    return found


def sent_messages(traffic: Traffic | None, cores: list[int]) -> dict[str, float]:
    """Return messages, hops and crossings of what some cores send; nothing without traffic."""
    if traffic is None:
        return {}
    rows = np.isin(traffic.source, cores)
    messages: FloatArray = traffic.messages[rows]
    return {
        "messages": float(messages.sum()),
        "hops": float((messages * traffic.hops[rows]).sum()),
        "crossings": float((messages * traffic.crossings[rows]).sum()),
    }
