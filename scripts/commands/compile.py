"""``lavadeploy compile``: from a NetX file to an artifact for a chip."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import typer

from lavadeploy.compile import (
    QuantizedNetwork,
    compile_network,
    report_compilation,
    save_artifact,
)
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import OptionError, RealNetwork, read_any_netx
from lavadeploy.scripts.compile_tables import (
    show_accuracy,
    show_compile_report,
    show_sensitivity,
)
from lavadeploy.scripts.console import InputShapeOption, JsonOption, emit, parse_shape, say
from lavadeploy.scripts.quantization_options import (
    AccuracyBudgetOption,
    BitsOption,
    CalibrationOption,
    MemoryBudgetOption,
    MethodOption,
    ObjectiveOption,
    PercentileOption,
    SensitivityOption,
    quantize_for_compile,
    refuse_quantization,
    sensitivity_rows,
)
from lavadeploy.sim import (
    CalibrationAccuracy,
    Sensitivity,
    calibration_accuracy,
    load_spike_input,
    measure_spike_rates,
)


def compile_(
    network: Annotated[Path, typer.Argument(help="A NetX file, or an artifact.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The artifact, say net.ldc.")
    ] = None,
    profile: Annotated[str, typer.Option(help="A chip (lavadeploy profiles).")] = "loihi2",
    input_shape: InputShapeOption = None,
    bits: BitsOption = None,
    method: MethodOption = None,
    percentile: PercentileOption = None,
    calibration: CalibrationOption = None,
    objective: ObjectiveOption = None,
    accuracy_budget: AccuracyBudgetOption = None,
    memory_budget: MemoryBudgetOption = None,
    sensitivity: SensitivityOption = False,
    allow_approximate: Annotated[
        bool, typer.Option("--allow-approximate", help="Lower layers with rounding if need be.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse states not proved to stay in their registers.")
    ] = False,
    estimate_only: Annotated[
        bool, typer.Option("--estimate-only", help="Show the report, write nothing.")
    ] = False,
    timestamp: Annotated[
        bool,
        typer.Option(help="State the time; without it the same input gives the same bytes."),
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Compile a network for a chip and write the artifact; one of real numbers is quantized.

    With calibration samples cores are placed by the spikes that they cause.
    """
    if output is None and not estimate_only:
        raise OptionError("name the artifact to write: -o net.ldc, or ask for --estimate-only.")
    if output is not None and _are_one_file(output, network):
        raise OptionError(f"'{output}' is the network itself; name another file for the artifact.")
    chip, shape = load_profile(profile), parse_shape(input_shape)
    found = read_any_netx(network)
    inputs = None if calibration is None else load_spike_input(calibration)
    rows: tuple[Sensitivity, ...] = ()
    accuracy: CalibrationAccuracy | None = None
    if isinstance(found, RealNetwork):
        if sensitivity:
            rows = sensitivity_rows(found, chip, inputs, shape)
        quantized = quantize_for_compile(
            found,
            chip,
            bits=bits,
            method=method,
            percentile=percentile,
            inputs=inputs,
            objective=objective,
            accuracy_budget=accuracy_budget,
            memory_budget=memory_budget,
            input_shape=shape,
            bounded=strict,
        )
        if inputs is not None and inputs.labels is not None:
            accuracy = calibration_accuracy(found, quantized, inputs, shape)
        found = quantized
    else:
        refuse_quantization(
            bits, method, percentile, objective, accuracy_budget, memory_budget, sensitivity or None
        )
    whole = found.network if isinstance(found, QuantizedNetwork) else found
    rates = None if inputs is None else measure_spike_rates(whole, inputs, shape)
    compiled = compile_network(
        found,
        chip,
        input_shape=shape,
        allow_approximate=allow_approximate,
        strict=strict,
        spike_rates=rates,
        calibration_sha256="" if inputs is None else inputs.sha256(),
        created=datetime.now(timezone.utc).isoformat(timespec="seconds") if timestamp else "",
    )
    if output is not None and not estimate_only:
        save_artifact(compiled, output)
    report = report_compilation(compiled, rates)

    def show() -> None:
        show_sensitivity(rows)
        show_accuracy(accuracy)
        show_compile_report(report)
        say("Nothing written." if estimate_only else f"Written: {output}")

    data = {**asdict(report), "sensitivity": rows, "calibration_accuracy": accuracy}
    emit(data, as_json=as_json, output=None, show=show)


def _are_one_file(a: Path, b: Path) -> bool:
    try:
        return a.samefile(b)
    except OSError:  # one is not there, or cannot be
        return False
