"""``lavadeploy inspect``: what is in a NetX file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lavadeploy.netx import LayerSummary, read_netx, summarize_network
from lavadeploy.scripts.console import (
    InputShapeOption,
    JsonFileOption,
    JsonOption,
    emit,
    parse_shape,
    print_table,
    say,
    shape_text,
)


def inspect(
    network: Annotated[Path, typer.Argument(help="A NetX file or a compiled artifact.")],
    input_shape: InputShapeOption = None,
    as_json: JsonOption = False,
    output: JsonFileOption = None,
) -> None:
    """Show what is in a NetX file.

    Layers, shapes (C×H×W), neurons and weight ranges.
    """
    read = read_netx(network)
    layers = summarize_network(read, parse_shape(input_shape))
    data = {"file": str(network), "layers": layers, "warnings": read.warnings}
    if read.source is not None:
        data["sha256"] = read.source.sha256

    def show() -> None:
        columns = ("layer", "kind", "in", "out", "weights", "range", "vth", "du", "dv", "more")
        print_table(columns, [_row(layer) for layer in layers])
        neurons, weights = sum(s.neurons for s in layers), sum(s.weights for s in layers)
        say(f"{neurons} neurons, {weights} weights. Weights and thresholds in units of 1/64,")
        say("decays du (current) and dv (voltage) in parts of 4096 a step.")
        for warning in read.warnings:
            say(f"warning: {warning}")

    emit(data, as_json=as_json, output=output, show=show)


def _row(layer: LayerSummary) -> tuple[str, ...]:
    more = ["bias"] if layer.bias else []
    if layer.delay_max is not None:
        more.append(f"delay ≤ {layer.delay_max}")
    return (
        layer.name,
        layer.kind,
        shape_text(layer.shape_in),
        shape_text(layer.shape_out),
        str(layer.weights or "-"),
        "-" if layer.weight_min is None else f"{layer.weight_min}..{layer.weight_max}",
        "-" if layer.vth_mantissa is None else str(layer.vth_mantissa),
        _span(layer.current_decay),
        _span(layer.voltage_decay),
        ", ".join(more),
    )


def _span(values: tuple[int, int] | None) -> str:
    if values is None:
        return "-"
    return str(values[0]) if values[0] == values[1] else f"{values[0]}..{values[1]}"
