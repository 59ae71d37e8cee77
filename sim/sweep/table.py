"""The points of a sweep as rows: for terminals, Markdown, CSV and the page."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from ..energy import Estimate
from ..energy_text import three_digits
from ..markdown import escaped, markdown_table
from .outcome import PointResult
from .report import SweepReport

IN_FRONT = "*"
POINT_COLUMNS = ("", "chip", "bits", "steps", "accuracy", "energy", "time", "cores")
ENERGY_UNITS, TIME_UNITS = ("nJ", "µJ", "mJ", "J"), ("µs", "ms", "s")
NONE = "-"
CSV_ESTIMATES = ("energy_nj", "dynamic_energy_nj", "latency_us")
CSV_PLAIN = (
    "accuracy",
    "samples",
    "cores",
    "chips",
    "synapse_words",
    "synaptic_operations",
    "spikes",
    "input_spikes",
    "wall_s",
)


def point_rows(report: SweepReport) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return column names with units, and a row for each point that has figures.

    Energy and time are in one unit each, so that a column can be compared down, with their
    intervals in brackets; points of the front have a star.
    """
    energies = [report.energy_of(result) for result in report.results]
    latencies = [result.latency for result in report.results]
    energy_unit, energy_factor = common_unit(energies, ENERGY_UNITS)
    time_unit, time_factor = common_unit(latencies, TIME_UNITS)
    rows = [
        (
            IN_FRONT if report.is_in_front(result.point) else "",
            result.point.profile,
            str(result.point.bits),
            str(result.point.steps),
            NONE if result.accuracy is None else f"{100 * result.accuracy:.2f} %",
            in_brackets(energy, energy_factor),
            in_brackets(latency, time_factor),
            str(result.cores),
        )
        for result, energy, latency in zip(report.results, energies, latencies, strict=True)
    ]
    units = {"energy": energy_unit, "time": time_unit}
    columns = tuple(f"{c}, {units[c]}" if units.get(c) else c for c in POINT_COLUMNS)
    return columns, rows


def common_unit(estimates: Sequence[Estimate | None], units: Sequence[str]) -> tuple[str, float]:
    """Return the unit in which the smallest number has a digit before the point, and its factor.

    Parameters
    ----------
    estimates : sequence of Estimate or None
        In the first unit.
    units : sequence of str
        Each a thousand of the one before.

    Returns
    -------
    str, float
        No unit where there are no numbers.
    """
    known = [each.nominal for each in estimates if each is not None and each.nominal > 0]
    if not known:
        return "", 1.0
    place, factor = 0, 1.0
    while place + 1 < len(units) and min(known) * factor >= 1000:
        place, factor = place + 1, factor / 1000
    return units[place], factor


def in_brackets(estimate: Estimate | None, factor: float) -> str:
    """Return best guess and interval, ``'12.4 (3.5 to 215)'``."""
    if estimate is None:
        return NONE
    numbers = (estimate.nominal, estimate.low, estimate.high)
    nominal, low, high = (three_digits(number * factor) for number in numbers)
    return f"{nominal} ({low} to {high})"


def table_notes(report: SweepReport) -> list[str]:
    """Return in sentences of 80 columns what star, energy, time and intervals are."""
    covered = {
        "neurocores": "with the neurocores of all chips in use",
        "chip": "with the chips in use, processors too",
        "board": "with a board's share of the chips in use",
    }[report.boundary]
    return [
        f"{IN_FRONT} no other is as good in accuracy, energy, time and cores, and better in one.",
        f"Energy and time of an inference, {covered}.",
        "Estimated, not measured; in brackets all coefficients at their two ends.",
        "Points of one chip share them: their order is surer than the intervals look.",
    ]


def csv_text(report: SweepReport) -> str:
    """Return every point as a line of CSV; failed ones have their sentence and no figures."""
    names = [f"{name}{end}" for name in CSV_ESTIMATES for end in ("", "_low", "_high")]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["name", "profile", "bits", "steps", "in_front", *CSV_PLAIN, *names, "error"])
    for outcome in report.outcomes:
        point = outcome.point
        head = [point.name, point.profile, point.bits, point.steps]
        if isinstance(outcome, PointResult):
            plain = [getattr(outcome, name) for name in CSV_PLAIN]
            numbers = [
                number
                for each in (report.energy_of(outcome), outcome.dynamic_energy, outcome.latency)
                for number in _ends(each)
            ]
            table.writerow([*head, int(report.is_in_front(point)), *plain, *numbers, ""])
        else:
            empty = [""] * (len(CSV_PLAIN) + len(names))
            table.writerow([*head, "", *empty, " ".join(outcome.sentence.split())])
    return text.getvalue()


def _ends(estimate: Estimate | None) -> tuple[float | str, ...]:
    if estimate is None:
        return ("", "", "")
    return (estimate.nominal, estimate.low, estimate.high)


def markdown_text(report: SweepReport) -> str:
    """Return the table, what failed and what was run, for pull requests."""
    when = f"{report.created}, lavadeploy {report.versions['lavadeploy']}"
    lines = [
        f"# Sweep of {escaped(report.network)}",
        "",
        f"{report.samples} samples of {escaped(report.input)}; {when}.",
        "",
        *markdown_table(*point_rows(report)),
        "",
        escaped(" ".join(table_notes(report))),
        "",
    ]
    if report.failures:
        failed = (f"- {escaped(f'{f.point.name}: {f.sentence}')}" for f in report.failures)
        lines += ["## Failed", "", *failed, ""]
    lines += ["## To repeat it", ""]
    if report.command:
        lines += ["```sh", report.command, "```", ""]
    hashes = {
        "network": report.network_sha256,
        "input": report.input_sha256,
        "labels": report.labels_sha256,
        "calibration": report.calibration_sha256,
        **report.profile_sha256,
    }
    shown = ", ".join(f"{escaped(name)} `{value[:12]}`" for name, value in hashes.items() if value)
    lines += [f"Hashes (SHA-256, first 12 digits): {shown}.", ""]
    return "\n".join(lines)
