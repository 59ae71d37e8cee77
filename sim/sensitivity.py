"""How much each layer minds fewer bits, and what that costs in accuracy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compile import Method, QuantizationPlan, Quantize, QuantizedNetwork, plan_uniformly
from ..hw_profiles import HardwareProfile
from ..netx import RealNetwork, Shape
from .backend import ignore_progress
from .real_run import run_real_network
from .spike_input import SpikeInput
from .time_first import answer_of, answering_layer
from .whole_run import whole_answer

MOST_BITS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """What happens when a single layer is quantized and all others are left at the most bits.

    Attributes
    ----------
    layer : str
        Its name.
    bits : int
        Its width.
    output_spikes_changed : int
        Places (sample, neuron, step) of the last layer that have a spike in this network only or
        in the one with the most bits only; where the last layer answers in voltages, places
        (sample, step) at which another neuron's is the highest.
    predictions_changed : int
        Samples that another output neuron wins.
    """

    layer: str
    bits: int
    output_spikes_changed: int
    predictions_changed: int


def measure_sensitivity(
    network: RealNetwork,
    profile: HardwareProfile,
    inputs: SpikeInput,
    *,
    input_shape: Shape | None = None,
    method: Method = Method.LEAST_SQUARES,
    on_progress: Callable[[int], None] = ignore_progress,
) -> tuple[Sensitivity, ...]:
    """Measure how much the output changes when one layer after the other gets fewer bits.

    Parameters
    ----------
    network : RealNetwork
        A chain of layers with CUBA neurons that send spikes.
    profile : HardwareProfile
        Gives the legal widths; those up to 8 are tried.
    inputs : SpikeInput
        Some hundred samples.
    input_shape : tuple of int, optional
        See `infer_shapes`.
    method : Method
        How scales are found here; not calibrated, which would try each dozens of times.
    on_progress : callable
        Called with the number of rows done so far.

    Returns
    -------
    tuple of Sensitivity
        Layer by layer in forward order, most bits first. The network they are compared with has
        the most bits in every layer, so that what is counted is the one layer's doing.
    """
    widths = legal_widths(profile)
    full = plan_uniformly(network, widths[0], method)
    before = _outputs(network, full, profile, inputs, input_shape)
    found: list[Sensitivity] = []
    for name, layer in full.layers.items():
        for bits in widths:
            plan = full.with_layer(name, replace(layer, bits=bits))
            after = _outputs(network, plan, profile, inputs, input_shape)
            found.append(
                Sensitivity(
                    layer=name,
                    bits=bits,
                    output_spikes_changed=_changed(after, before),
                    predictions_changed=int(
                        np.count_nonzero(predictions(after) != predictions(before))
                    ),
                )
            )
            on_progress(len(found))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationAccuracy:
    """Which part of samples a network is right on, 0 to 1, before and after quantization.

    Attributes
    ----------
    samples : int
        How many there are. Weights may have been fitted to them: new data say more.
    real, quantized : float
        Parts that the network of real numbers and the quantized one are right on.
    """

    samples: int
    real: float
    quantized: float


def calibration_accuracy(
    network: RealNetwork,
    quantized: QuantizedNetwork,
    inputs: SpikeInput,
    input_shape: Shape | None = None,
) -> CalibrationAccuracy:
    """Compare a network before and after quantization by the labels of samples.

    Raises
    ------
    ValueError
        When the samples have no labels.
    UnsupportedNetworkError
        See `timed_layers`.
    """
    if inputs.labels is None:
        raise ValueError("samples without labels have no accuracy")
    before = predictions(real_output(network, inputs, input_shape))
    after = predictions(whole_answer(quantized.network, inputs.spikes, input_shape))
    return CalibrationAccuracy(
        samples=inputs.n_samples,
        real=float((before == inputs.labels).mean()),
        quantized=float((after == inputs.labels).mean()),
    )


def accuracy_loss(
    network: RealNetwork,
    quantized: QuantizedNetwork,
    inputs: SpikeInput,
    input_shape: Shape | None = None,
) -> float:
    """Return the percentage points lost against the real network; see `BitChoice`."""
    if inputs.labels is not None:
        found = calibration_accuracy(network, quantized, inputs, input_shape)
        return 100 * (found.real - found.quantized)
    before = predictions(real_output(network, inputs, input_shape))
    after = predictions(whole_answer(quantized.network, inputs.spikes, input_shape))
    return 100 * float((before != after).mean())


def real_output(
    network: RealNetwork, inputs: SpikeInput, input_shape: Shape | None = None
) -> NDArray[Any]:
    """Return what the real network answers in, (N, neurons, T): see `whole_answer`."""
    runs = list(run_real_network(network, inputs.spikes, input_shape))
    return answer_of(runs, answering_layer(network.nearest))


def predictions(output: NDArray[Any]) -> NDArray[np.int64]:
    """Return the neuron with the most spikes, or the highest voltage on average, of each sample.

    Of equals, the first.
    """
    return output.sum(axis=2).argmax(axis=1).astype(np.int64)


def _changed(after: NDArray[Any], before: NDArray[Any]) -> int:
    """Count the spikes that changed; of voltages, the steps in which another one is highest."""
    if after.dtype.kind == "f":  # their scales differ with the bits
        after, before = after.argmax(axis=1), before.argmax(axis=1)
    return int(np.count_nonzero(after != before))


def legal_widths(profile: HardwareProfile) -> tuple[int, ...]:
    """Return the widths of the profile from 8 bits down."""
    return tuple(
        sorted((b for b in profile.formats.weight_bits.value if b <= MOST_BITS), reverse=True)
    )


def _outputs(
    network: RealNetwork,
    plan: QuantizationPlan,
    profile: HardwareProfile,
    inputs: SpikeInput,
    input_shape: Shape | None,
) -> NDArray[Any]:
    quantized = Quantize(profile=profile, plan=plan).run(network)
    return whole_answer(quantized.network, inputs.spikes, input_shape)
