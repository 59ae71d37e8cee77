"""The compile report as narrow tables."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lavadeploy.compile import CompileReport, LayerLoss, StateReport, Verdict, loss_tables
from lavadeploy.scripts.console import print_table, say, shape_text
from lavadeploy.sim import CalibrationAccuracy, Sensitivity


def show_compile_report(report: CompileReport) -> None:
    """Print what was lowered, lost and placed, what is near a limit, and the warnings."""
    if report.lowerings:
        columns = ("lowered", "was", "is now", "exactly")
        print_table(
            columns,
            [
                (row.layer, row.before, row.after, "yes" if row.exact else "no, rounded")
                for row in report.lowerings
            ],
        )
    if report.losses:
        show_losses(report.losses)
    _show_layers(report)
    _show_placement(report)
    _show_summary(report)
    for line in report.near_limits:
        say(f"nearly full: {line}")
    for warning in report.warnings:
        say(f"warning: {warning}")


def show_losses(losses: Sequence[LayerLoss]) -> None:
    """Print what quantization lost in each layer, in percent of what was there."""
    for columns, rows in loss_tables(losses, "give --calibration"):
        print_table(columns, rows)
    say(
        "scale: whole numbers for 1 of the file's; clipped: weights beyond the largest that fits; "
        "errors of weights in percent of the layer's largest."
    )


def show_accuracy(accuracy: CalibrationAccuracy | None) -> None:
    """Print what quantization costs on the samples that it was calibrated on."""
    if accuracy is not None:
        say(
            f"Accuracy on the {accuracy.samples} calibration samples: {accuracy.real:.2%} with "
            f"real numbers, {accuracy.quantized:.2%} quantized."
        )


def show_sensitivity(rows: Sequence[Sensitivity]) -> None:
    """Print what changes when one layer has fewer bits and all others the most."""
    if not rows:
        return
    widths = sorted({row.bits for row in rows}, reverse=True)
    changed = {(row.layer, row.bits): row for row in rows}
    names = dict.fromkeys(row.layer for row in rows)
    for what in ("output_spikes_changed", "predictions_changed"):
        title = what.replace("_", " ") + ", at bits"
        print_table(
            (title, *map(str, widths)),
            [(name, *(str(getattr(changed[name, w], what)) for w in widths)) for name in names],
        )


def _show_layers(report: CompileReport) -> None:
    headroom = _headroom(report.states)
    print_table(
        ("layer", "kind", "neuron", "out", "bits", "exp", "signs", "room"),
        [
            (
                layer.name,
                layer.kind,
                layer.neuron,
                shape_text(layer.shape_out),
                _text(layer.weight_bits),
                _text(layer.weight_exponent),
                _text(layer.sign_mode),
                headroom[layer.name],
            )
            for layer in report.layers
        ],
    )


def _show_placement(report: CompileReport) -> None:
    rows: list[tuple[str, ...]] = []
    for layer in report.layers:
        cores = [core for core in report.placement.cores if core.layer == layer.name]
        tiles = {(core.chip, core.column, core.row) for core in cores}
        rows.append(
            (
                layer.name,
                str(layer.cores),
                _span([core.core for core in cores]),
                _span([core.chip for core in cores]),
                str(len(tiles)),
                layer.fullest,
            )
        )
    print_table(("placed", "cores", "numbers", "chip", "tiles", "nearest its limit"), rows)


def _span(numbers: list[int]) -> str:
    """Return what a layer takes of consecutive numbers: layers are placed in order."""
    first, last = min(numbers), max(numbers)
    return str(first) if first == last else f"{first}-{last}"


def _show_summary(report: CompileReport) -> None:
    placement = report.placement
    chips = "" if placement.chips == 1 else f" on {placement.chips} chips"
    say(f"{report.cores} cores of {report.profile}{chips}, {report.synapse_words} synapse words.")
    if placement.messages:
        far = placement.message_hops / placement.messages
        crossing = placement.message_crossings / placement.messages
        between = f" and crosses from chip to chip {crossing:.2f} times" if crossing else ""
        where = "stays on its tile" if far == 0 else f"takes {far:.1f} hops on average"
        say(f"A message between cores {where}{between}.")
    proved = [state for state in report.states if state.verdict == Verdict.PROVED.value]
    say(
        f"{len(proved)} of {len(report.states)} states are proved to stay in their registers "
        "(room: bits left in the fullest)."
    )


def _headroom(states: Sequence[StateReport]) -> dict[str, str]:
    """Return for each layer by how many bits its fullest state could grow."""
    least: dict[str, float] = {}
    for state in states:
        least[state.layer] = min(least.get(state.layer, math.inf), state.headroom_bits)
    return {layer: _bits(bits) for layer, bits in least.items()}


def _bits(bits: float) -> str:
    if math.isinf(bits):
        return "none" if bits < 0 else "all"
    return f"{bits:.1f}"


def _text(value: int | str | None) -> str:
    return "" if value is None else str(value)
