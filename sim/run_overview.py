"""The figures of runs that matter, beside each other."""

from __future__ import annotations

from collections.abc import Sequence

from .energy_text import quantity, three_digits
from .run_summary import RunSummary


def overview_rows(
    runs: Sequence[tuple[str, RunSummary]],
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return columns, a run each, and rows, a figure each, of runs with their names."""
    figures = [dict(overview(summary)) for _, summary in runs]
    names = dict.fromkeys(name for column in figures for name in column)
    rows = [(name, *(column.get(name, "-") for column in figures)) for name in names]
    return ("", *(name for name, _ in runs)), rows


def overview(summary: RunSummary) -> list[tuple[str, str]]:
    """Return the figures that matter, by name."""
    counts, energy = summary.activity, summary.energy
    spikes = sum(layer.spikes for layer in counts.layers)
    operations = sum(layer.synaptic_operations for layer in counts.layers)
    updates = sum(layer.neuron_updates for layer in counts.layers)
    chips = summary.compiled.placement.chips
    bits = [str(layer.weight_bits or "-") for layer in summary.compiled.layers]
    rows = [
        ("backend", summary.backend),
        ("compiled for", summary.profile),
        ("samples × steps", f"{summary.samples} × {summary.steps}"),
        ("accuracy", "-" if summary.accuracy is None else f"{100 * summary.accuracy:.2f} %"),
        ("weight bits", ", ".join(bits)),
        ("cores", f"{summary.compiled.cores} on {chips} chip{'s' if chips > 1 else ''}"),
        ("synapse words", f"{summary.compiled.synapse_words}"),
        ("spikes an inference", three_digits(spikes / summary.samples)),
        ("activation sparsity", f"{100 * (1 - spikes / updates if updates else 0):.2f} %"),
        ("synaptic operations an inference", three_digits(operations / summary.samples)),
    ]
    if energy is not None:
        boundary = energy.options.boundary.value
        rows += [
            ("dynamic energy an inference", quantity(energy.dynamic_energy)),
            (f"energy an inference, {boundary}", quantity(energy.total_energy)),
            ("time an inference", quantity(energy.time)),
            ("energy-delay product", quantity(energy.energy_delay_product)),
            ("weakest evidence", energy.basis),
        ]
    return [*rows, ("duration of the run", f"{summary.wall_s:.1f} s"), ("made", summary.created)]
