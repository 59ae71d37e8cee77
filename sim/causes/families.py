"""The known causes, the simplest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .arithmetic import arithmetic_hypotheses
from .hypothesis import Hypothesis
from .inputs import input_hypotheses
from .layer_case import LayerCase
from .samples import sample_hypotheses
from .timing import bias_hypotheses, delay_hypotheses, latency_hypotheses
from .weights import number_hypotheses, order_hypotheses

# Single events come last, where nothing else fits: see `events`.
FAMILIES: tuple[Callable[[LayerCase], Iterator[Hypothesis]], ...] = (
    arithmetic_hypotheses,
    delay_hypotheses,
    latency_hypotheses,
    number_hypotheses,
    order_hypotheses,
    bias_hypotheses,
    sample_hypotheses,
    input_hypotheses,
)


def hypotheses(case: LayerCase) -> Iterator[Hypothesis]:
    """Yield every supposed cause that makes sense for a layer."""
    for family in FAMILIES:
        yield from family(case)
