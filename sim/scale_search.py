"""The scale of one layer by trial: each tried is judged by an exact run of the layer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..compile import LayerPlan, Method
from ..compile.layer_scale import (
    LayerScale,
    all_weights,
    choose_scale,
    fit_registers,
    is_scale_free,
    is_whole,
)
from ..compile.passes.quantize import quantize_layer
from ..compile.weight_grids import WeightGrid, sign_mode_of, widest_grid
from ..hw_profiles import HardwareProfile
from ..netx import IntArray, RealValues, SynapticLayer
from .compensated_rounding import Compensation, compensation_for
from .spike_changes import Batches, LayerChange, Objective, Target
from .time_first import TimedLayer
from .whole_run import run_whole_layer

PLAIN_METHODS = (Method.LARGEST, Method.PERCENTILE, Method.LEAST_SQUARES)
TRIED = 17  # scales in the first round, from a quarter below the plain methods' to a quarter above
MARGIN = 1.25
REFINED = 9  # scales in each of two further rounds, between the neighbours of the best


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScaleSearch:
    """The search for the scale of one layer."""

    each: TimedLayer
    layer: SynapticLayer
    values: RealValues
    given: LayerPlan
    profile: HardwareProfile
    target: Target
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
        target: Target,
        arriving: Batches,
    ) -> ScaleSearch | None:
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

    def plain(self) -> tuple[LayerPlan, IntArray | None]:
        """Return the plan at the scale of the given method, and the weights that go with it."""
        found = choose_scale(self.layer, self.values, self.given, self.profile)
        plan = replace(
            self.given, method=Method.CALIBRATED, scale=found.scale, halvings=found.halvings
        )
        return plan, self._rounded(plan)

    def run(self, objective: Objective) -> tuple[LayerPlan, IntArray | None]:
        """Return the plan that changes least, and the weights that go with it."""
        judged: dict[LayerPlan, LayerChange] = {}

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
        found = fit_registers(found, self.layer, self.values, Method.CALIBRATED, self.profile)
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

    def _judge(self, plan: LayerPlan) -> LayerChange:
        layer, _ = quantize_layer(
            self.layer, self.values, plan, self.profile, rounded=self._rounded(plan)
        )
        whole = replace(self.each, layer=layer)
        runs = (run_whole_layer(whole, batch) for batch in self.arriving)
        return self.target.compare(runs, _scale(plan))


def _scale(plan: LayerPlan) -> float:
    assert plan.scale is not None
    return plan.scale
