"""Quantization by the user's data: the weights and scales that change least on it.

Layer after layer, scales around those of the methods without data are tried (`scale_search`). Each
is judged by an exact run of the layer on what the layers before it, quantized already, send; the
target is what the layer does in the network of real numbers. Weights of dense layers and
convolutions are rounded so that their errors cancel on the data (`compensated_rounding`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from ..compile import QuantizationPlan, Quantize, QuantizedNetwork, plan_uniformly
from ..compile.passes.quantize import check_widths, quantize_layer
from ..hw_profiles import HardwareProfile
from ..netx import IntArray, RealNetwork, Shape, SynapticLayer
from .backend import ignore_progress
from .scale_search import PLAIN_METHODS, ScaleSearch
from .spike_changes import (
    DEFAULT_OBJECTIVE,
    Objective,
    Target,
    add_changes,
    in_batches,
    layer_changes,
)
from .spike_input import SpikeInput
from .time_first import timed_layers
from .whole_run import run_whole_layer

CALIBRATION_TRIALS = 1 + 2 * len(PLAIN_METHODS)


def calibrate(
    network: RealNetwork,
    profile: HardwareProfile,
    inputs: SpikeInput,
    bits: int | Mapping[str, int],
    *,
    objective: Objective = DEFAULT_OBJECTIVE,
    input_shape: Shape | None = None,
    bounded: bool = False,
    on_progress: Callable[[int], None] = ignore_progress,
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
    bounded : bool
        See `LayerPlan`.
    on_progress : callable
        Called with the number of trials done so far, of `CALIBRATION_TRIALS`.

    Returns
    -------
    QuantizedNetwork
        The same for the same input. On these data the output is by the objective at least as near
        as by any method without data; where one of those is nearer, it is taken. Layers of whole
        numbers that fit are left as they are. The losses state the changed spikes.

    Raises
    ------
    UnsupportedNetworkError
        For widths that the profile does not have, and networks that cannot be run in floating point
        (`timed_layers`).
    """
    plans = [plan_uniformly(network, bits, method, bounded=bounded) for method in PLAIN_METHODS]
    check_widths(plans[0], profile)
    # weights rounded with the data at scales found with them, at scales found without, and plainly
    trials = [
        lambda: _layer_by_layer(network, profile, inputs, plans[-1], objective, input_shape),
        *(
            partial(_layer_by_layer, network, profile, inputs, plan, None, input_shape)
            for plan in plans
        ),
        *(partial(Quantize, profile=profile, plan=plan) for plan in plans),
    ]
    found: list[QuantizedNetwork] = []
    for trial in trials:
        found.append(trial().run(network))
        on_progress(len(found))
    changes = [layer_changes(network, each, inputs, input_shape) for each in found]
    # of equals the first: the calibrated one
    keys = [list(each.values())[-1].key(objective) for each in changes]
    best = keys.index(min(keys))
    return add_changes(found[best], changes[best], inputs)


def _layer_by_layer(
    network: RealNetwork,
    profile: HardwareProfile,
    inputs: SpikeInput,
    start: QuantizationPlan,
    objective: Objective | None,
    input_shape: Shape | None,
) -> Quantize:
    """Return the pass with a scale and rounded weights for every layer, each given those before.

    Without an objective, scales are those of the plan's method.
    """
    timed, before = timed_layers(network.nearest, inputs.spikes, input_shape)
    real_in = in_batches(inputs.spikes, before, timed)
    whole_in = real_in
    plan = start
    rounded: dict[str, IntArray] = {}
    for each in timed:
        target = Target.of(each, network, real_in)
        quantized = each
        if isinstance(each.layer, SynapticLayer):
            name, values = each.layer.name, network.values[each.layer.name]
            search = ScaleSearch.of(each, values, start.layers[name], profile, target, whole_in)
            chosen, weights = (start.layers[name], None)
            if search is not None:
                chosen, weights = search.plain() if objective is None else search.run(objective)
            layer, _ = quantize_layer(each.layer, values, chosen, profile, rounded=weights)
            quantized = replace(each, layer=layer)
            plan = plan.with_layer(name, chosen)
            if weights is not None:
                rounded[name] = weights
        whole_in = [run_whole_layer(quantized, batch).output for batch in whole_in]
        real_in = target.output
    return Quantize(profile=profile, plan=plan, rounded=rounded)
