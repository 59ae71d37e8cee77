"""The options of ``lavadeploy compile`` for networks of real numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lavadeploy.compile import (
    Method,
    Quantize,
    QuantizedNetwork,
)
from lavadeploy.hw_profiles import HardwareProfile
from lavadeploy.netx import OptionError, RealNetwork, Shape
from lavadeploy.scripts.console import progress
from lavadeploy.sim import (
    CALIBRATION_TRIALS,
    DEFAULT_OBJECTIVE,
    Objective,
    Sensitivity,
    SpikeInput,
    choose_bits,
    default_method,
    legal_widths,
    measure_sensitivity,
    most_trials,
    quantize_uniformly,
)

DEFAULT_BITS = "8"

BitsOption = Annotated[
    str | None,
    typer.Option(help="Weight bits: 8, or layer0=8,layer1=4. Real networks; 8 if left out."),
]
MethodOption = Annotated[
    Method | None,
    typer.Option(help="How weights are scaled; calibrated if --calibration is given."),
]
PercentileOption = Annotated[
    float | None, typer.Option(help="For --method percentile: what is not clipped, in percent.")
]
CalibrationOption = Annotated[
    Path | None,
    typer.Option(help="Training samples (.npz) to quantize by and to count changed spikes on."),
]
ObjectiveOption = Annotated[
    Objective | None, typer.Option(help="What calibration makes least; membrane if left out.")
]
AccuracyBudgetOption = Annotated[
    float | None,
    typer.Option(help="Choose bits per layer: percentage points lost on the calibration samples."),
]
MemoryBudgetOption = Annotated[
    int | None, typer.Option(help="Choose bits per layer: words of synapse memory to use at most.")
]

SensitivityOption = Annotated[
    bool,
    typer.Option("--sensitivity", help="Show what fewer bits of one layer change, by layer."),
]


def quantize_for_compile(
    network: RealNetwork,
    profile: HardwareProfile,
    *,
    bits: str | None = None,
    method: Method | None = None,
    percentile: float | None = None,
    inputs: SpikeInput | None = None,
    objective: Objective | None = None,
    accuracy_budget: float | None = None,
    memory_budget: int | None = None,
    input_shape: Shape | None = None,
    bounded: bool = False,
) -> QuantizedNetwork:
    """Quantize a network as the options of the command say.

    Parameters
    ----------
    network : RealNetwork
        What was read.
    profile : HardwareProfile
        The chip.
    bits : str, optional
        One width, or one for each layer by name, see `parse_bits`.
    method, percentile, objective, accuracy_budget, memory_budget
        See `LayerPlan`, `calibrate` and `choose_bits`.
    inputs : SpikeInput, optional
        Training samples (``--calibration``).
    input_shape : tuple of int, optional
        See `infer_shapes`.
    bounded : bool
        See `LayerPlan`.

    Raises
    ------
    OptionError
        When options contradict each other, or one needs another that is missing.
    UnsupportedNetworkError
        For widths that the profile does not have, and networks that cannot be calibrated.
    """
    has_budget = accuracy_budget is not None or memory_budget is not None
    if inputs is None and has_budget:
        raise OptionError("a budget needs training samples: give --calibration samples.npz.")
    method = chosen_method(method, percentile, inputs, objective)
    is_calibrated = method is Method.CALIBRATED
    if has_budget and (bits is not None or not is_calibrated):
        raise OptionError("a budget chooses bits and scales: leave out --bits and --method.")
    if inputs is not None and has_budget:
        with progress(most_trials(network, profile), "choosing bits") as on_progress:
            quantized = choose_bits(
                network,
                profile,
                inputs,
                accuracy_budget=accuracy_budget,
                memory_budget_words=memory_budget,
                input_shape=input_shape,
                objective=objective or DEFAULT_OBJECTIVE,
                on_progress=on_progress,
            ).quantized
    else:
        what = "calibrating" if is_calibrated else "quantizing"
        with progress(CALIBRATION_TRIALS, what) as on_progress:
            quantized = quantize_uniformly(
                network,
                profile,
                parse_bits(bits or DEFAULT_BITS),
                method=method,
                percentile=percentile,
                inputs=inputs,
                objective=objective,
                input_shape=input_shape,
                bounded=bounded,
                on_progress=on_progress,
            )
    Quantize(profile=profile, plan=quantized.plan).ensures(network, quantized)
    return quantized


def chosen_method(
    method: Method | None,
    percentile: float | None,
    inputs: SpikeInput | None,
    objective: Objective | None,
) -> Method:
    """Return the method that the options ask for, or the default.

    Raises
    ------
    OptionError
        When options contradict each other, or one needs another that is missing.
    """
    method = method or default_method(inputs)
    is_calibrated = method is Method.CALIBRATED
    if inputs is None and is_calibrated:
        raise OptionError(
            "the method 'calibrated' needs training samples: give --calibration samples.npz."
        )
    if percentile is not None and method is not Method.PERCENTILE:
        raise OptionError("--percentile belongs to --method percentile.")
    if objective is not None and not is_calibrated:
        raise OptionError("--objective belongs to --method calibrated.")
    return method


def sensitivity_rows(
    network: RealNetwork,
    profile: HardwareProfile,
    inputs: SpikeInput | None,
    input_shape: Shape | None,
) -> tuple[Sensitivity, ...]:
    """Return what fewer bits of one layer change on the calibration samples.

    Raises
    ------
    OptionError
        When there are no samples.
    """
    if inputs is None:
        raise OptionError("--sensitivity needs training samples: give --calibration samples.npz.")
    total = len(network.values) * len(legal_widths(profile))
    with progress(total, "measuring sensitivity") as on_progress:
        return measure_sensitivity(
            network, profile, inputs, input_shape=input_shape, on_progress=on_progress
        )


def refuse_quantization(*given: object) -> None:
    """Raise `OptionError` when options for real networks were given with a whole one.

    Parameters
    ----------
    *given
        The options' values; None where an option was left out.
    """
    if any(value is not None for value in given):
        raise OptionError(
            "the file holds whole numbers already, so nothing is rounded: leave out the options of "
            "quantization, or compile the file of real numbers that it was made from."
        )


def parse_bits(text: str) -> int | dict[str, int]:
    """Return ``'8'`` as a number, ``'layer0=8,layer1=4'`` as numbers by layer.

    Examples
    --------
    >>> parse_bits("layer0=8,layer1=4")
    {'layer0': 8, 'layer1': 4}
    """
    if text.strip().isdecimal():
        return int(text)
    found: dict[str, int] = {}
    for part in text.split(","):
        name, _, width = (piece.strip() for piece in part.partition("="))
        if not name or not width.isdecimal() or name in found:
            raise OptionError(
                f"bits '{text}'; a number, or one for each layer was expected, for example 8 or "
                "layer0=8,layer1=4."
            )
        found[name] = int(width)
    return found
