"""``lavadeploy compile``: from a NetX file to an artifact for a chip."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lavadeploy.compile import (
    CompileReport,
    LayerLoss,
    compile_network,
    report_compilation,
    save_artifact,
)
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import RealNetwork, read_any_netx
from lavadeploy.scripts.console import (
    InputShapeOption,
    JsonOption,
    emit,
    parse_shape,
    print_table,
    say,
    shape_text,
)
from lavadeploy.scripts.quantization_options import (
    AccuracyBudgetOption,
    BitsOption,
    CalibrationOption,
    MemoryBudgetOption,
    MethodOption,
    ObjectiveOption,
    PercentileOption,
    quantize_for_compile,
    refuse_quantization,
    show_losses,
)


def compile_(
    network: Annotated[Path, typer.Argument(help="A NetX file.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The artifact, say net.ldc.")],
    profile: Annotated[str, typer.Option(help="A chip (lavadeploy profiles).")] = "loihi2",
    input_shape: InputShapeOption = None,
    bits: BitsOption = None,
    method: MethodOption = None,
    percentile: PercentileOption = None,
    calibration: CalibrationOption = None,
    objective: ObjectiveOption = None,
    accuracy_budget: AccuracyBudgetOption = None,
    memory_budget: MemoryBudgetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compile a network for a chip and write the artifact; one of real numbers is quantized."""
    chip, shape = load_profile(profile), parse_shape(input_shape)
    found = read_any_netx(network)
    losses: tuple[LayerLoss, ...] = ()
    if isinstance(found, RealNetwork):
        quantized = quantize_for_compile(
            found,
            chip,
            bits=bits,
            method=method,
            percentile=percentile,
            calibration=calibration,
            objective=objective,
            accuracy_budget=accuracy_budget,
            memory_budget=memory_budget,
            input_shape=shape,
        )
        found, losses = quantized.network, quantized.losses
    else:
        refuse_quantization(
            bits, method, percentile, calibration, objective, accuracy_budget, memory_budget
        )
    compiled = compile_network(found, chip, input_shape=shape)
    save_artifact(compiled, output)
    report = report_compilation(compiled)

    def show() -> None:
        if losses:
            show_losses(losses)
        show_compile_report(report)
        say(f"Written: {output}")

    emit(report, as_json=as_json, output=None, show=show)


def show_compile_report(report: CompileReport) -> None:
    """Print registers and cores of each layer."""
    columns = ("layer", "kind", "out", "bits", "exp", "signs", "cores", "nearest its limit")
    rows = [
        (
            layer.name,
            layer.kind,
            shape_text(layer.shape_out),
            _text(layer.weight_bits),
            _text(layer.weight_exponent),
            _text(layer.sign_mode),
            str(layer.cores),
            layer.fullest,
        )
        for layer in report.layers
    ]
    print_table(columns, rows)
    say(f"{report.cores} cores of {report.profile}, {report.synapse_words} synapse words.")
    for warning in report.warnings:
        say(f"warning: {warning}")


def _text(value: int | str | None) -> str:
    return "" if value is None else str(value)
