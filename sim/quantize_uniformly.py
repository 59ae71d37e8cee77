"""One width and one method for a whole network of real numbers, with data or without."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..compile import (
    DEFAULT_PERCENTILE,
    Method,
    Quantize,
    QuantizedNetwork,
    plan_uniformly,
)
from ..hw_profiles import HardwareProfile
from ..netx import OptionError, RealNetwork, Shape
from .backend import ignore_progress
from .calibrate import calibrate
from .spike_changes import DEFAULT_OBJECTIVE, Objective, with_changes
from .spike_input import SpikeInput


def default_method(inputs: SpikeInput | None) -> Method:
    """Return the method where none is named: calibrated where there are samples to do it on."""
    return Method.LEAST_SQUARES if inputs is None else Method.CALIBRATED


def quantize_uniformly(
    network: RealNetwork,
    profile: HardwareProfile,
    bits: int | Mapping[str, int],
    *,
    method: Method | None = None,
    percentile: float | None = None,
    inputs: SpikeInput | None = None,
    objective: Objective | None = None,
    input_shape: Shape | None = None,
    bounded: bool = False,
    on_progress: Callable[[int], None] = ignore_progress,
) -> QuantizedNetwork:
    """Quantize every layer by one method.

    Parameters
    ----------
    network : RealNetwork
        What was read.
    profile : HardwareProfile
        The chip.
    bits : int, or mapping of str to int
        One width, or one for every layer by name.
    method : Method, optional
        See `default_method`.
    percentile : float, optional
        See `LayerPlan`; used by `Method.PERCENTILE` only.
    inputs : SpikeInput, optional
        Training samples, to calibrate on or to count changed spikes on.
    objective, input_shape, on_progress
        See `calibrate`.
    bounded : bool
        See `LayerPlan`.

    Raises
    ------
    OptionError
        When the method needs samples and there are none.
    UnsupportedNetworkError
        For widths that the profile does not have, and networks that cannot be calibrated.
    """
    method = method or default_method(inputs)
    if method is Method.CALIBRATED:
        if inputs is None:
            raise OptionError("the method 'calibrated' needs training samples, and there are none.")
        return calibrate(
            network,
            profile,
            inputs,
            bits,
            objective=objective or DEFAULT_OBJECTIVE,
            input_shape=input_shape,
            bounded=bounded,
            on_progress=on_progress,
        )
    plan = plan_uniformly(
        network,
        bits,
        method,
        percentile=DEFAULT_PERCENTILE if percentile is None else percentile,
        bounded=bounded,
    )
    quantized = Quantize(profile=profile, plan=plan).run(network)
    return quantized if inputs is None else with_changes(network, quantized, inputs, input_shape)
