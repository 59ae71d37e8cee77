"""``lavadeploy inspect``: what is in a NetX file, or what changed between two."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lavadeploy.netx import (
    Network,
    OptionError,
    RealNetwork,
    diff_networks,
    read_any_netx,
    read_netx,
    summarize_network,
)
from lavadeploy.scripts.console import (
    InputShapeOption,
    JsonFileOption,
    JsonOption,
    emit,
    parse_shape,
    say,
)
from lavadeploy.scripts.entry import EXIT_DID_NOT_HOLD
from lavadeploy.scripts.network_tables import show_changes, show_layers


def inspect(
    network: Annotated[Path, typer.Argument(help="A NetX file or a compiled artifact.")],
    diff: Annotated[
        Path | None, typer.Option(help="Another such file: show what changed from one to this.")
    ] = None,
    input_shape: InputShapeOption = None,
    as_json: JsonOption = False,
    output: JsonFileOption = None,
) -> None:
    """Show what is in a NetX file, or what changed between two.

    Each layer's shapes, kernel, weights and neurons, with time constants in steps. Of a network
    that is not quantized the nearest whole numbers are shown.
    With --diff: exit code 1 when the networks differ.
    """
    if diff is None:
        _inspect(network, read_any_netx(network), input_shape, as_json=as_json, output=output)
        return
    if input_shape is not None:
        raise OptionError("--input-shape does not go with --diff: shapes are compared as stored.")
    read, other = read_netx(network), read_netx(diff)
    changes = diff_networks(read, other)
    data = {
        "file": str(network),
        "other": str(diff),
        **_hash("sha256", read),
        **_hash("other_sha256", other),
        "equal": not changes,
        "changes": changes,
        "warnings": read.warnings,
        "other_warnings": other.warnings,
    }

    def show() -> None:
        if changes:
            show_changes(changes)
            count = "1 difference" if len(changes) == 1 else f"{len(changes)} differences"
            say(f"{count} from {network} to {diff}. Of an array, the first values that differ.")
        else:
            say(f"No difference in {len(read.layers)} layers.")
        # what was not kept is not compared either
        for path, warnings in ((network, read.warnings), (diff, other.warnings)):
            for warning in warnings:
                say(f"warning: {path}: {warning}")

    emit(data, as_json=as_json, output=output, show=show)
    if changes:
        raise typer.Exit(EXIT_DID_NOT_HOLD)


def _inspect(
    path: Path,
    read: Network | RealNetwork,
    input_shape: str | None,
    *,
    as_json: bool,
    output: Path | None,
) -> None:
    network = read.nearest if isinstance(read, RealNetwork) else read
    layers = summarize_network(network, parse_shape(input_shape))
    data = {
        "file": str(path),
        **_hash("sha256", network),
        "has_fractions": isinstance(read, RealNetwork),
        "layers": layers,
        "warnings": network.warnings,
    }

    def show() -> None:
        show_layers(layers)
        if isinstance(read, RealNetwork):
            say(
                "Its numbers are real; shown are the nearest whole ones. Quantize it: "
                f"lavadeploy compile {path} --bits 8"
            )
        for warning in network.warnings:
            say(f"warning: {warning}")

    emit(data, as_json=as_json, output=output, show=show)


def _hash(key: str, network: Network) -> dict[str, Any]:
    return {} if network.source is None else {key: network.source.sha256}
