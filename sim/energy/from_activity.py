"""Operations of a run, from what `count_activity` counted.

The only module of this package that knows the fields of `ActivityCounts`.
"""

from __future__ import annotations

from ..activity import ActivityCounts, StepActivity
from .counts import CoreOperations, LayerOperations, OperationCounts, StepLoads


def operations_of(activity: ActivityCounts) -> OperationCounts:
    """Return what the energy model asks for.

    Parameters
    ----------
    activity : ActivityCounts
        Of a run; without its course over the steps these are taken to be alike.
    """
    layers = tuple(
        LayerOperations(
            name=layer.name,
            neurons=layer.neurons,
            connections=layer.synapses,
            spikes=layer.spikes,
            synaptic_operations=layer.synaptic_operations,
            neuron_updates=layer.neuron_updates,
            messages=layer.messages,
            hops=layer.hops,
            crossings=layer.crossings,
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
            messages_in=core.messages_in,  # input is left out, and said to be
        )
        for core in activity.cores
    )
    return OperationCounts(
        inferences=activity.samples,
        steps=activity.steps,
        layers=layers,
        cores=cores,
        chips=activity.chips,
        loads=None if activity.by_step is None else _loads(activity.by_step, activity.samples),
    )


def _loads(by_step: StepActivity, samples: int) -> StepLoads:
    return StepLoads(
        synaptic_operations=by_step.core_operations.T / samples,
        spikes=by_step.core_spikes.T / samples,
    )
