"""The figures of a run as rows for tables, and as a short Markdown report."""

from __future__ import annotations

from .energy import EnergyEstimate, Estimate
from .run_summary import RunSummary

LAYER_COLUMNS = (
    "layer",
    "kind",
    "neurons",
    "spikes",
    "activity",
    "synops",
    "bits",
    "exp",
    "cores",
)


def layer_rows(summary: RunSummary) -> list[tuple[str, ...]]:
    """Return one row a layer, in the order of `LAYER_COLUMNS`; counts are of the whole run."""
    rows: list[tuple[str, ...]] = []
    for chip, activity in zip(summary.compiled.layers, summary.activity.layers, strict=True):
        rows.append(
            (
                activity.name,
                chip.kind,
                f"{activity.neurons}",
                f"{activity.spikes}",
                f"{100 * activity.activity:.2f} %",
                f"{activity.synaptic_operations}",
                f"{chip.weight_bits}",
                f"{chip.weight_exponent}",
                f"{chip.cores}",
            )
        )
    return rows


def energy_lines(energy: EnergyEstimate | None, profile: str) -> list[str]:
    """Return energy and time as sentences, with interval, basis and what is left out."""
    if energy is None:
        return [f"Energy and time: profile '{profile}' has no coefficients, so none are given."]
    total = f"with static power ({energy.static_boundary}) {quantity(energy.total_energy)}"
    return [
        f"Dynamic energy {quantity(energy.dynamic_energy)} an inference; {total}.",
        f"Time {quantity(energy.time)} an inference, set by core {energy.busiest_core}.",
        f"Estimated, not measured; the weakest coefficient is {energy.basis}.",
        f"Not included: {', '.join(energy.excluded)}.",
    ]


def quantity(estimate: Estimate) -> str:
    """Return a number with interval and a readable unit.

    Examples
    --------
    >>> quantity(Estimate(nominal=1500.0, low=200.0, high=9000.0, unit="nJ", evidence="inferred"))
    '1.5 µJ (0.2 to 9)'
    """
    unit, factor = {
        ("nJ", False): ("nJ", 1.0),
        ("nJ", True): ("µJ", 1e-3),
        ("us", False): ("µs", 1.0),
        ("us", True): ("ms", 1e-3),
    }[estimate.unit, estimate.nominal >= 1000]
    nominal, low, high = (
        three_digits(v * factor) for v in (estimate.nominal, estimate.low, estimate.high)
    )
    return f"{nominal} {unit} ({low} to {high})"


def three_digits(number: float) -> str:
    """Return a number with three significant digits and without an exponent.

    Examples
    --------
    >>> three_digits(29634.0), three_digits(0.51234), three_digits(12.0)
    ('29600', '0.512', '12')
    """
    text = f"{float(f'{number:.3g}'):.9f}"
    return text.rstrip("0").rstrip(".")


def markdown_report(summary: RunSummary) -> str:
    """Return a short report, to be read in a terminal or rendered."""
    size = f"{summary.samples} samples of {summary.steps} steps in {summary.wall_s:.1f} s"
    resources = f"{summary.compiled.cores} cores, {summary.compiled.synapse_words} synapse words"
    lines = [
        f"# Run on {summary.backend}, compiled for {summary.profile}",
        "",
        f"{size}; {summary.created}, lavadeploy {summary.versions['lavadeploy']}.",
        "",
    ]
    if summary.accuracy is not None:
        lines += [f"Accuracy: **{100 * summary.accuracy:.2f} %**", ""]
    lines += [
        "| " + " | ".join(LAYER_COLUMNS) + " |",
        "|" + "---|" * len(LAYER_COLUMNS),
        *("| " + " | ".join(row) + " |" for row in layer_rows(summary)),
        "",
        f"{resources}; {summary.activity.input_spikes} input spikes.",
        "",
        *energy_lines(summary.energy, summary.profile),
        "",
    ]
    if summary.notes:
        lines += ["## Notes", "", *(f"- {name}: {v}" for name, v in summary.notes.items()), ""]
    if summary.compiled.warnings:
        lines += ["## Warnings", "", *(f"- {w}" for w in summary.compiled.warnings), ""]
    hashes = ", ".join(f"{name} `{value[:12]}`" for name, value in summary.hashes.items() if value)
    lines += [f"Hashes (SHA-256, first 12 digits): {hashes}.", ""]
    return "\n".join(lines)
