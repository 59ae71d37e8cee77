"""Quantization by the user's data: scales that change the fewest spikes, and how many they are.

Layer after layer, scales around those of the methods without data are tried. Each is judged by an
exact run of the layer on what the layers before it, quantized already, send; the target is what the
layer does in the network of real numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..compile.layer_scale import (
    LayerScale,
    all_weights,
    choose_scale,
    is_scale_free,
    is_whole,
    with_whole_threshold,
)
from ..compile.passes.quantize import (
    Quantize,
    QuantizedNetwork,
    check_widths,
    quantize_layer,
)
from ..compile.quantization_plan import LayerPlan, Method, QuantizationPlan, plan_uniformly
from ..compile.weight_grids import sign_mode_of, widest_grid
from ..hw_profiles import HardwareProfile
from ..netx import (
    RealArray,
    RealNetwork,
    RealValues,
    Shape,
    SynapticLayer,
    size_of,
)
from .real_run import (
    TimedLayer,
    TimeFirstRun,
    pass_on,
    run_real_layer,
    time_first,
    timed_layers,
)
from .spike_input import SpikeInput
from .whole_run import run_whole_layer

PLAIN_METHODS = (Method.LARGEST, Method.PERCENTILE, Method.LEAST_SQUARES)
TRIED = 17  # scales in the first round, from a quarter below the plain methods' to a quarter above
MARGIN = 1.25
REFINED = 9  # scales in each of two further rounds, between the neighbours of the best
# Voltages of a layer that are kept for comparison: 1 GiB. Of larger layers, those of the first
# samples decide between scales that change equally many spikes.
KEPT_VOLTAGES = 1 << 27
VOLTAGES_AT_ONCE = 1 << 24

Batches: TypeAlias = list[NDArray[Any]]


class Objective(str, Enum):
    """What calibration makes least."""

    SPIKES = "spikes"  # places with a spike in one of the two networks only; then the next
    MEMBRANE = "membrane"  # the mean difference of the voltages


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
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
        """Return what is to be least; whatever overflows comes after all that does not."""
        order = (self.changed, self.membrane)
        return (self.overflows, *(order if objective is Objective.SPIKES else order[::-1]))


def calibrate(
    network: RealNetwork,
    profile: HardwareProfile,
    inputs: SpikeInput,
    bits: int | Mapping[str, int],
    *,
    objective: Objective = Objective.SPIKES,
    input_shape: Shape | None = None,
) -> QuantizationPlan:
    """Find the scale of every layer that changes least on the user's data.

    Parameters
    ----------
    network : RealNetwork
        A chain of layers with CUBA neurons that send spikes.
    profile : HardwareProfile
        The chip.
    inputs : SpikeInput
        Some hundred samples of the training set; labels are not used.
    bits : int, or mapping of str to int
        One width, or one for every layer by name.
    objective : Objective
        What is made least.
    input_shape : tuple of int, optional
        See `infer_shapes`.

    Returns
    -------
    QuantizationPlan
        The same for the same input. On these data the output changes at most as much as by any
        method without data; where one of those is better, its plan is returned. Layers of whole
        numbers that fit are left as they are.

    Raises
    ------
    UnsupportedNetworkError
        For widths that the profile does not have, and networks that cannot be run in floating point
        (`timed_layers`).
    """
    plans = [plan_uniformly(network, bits, method) for method in PLAIN_METHODS]
    check_widths(plans[0], profile)
    timed, before = timed_layers(network.nearest, input_shape)
    real_in = _batches(inputs.spikes, before, timed)
    whole_in = real_in
    chosen = plans[-1]
    for each in timed:
        target = _Target.of(each, network, real_in)
        if isinstance(each.layer, SynapticLayer):
            values = network.values[each.layer.name]
            layer_plan = _calibrated(each, values, chosen, profile, target, whole_in, objective)
            chosen = chosen.with_layer(each.layer.name, layer_plan)
            layer, _ = quantize_layer(each.layer, values, layer_plan, profile)
            each = replace(each, layer=layer)
        whole_in = [run_whole_layer(each, batch).output for batch in whole_in]
        real_in = target.output
    changes = {
        index: output_change(network, plan, profile, inputs, input_shape)
        for index, plan in enumerate([chosen, *plans])
    }
    best = min(changes, key=lambda index: (changes[index].key(objective), index))
    return [chosen, *plans][best]


def output_change(
    network: RealNetwork,
    plan: QuantizationPlan,
    profile: HardwareProfile,
    inputs: SpikeInput,
    input_shape: Shape | None = None,
) -> Change:
    """Return how far the last layer with neurons is from that of the real network."""
    quantized = Quantize(profile=profile, plan=plan).run(network)
    changes = layer_changes(network, quantized, inputs, input_shape)
    total = sum(change.overflows for change in changes.values())
    return replace(list(changes.values())[-1], overflows=total)


def with_changes(
    network: RealNetwork,
    quantized: QuantizedNetwork,
    inputs: SpikeInput,
    input_shape: Shape | None = None,
) -> QuantizedNetwork:
    """Return the same quantized network with the changed spikes of each layer in its losses."""
    changes = layer_changes(network, quantized, inputs, input_shape)
    losses = tuple(
        replace(loss, spikes=changes[loss.layer].spikes, spikes_changed=changes[loss.layer].changed)
        for loss in quantized.losses
    )
    return replace(quantized, losses=losses)


def layer_changes(
    network: RealNetwork,
    quantized: QuantizedNetwork,
    inputs: SpikeInput,
    input_shape: Shape | None = None,
) -> dict[str, Change]:
    """Return how far each layer of a quantized network is from the real one, both run as wholes."""
    timed, before = timed_layers(network.nearest, input_shape)
    real_in = _batches(inputs.spikes, before, timed)
    whole_in = real_in
    scales = {loss.layer: loss.scale for loss in quantized.losses}
    changes: dict[str, Change] = {}
    for each, layer in zip(timed, quantized.network.layers, strict=True):
        target = _Target.of(each, network, real_in)
        runs = [run_whole_layer(replace(each, layer=layer), batch) for batch in whole_in]
        if isinstance(layer, SynapticLayer):
            changes[layer.name] = target.compare(runs, scales[layer.name])
        whole_in = [run.output for run in runs]
        real_in = target.output
    return changes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Target:
    """What a layer does in the real network: outputs, and voltages of the first batches."""

    output: Batches
    voltage: list[RealArray]

    @classmethod
    def of(cls, each: TimedLayer, network: RealNetwork, arriving: Batches) -> _Target:
        output: Batches = []
        voltage: list[RealArray] = []
        for batch in arriving:
            run = _run_real(each, network, batch)
            output.append(run.output)
            if not voltage or (len(voltage) + 1) * run.voltage.size <= KEPT_VOLTAGES:
                voltage.append(run.voltage)
        return cls(output=output, voltage=voltage)

    def compare(self, runs: Iterable[TimeFirstRun], scale: float) -> Change:
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
        return Change(
            spikes=spikes,
            changed=changed,
            membrane=difference / max(1, compared),
            overflows=overflows,
        )


def _calibrated(
    each: TimedLayer,
    values: RealValues,
    plan: QuantizationPlan,
    profile: HardwareProfile,
    target: _Target,
    arriving: Batches,
    objective: Objective,
) -> LayerPlan:
    """Return the plan of one layer, by trying scales."""
    layer = each.layer
    assert isinstance(layer, SynapticLayer)
    given = plan.layers[layer.name]
    if is_whole(values, given.bits, profile) or not is_scale_free(layer.neuron):
        return given
    widest = widest_grid(sign_mode_of(all_weights(values), given.bits), given.bits, profile)
    starts = [
        choose_scale(layer, values, replace(given, method=method), profile)
        for method in PLAIN_METHODS
    ]
    judged: dict[LayerPlan, tuple[float, ...]] = {}

    def judge(levels: float, halvings: int) -> LayerPlan:
        grid = widest.halved(halvings)
        found = LayerScale(scale=levels * grid.step, grid=grid, halvings=halvings)
        found = with_whole_threshold(found, layer.neuron, values, Method.CALIBRATED)
        tried = replace(given, method=Method.CALIBRATED, scale=found.scale, halvings=found.halvings)
        if tried not in judged:
            whole, _ = quantize_layer(layer, values, tried, profile)
            runs = (run_whole_layer(replace(each, layer=whole), batch) for batch in arriving)
            judged[tried] = target.compare(runs, found.scale).key(objective)
        return tried

    halvings = max(start.halvings for start in starts)
    levels = [start.levels_per_unit for start in starts]
    candidates = np.geomspace(min(levels) / MARGIN, max(levels) * MARGIN, TRIED)
    ratio = float(candidates[1] / candidates[0])
    for tried in [*levels, *candidates]:
        judge(float(tried), halvings)
    for _ in range(2):
        best = _best(judged)
        middle = _scale(best) / widest.halved(halvings).step
        for tried in np.geomspace(middle / ratio, middle * ratio, REFINED):
            judge(float(tried), halvings)
        ratio = ratio ** (2 / (REFINED - 1))
    while judged[_best(judged)][0] > 0 and halvings < widest.most_halvings:
        # every scale overflows: smaller weights, the same levels
        halvings += 1
        judge(_scale(_best(judged)) / widest.halved(halvings - 1).step, halvings)
    return _best(judged)


def _best(judged: Mapping[LayerPlan, tuple[float, ...]]) -> LayerPlan:
    """Return the plan with the least key; of equals, the one with the largest scale."""
    return min(judged, key=lambda plan: (judged[plan], -_scale(plan)))


def _scale(plan: LayerPlan) -> float:
    assert plan.scale is not None
    return plan.scale


def _run_real(each: TimedLayer, network: RealNetwork, arriving: NDArray[Any]) -> TimeFirstRun:
    if isinstance(each.layer, SynapticLayer):
        values = network.values[each.layer.name]
        return run_real_layer(each.layer, values, each.shape, arriving, each.first_step)
    return pass_on(each, arriving)


def _batches(spikes: NDArray[np.integer], before: int, timed: tuple[TimedLayer, ...]) -> Batches:
    """Return the input in batches of samples whose voltages fit memory, time first."""
    widest = max(max(size_of(t.shape.shape_out), size_of(t.shape.shape_in)) for t in timed)
    each = max(1, VOLTAGES_AT_ONCE // (widest * (spikes.shape[-1] + before)))
    parts = math.ceil(spikes.shape[0] / each)
    return [time_first(part, before) for part in np.array_split(spikes, parts)]
