"""How far a quantized network is from the one of real numbers: changed spikes and voltages."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..compile import QuantizedNetwork
from ..netx import RealArray, RealNetwork, Shape, SynapticLayer, size_of
from .real_run import run_real_layer
from .spike_input import SpikeInput
from .time_first import TimedLayer, TimeFirstRun, pass_on, time_first, timed_layers
from .whole_run import run_whole_layer

# Voltages of a layer that are kept for comparison: 1 GiB. Of larger layers, those of the first
# samples decide between scales that change equally many spikes.
KEPT_VOLTAGES = 1 << 27
VOLTAGES_AT_ONCE = 1 << 24

Batches: TypeAlias = list[NDArray[Any]]


class Objective(str, Enum):
    """What calibration makes least."""

    SPIKES = "spikes"  # places with a spike in one of the two networks only; then the next
    MEMBRANE = "membrane"  # the mean difference of the voltages


# Weights that fit the voltages of some hundred samples do as well on others; changed spikes are few
# and counted on the samples that weights were fitted to. On MNIST at 2 bits, 1.2 points of accuracy
# are lost by the one and 6.1 by the other, at more bits as many (`benchmarks/quantization.py`).
DEFAULT_OBJECTIVE = Objective.MEMBRANE


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerChange:
    """How far a quantized layer is from the real one.

    Attributes
    ----------
    spikes : int
        Spikes of the real layer; of a readout 0.
    changed : int
        Places (sample, neuron, step) with a spike in one of the two only; of sums, their
        difference.
    membrane : float
        Mean difference of the voltages, in real weight units.
    overflows : int
        Numbers that left their registers in the quantized one.
    """

    spikes: int
    changed: int
    membrane: float
    overflows: int

    def key(self, objective: Objective) -> tuple[float, ...]:
        """Return what is to be least."""
        order = (self.changed, self.membrane)
        return order if objective is Objective.SPIKES else order[::-1]


def with_changes(
    network: RealNetwork,
    quantized: QuantizedNetwork,
    inputs: SpikeInput,
    input_shape: Shape | None = None,
) -> QuantizedNetwork:
    """Return the same quantized network with the changed spikes of each layer in its losses."""
    changes = layer_changes(network, quantized, inputs, input_shape)
    return add_changes(quantized, changes, inputs)


def add_changes(
    quantized: QuantizedNetwork, changes: Mapping[str, LayerChange], inputs: SpikeInput
) -> QuantizedNetwork:
    """Return the same quantized network with these changes in its losses, and on what data."""
    losses = tuple(
        replace(loss, spikes=changes[loss.layer].spikes, spikes_changed=changes[loss.layer].changed)
        for loss in quantized.losses
    )
    return replace(quantized, losses=losses, calibration_sha256=inputs.sha256())


def layer_changes(
    network: RealNetwork,
    quantized: QuantizedNetwork,
    inputs: SpikeInput,
    input_shape: Shape | None = None,
) -> dict[str, LayerChange]:
    """Return how far each layer of a quantized network is from the real one, both run as wholes."""
    timed, before = timed_layers(network.nearest, inputs.spikes, input_shape)
    real_in = in_batches(inputs.spikes, before, timed)
    whole_in = real_in
    scales = {loss.layer: loss.scale for loss in quantized.losses}
    changes: dict[str, LayerChange] = {}
    for each, layer in zip(timed, quantized.network.layers, strict=True):
        target = Target.of(each, network, real_in)
        runs = [run_whole_layer(replace(each, layer=layer), batch) for batch in whole_in]
        if isinstance(layer, SynapticLayer):
            changes[layer.name] = target.compare(runs, scales[layer.name])
        whole_in = [run.output for run in runs]
        real_in = target.output
    return changes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Target:
    """What a layer does in the real network: outputs, and voltages of the first batches."""

    output: Batches
    voltage: list[RealArray]

    @classmethod
    def of(cls, each: TimedLayer, network: RealNetwork, arriving: Batches) -> Target:
        """Run a layer of the real network on what arrives there."""
        output: Batches = []
        voltage: list[RealArray] = []
        for batch in arriving:
            run = _run_real(each, network, batch)
            output.append(run.output)
            if not voltage or (len(voltage) + 1) * run.voltage.size <= KEPT_VOLTAGES:
                voltage.append(run.voltage)
        return cls(output=output, voltage=voltage)

    def compare(self, runs: Iterable[TimeFirstRun], scale: float) -> LayerChange:
        """Compare runs of a quantized layer, one for each batch, with the target."""
        spikes = changed = overflows = compared = 0
        difference = 0.0
        for index, (run, wanted) in enumerate(zip(runs, self.output, strict=True)):
            spikes += int(np.count_nonzero(wanted))
            changed += int(np.count_nonzero(run.output != wanted))
            overflows += run.overflows
            if index < len(self.voltage):
                difference += float(np.abs(run.voltage / scale - self.voltage[index]).sum())
                compared += run.voltage.size
        return LayerChange(
            spikes=spikes,
            changed=changed,
            membrane=difference / max(1, compared),
            overflows=overflows,
        )


def _run_real(each: TimedLayer, network: RealNetwork, arriving: NDArray[Any]) -> TimeFirstRun:
    if isinstance(each.layer, SynapticLayer):
        values = network.values[each.layer.name]
        return run_real_layer(each.layer, values, each.shape, arriving, each.first_step)
    return pass_on(each, arriving)


def in_batches(spikes: NDArray[np.integer], before: int, timed: tuple[TimedLayer, ...]) -> Batches:
    """Return the input in batches of samples whose voltages fit memory, time first."""
    widest = max(max(size_of(t.shape.shape_out), size_of(t.shape.shape_in)) for t in timed)
    each = max(1, VOLTAGES_AT_ONCE // (widest * (spikes.shape[-1] + before)))
    parts = math.ceil(spikes.shape[0] / each)
    return [time_first(part, before) for part in np.array_split(spikes, parts)]
