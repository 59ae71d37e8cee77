"""What VALIDATION.md says: predictions of the energy model beside published measurements."""

from __future__ import annotations

from collections.abc import Iterable

from lavadeploy.sim.energy.published_cases import published_cases
from lavadeploy.sim.energy.validation import Comparison, PublishedCase
from lavadeploy.sim.energy_text import three_digits

COMMAND = "python -m lavadeploy.scripts.write_validation"
INTRODUCTION = f"""\
Made by `{COMMAND}` from the cases in
`sim/energy/published_loihi1.py` and `published_loihi2.py` and the profiles. A test fails when it is
stale. Predicted is the nominal figure, and all coefficients (and operations that were not
published) at their low and at their high ends; `×` is nominal by published. *Inside* means that the
published figure lies in that interval, which is wide: read the factor, too. Where *independent*
says no, a coefficient was concluded from this very measurement, so that its row shows consistency
and proves nothing. *Possible* is said of bounds, between which nothing is predicted."""


def validation_text() -> str:
    """Return the text of VALIDATION.md."""
    cases = published_cases()
    parts = ["# Predicted and published", INTRODUCTION, _summary(cases)]
    for case in cases:
        parts += [f"## {case.title}", f"{case.source}. Counts: {case.counts}.", _table(case)]
    parts += ["## What this says", _conclusion(cases)]
    return "\n\n".join(parts) + "\n"


def _summary(cases: Iterable[PublishedCase]) -> str:
    found = _predictions(cases)
    independent = [c for c in found if c.independent]
    others = [c for c in found if not c.independent]
    return (
        f"Of {len(independent)} independent predictions {_inside(independent)} are inside; of the "
        f"{len(others)} others {_inside(others)}."
    )


def _conclusion(cases: Iterable[PublishedCase]) -> str:
    missed = [c for c in _predictions(cases) if c.verdict != "inside"]
    times = [c for c in missed if "time" in c.quantity]
    others = ", ".join(c.quantity for c in missed if c not in times)
    return (
        f"{len(missed)} predictions are missed. {len(times)} are times, each too low: there the "
        "host or the input sets the pace, which no model of the cores can know, so a time is "
        f"that of a chip that waits for nobody. The rest: {others}. Dynamic energy of Loihi 1's "
        "cores is inside wherever it was measured apart from processors and host. For Loihi 2 no "
        "independent measurement of dynamic energy was found whose operations are published."
    )


def _predictions(cases: Iterable[PublishedCase]) -> list[Comparison]:
    return [c for case in cases for c in case.comparisons if not c.is_bound]


def _inside(comparisons: Iterable[Comparison]) -> int:
    return sum(c.verdict == "inside" for c in comparisons)


def _table(case: PublishedCase) -> str:
    header = ("what", "predicted", "published", "verdict", "×", "independent", "remark")
    lines = [header, ("---",) * len(header), *(_row(c) for c in case.comparisons)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _row(comparison: Comparison) -> tuple[str, ...]:
    predicted = comparison.predicted
    nominal, low, high = (
        three_digits(v) for v in (predicted.nominal, predicted.low, predicted.high)
    )
    lowest, highest = (_signed(v) for v in comparison.published)
    factor, verdict = comparison.factor, comparison.verdict
    if comparison.is_bound and verdict == "inside":
        verdict = "possible"
    return (
        f"{comparison.quantity}, {comparison.unit}",
        f"{low} to {high}" if comparison.is_bound else f"{nominal} ({low} to {high})",
        lowest if lowest == highest else f"{lowest} to {highest}",
        verdict if verdict in ("inside", "possible") else f"**{verdict}**",
        "-" if factor is None else f"{factor:.2g}",
        "yes" if comparison.independent else "no",
        comparison.remark or "-",
    )


def _signed(number: float) -> str:
    return f"-{three_digits(-number)}" if number < 0 else three_digits(number)
