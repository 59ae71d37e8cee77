"""Quantization by the user's data: scales that change the fewest spikes, and how many they are.

Layer after layer, scales around those of the methods without data are tried. Each is judged by an
exact run of the layer on what the layers before it, quantized already, send; the target is what the
layer does in the network of real numbers. Weights of dense layers and convolutions are rounded so
that their errors cancel on the data (`compensated_rounding`).
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
from ..compile.weight_grids import WeightGrid, sign_mode_of, widest_grid
from ..hw_profiles import HardwareProfile
from ..netx import (
    IntArray,
    RealArray,
    RealNetwork,
    RealValues,
    Shape,
    SynapticLayer,
    size_of,
)
from .compensated_rounding import Compensation, compensation_for
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
        """Return what is to be least."""
        order = (self.changed, self.membrane)
        return order if objective is Objective.SPIKES else order[::-1]


def calibrate(
    network: RealNetwork,
    profile: HardwareProfile,
    inputs: SpikeInput,
    bits: int | Mapping[str, int],
    *,
    objective: Objective = Objective.SPIKES,
    input_shape: Shape | None = None,
) -> QuantizedNetwork:
    """Quantize a network so that it changes least on the user's data.

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
    QuantizedNetwork
        The same for the same input. On these data the output changes at most as much as by any
        method without data; where one of those is better, it is taken. Layers of whole numbers that
        fit are left as they are. The losses state the changed spikes.

    Raises
    ------
    UnsupportedNetworkError
        For widths that the profile does not have, and networks that cannot be run in floating point
        (`timed_layers`).
    """
    plans = [plan_uniformly(network, bits, method) for method in PLAIN_METHODS]
    check_widths(plans[0], profile)
    passes = [
        _layer_by_layer(network, profile, inputs, plans[-1], objective, input_shape),
        *(Quantize(profile=profile, plan=plan) for plan in plans),
    ]
    found = [each.run(network) for each in passes]
    changes = [layer_changes(network, each, inputs, input_shape) for each in found]
    # of equals the first: the calibrated one
    keys = [list(each.values())[-1].key(objective) for each in changes]
    best = keys.index(min(keys))
    return _with_changes(found[best], changes[best])


def _layer_by_layer(
    network: RealNetwork,
    profile: HardwareProfile,
    inputs: SpikeInput,
    start: QuantizationPlan,
    objective: Objective,
    input_shape: Shape | None,
) -> Quantize:
    """Return the pass with a scale and rounded weights for every layer, each given those before."""
    timed, before = timed_layers(network.nearest, input_shape)
    real_in = _batches(inputs.spikes, before, timed)
    whole_in = real_in
    plan = start
    rounded: dict[str, IntArray] = {}
    for each in timed:
        target = _Target.of(each, network, real_in)
        quantized = each
        if isinstance(each.layer, SynapticLayer):
            name, values = each.layer.name, network.values[each.layer.name]
            search = _Search.of(each, values, start.layers[name], profile, target, whole_in)
            chosen, weights = search.run(objective) if search else (start.layers[name], None)
            layer, _ = quantize_layer(each.layer, values, chosen, profile, rounded=weights)
            quantized = replace(each, layer=layer)
            plan = plan.with_layer(name, chosen)
            if weights is not None:
                rounded[name] = weights
        whole_in = [run_whole_layer(quantized, batch).output for batch in whole_in]
        real_in = target.output
    return Quantize(profile=profile, plan=plan, rounded=rounded)


def with_changes(
    network: RealNetwork,
    quantized: QuantizedNetwork,
    inputs: SpikeInput,
    input_shape: Shape | None = None,
) -> QuantizedNetwork:
    """Return the same quantized network with the changed spikes of each layer in its losses."""
    return _with_changes(quantized, layer_changes(network, quantized, inputs, input_shape))


def _with_changes(quantized: QuantizedNetwork, changes: Mapping[str, Change]) -> QuantizedNetwork:
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Search:
    """The search for the scale of one layer."""

    each: TimedLayer
    layer: SynapticLayer
    values: RealValues
    given: LayerPlan
    profile: HardwareProfile
    target: _Target
    arriving: Batches
    compensation: Compensation | None
    widest: WeightGrid

    @classmethod
    def of(
        cls,
        each: TimedLayer,
        values: RealValues,
        given: LayerPlan,
        profile: HardwareProfile,
        target: _Target,
        arriving: Batches,
    ) -> _Search | None:
        """Return the search, or None where nothing is to be found: whole numbers, fixed scales."""
        layer = each.layer
        assert isinstance(layer, SynapticLayer)
        if is_whole(values, given.bits, profile) or not is_scale_free(layer.neuron):
            return None
        return cls(
            each=each,
            layer=layer,
            values=values,
            given=given,
            profile=profile,
            target=target,
            arriving=arriving,
            compensation=compensation_for(each, values, arriving),
            widest=widest_grid(sign_mode_of(all_weights(values), given.bits), given.bits, profile),
        )

    def run(self, objective: Objective) -> tuple[LayerPlan, IntArray | None]:
        """Return the plan that changes least, and the weights that go with it."""
        judged: dict[LayerPlan, Change] = {}

        def judge(levels: float, halvings: int) -> None:
            plan = self._plan(levels, halvings)
            if plan not in judged:
                judged[plan] = self._judge(plan)

        def best() -> LayerPlan:
            # of equals, the one with the largest scale, whose states are finest
            return min(judged, key=lambda plan: (judged[plan].key(objective), -_scale(plan)))

        starts = [
            choose_scale(self.layer, self.values, replace(self.given, method=m), self.profile)
            for m in PLAIN_METHODS
        ]
        halvings = max(start.halvings for start in starts)
        levels = [start.levels_per_unit for start in starts]
        candidates = np.geomspace(min(levels) / MARGIN, max(levels) * MARGIN, TRIED)
        ratio = float(candidates[1] / candidates[0])
        for tried in [*levels, *candidates]:
            judge(float(tried), halvings)
        for _ in range(2):
            middle = self._levels(best())
            for tried in np.geomspace(middle / ratio, middle * ratio, REFINED):
                judge(float(tried), halvings)
            ratio = ratio ** (2 / (REFINED - 1))
        while judged[best()].overflows and best().halvings == halvings < self.widest.most_halvings:
            # states leave their registers: smaller weights of the same levels may change less
            halvings += 1
            judge(self._levels(best()), halvings)
        return best(), self._rounded(best())

    def _plan(self, levels: float, halvings: int) -> LayerPlan:
        grid = self.widest.halved(halvings)
        found = LayerScale(scale=levels * grid.step, grid=grid, halvings=halvings)
        found = with_whole_threshold(found, self.layer.neuron, self.values, Method.CALIBRATED)
        return replace(
            self.given, method=Method.CALIBRATED, scale=found.scale, halvings=found.halvings
        )

    def _levels(self, plan: LayerPlan) -> float:
        return _scale(plan) / self._grid(plan).step

    def _grid(self, plan: LayerPlan) -> WeightGrid:
        return self.widest.halved(plan.halvings or 0)

    def _rounded(self, plan: LayerPlan) -> IntArray | None:
        if self.compensation is None:
            return None
        return self.compensation.round(self.values.weight, self._grid(plan), self._levels(plan))

    def _judge(self, plan: LayerPlan) -> Change:
        layer, _ = quantize_layer(
            self.layer, self.values, plan, self.profile, rounded=self._rounded(plan)
        )
        whole = replace(self.each, layer=layer)
        runs = (run_whole_layer(whole, batch) for batch in self.arriving)
        return self.target.compare(runs, _scale(plan))


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
