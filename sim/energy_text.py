"""Energy and time in sentences that fit 80 columns."""

from __future__ import annotations

import math
import textwrap

from .energy import Boundary, EnergyEstimate, Estimate
from .energy.ann import PUBLISHED_LIMITS, AnnComparison
from .energy.dynamic import INFERENCES, SYNAPTIC, UPDATES
from .energy.model import STATIC

COLUMNS = 80
_SHORT = {SYNAPTIC: "synapses", UPDATES: "updates"}
# Units, each a thousand of the one before.
_LADDERS = (
    ("nJ", "µJ", "mJ", "J"),
    ("µs", "ms", "s"),
    ("mW", "W"),
    ("nJ s", "µJ s", "mJ s", "J s"),
)


def energy_lines(energy: EnergyEstimate | None, profile: str) -> list[str]:
    """Return energy and time as sentences, with interval, basis and what is left out."""
    if energy is None:
        return [f"Energy and time: profile '{profile}' has no coefficients, so none are given."]
    lines = [
        f"Dynamic energy {quantity(energy.dynamic_energy)} an inference.",
        *_filled(f"Of that {_shares(energy)}."),
        f"With {energy.static_boundary} {quantity(energy.total_energy)}.",
    ]
    board = energy.totals.get(Boundary.BOARD.value)
    if board is not None and energy.options.boundary is not Boundary.BOARD:
        lines.append(f"With a board's share of the chips {quantity(board)}.")
    lines += [
        f"Time {quantity(energy.time)} an inference, set by core {energy.busiest_core}.",
        f"One inference after the other takes {quantity(energy.total_power)}.",
        f"Energy-delay product {quantity(energy.energy_delay_product)}.",
    ]
    if energy.ann is not None:
        lines += _ann_lines(energy.ann)
    return [
        *lines,
        f"Estimated, not measured; the weakest coefficient is {energy.basis}.",
        *_filled(f"Not included: {', '.join(energy.excluded)}."),
    ]


def _ann_lines(ann: AnnComparison) -> list[str]:
    if ann.break_even is None:
        even = "costs less even if nothing fires."
    else:
        even = f"break-even at {interval(ann.break_even)} spikes a synapse."
    limits = ", ".join(f"{limit} ({paper})" for paper, limit in PUBLISHED_LIMITS)
    present = three_digits(ann.spikes_per_synapse)
    return [
        f"Spikes per synapse {present} an inference. Networks that spike cost less below",
        f"  {limits}.",
        f"An 8-bit ANN of these layers (45 nm) {quantity(ann.energy)};",
        f"  {even}",
    ]


def _shares(energy: EnergyEstimate) -> str:
    whole = energy.dynamic_energy.nominal
    parts = {
        _SHORT.get(name, name): term.nominal
        for name, term in energy.terms.items()
        if name != STATIC and (name != INFERENCES or term.nominal > 0)
    }
    return ", ".join(
        f"{name} {100 * part / whole if whole else 0:.0f} %" for name, part in parts.items()
    )


def _filled(sentence: str) -> list[str]:
    """Return a sentence in lines; a number stays beside its percent sign."""
    lines = textwrap.wrap(
        sentence.replace(" %", "\0%"),
        COLUMNS,
        subsequent_indent="  ",
        break_on_hyphens=False,
        break_long_words=False,
    )
    return [line.replace("\0", " ") for line in lines]


def quantity(estimate: Estimate) -> str:
    """Return a number with interval and a readable unit.

    Examples
    --------
    >>> quantity(Estimate(nominal=1500.0, low=200.0, high=9000.0, unit="nJ", evidence="inferred"))
    '1.5 µJ (0.2 to 9)'
    """
    unit, factor = readable_unit(estimate.nominal, estimate.unit)
    numbers = (estimate.nominal, estimate.low, estimate.high)
    nominal, low, high = (three_digits(number * factor) for number in numbers)
    return f"{nominal} {unit} ({low} to {high})"


def readable_unit(number: float, unit: str) -> tuple[str, float]:
    """Return the unit in which a number is below 1000, and what to multiply it by.

    Examples
    --------
    >>> readable_unit(1500.0, "nJ")
    ('µJ', 0.001)
    """
    unit, factor = "µs" if unit == "us" else unit, 1.0
    for ladder in _LADDERS:
        while unit in ladder[:-1] and number * factor >= 1000:
            unit, factor = ladder[ladder.index(unit) + 1], factor / 1000
    return unit, factor


def interval(estimate: Estimate) -> str:
    """Return a number with its interval, without its unit."""
    numbers = (estimate.nominal, estimate.low, estimate.high)
    nominal, low, high = (three_digits(number) for number in numbers)
    return f"{nominal} ({low} to {high})"


def three_digits(number: float) -> str:
    """Return a number with three significant digits and without an exponent.

    Examples
    --------
    >>> three_digits(29634.0), three_digits(0.51234), three_digits(12.0)
    ('29600', '0.512', '12')
    """
    if math.isinf(number):
        return "any"
    text = f"{float(f'{number:.3g}'):.9f}"
    return text.rstrip("0").rstrip(".")
