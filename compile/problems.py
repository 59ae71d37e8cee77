"""What keeps a network from a chip: one sentence each, all of them raised at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..netx import UnsupportedNetworkError


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A broken rule.

    Attributes
    ----------
    layer : str
        Name of the layer.
    found : str
        What the layer has.
    allowed : str
        What is allowed, and by which profile.
    remedy : str
        What to do, one sentence.
    rule : str
        Name of the rule.
    """

    layer: str
    found: str
    allowed: str
    remedy: str
    rule: str

    def __str__(self) -> str:
        return f"{self.layer}: {self.found}; {self.allowed}. {self.remedy} [{self.rule}]"


def raise_problems(problems: Iterable[Problem]) -> None:
    """Raise all problems as one `UnsupportedNetworkError`; do nothing when there are none."""
    sentences = [str(problem) for problem in problems]
    if sentences:
        raise UnsupportedNetworkError(sentences)
