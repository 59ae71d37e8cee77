"""``lavadeploy compile``: from a NetX file to an artifact for a chip."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lavadeploy.compile import (
    CompileReport,
    compile_network,
    report_compilation,
    save_artifact,
)
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import read_netx
from lavadeploy.scripts.console import (
    InputShapeOption,
    JsonOption,
    emit,
    parse_shape,
    print_table,
    say,
    shape_text,
)


def compile_(
    network: Annotated[Path, typer.Argument(help="A NetX file.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The artifact, say net.ldc.")],
    profile: Annotated[str, typer.Option(help="A chip (lavadeploy profiles).")] = "loihi2",
    input_shape: InputShapeOption = None,
    strict: Annotated[
        bool, typer.Option(help="Refuse states that are not proved to fit 24 bits.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compile a network for a chip and write the artifact."""
    compiled = compile_network(
        read_netx(network),
        load_profile(profile),
        input_shape=parse_shape(input_shape),
        strict=strict,
    )
    save_artifact(compiled, output)
    report = report_compilation(compiled)

    def show() -> None:
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
