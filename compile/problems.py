"""What keeps a network from a chip: rules, and one sentence for each that is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic

from typing_extensions import TypeVar

from ..hw_profiles import HardwareProfile
from ..netx import UnsupportedNetworkError

Subject = TypeVar("Subject")
NETWORK = "network"  # stands for a layer's name where no single layer is to blame


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Generic[Subject]):
    """A limit of a profile: a function that looks for what breaks it, and what it says about it.

    Attributes
    ----------
    check : callable
        Takes what is judged and the profile; returns what it found, or None when all is well. Its
        name is the rule's, its docstring is the sentence that users read.
    limit : callable
        Returns what a profile allows, for errors and for SUPPORTED.md; None is without limit.
    remedy : str
        What to do, one sentence.
    """

    check: Callable[[Subject, HardwareProfile], str | None]
    limit: Callable[[HardwareProfile], str | None]
    remedy: str

    @property
    def name(self) -> str:
        """The word in brackets at the end of an error."""
        return self.check.__name__

    @property
    def sentence(self) -> str:
        """What is demanded."""
        return sentence_of(self.check)

    def problem(self, layer: str, subject: Subject, profile: HardwareProfile) -> Problem | None:
        """Return what is wrong with a layer, or None."""
        found = self.check(subject, profile)
        if found is None:
            return None
        return Problem(
            layer=layer,
            found=found,
            allowed=f"{profile.name} allows {self.limit(profile)}",
            remedy=self.remedy,
            rule=self.name,
        )


def rule(
    *, limit: Callable[[HardwareProfile], str | None], remedy: str
) -> Callable[[Callable[[Subject, HardwareProfile], str | None]], Rule[Subject]]:
    """Make a rule of a function; see `Rule`."""

    def decorate(check: Callable[[Subject, HardwareProfile], str | None]) -> Rule[Subject]:
        return Rule(check=check, limit=limit, remedy=remedy)

    return decorate


def sentence_of(function: Callable[..., object]) -> str:
    """Return the first paragraph of a function's docstring, in one line."""
    assert function.__doc__ is not None, function
    return " ".join(function.__doc__.split("\n\n", maxsplit=1)[0].split())


def in_layer_order(problems: Iterable[Problem], names: Sequence[str]) -> tuple[Problem, ...]:
    """Return problems in the order of the layers; those of the whole network come last."""
    places = {name: place for place, name in reversed(list(enumerate(names)))}
    return tuple(sorted(problems, key=lambda problem: places.get(problem.layer, len(names))))


def raise_problems(problems: Iterable[Problem]) -> None:
    """Raise all problems as one `UnsupportedNetworkError`; do nothing when there are none."""
    sentences = [str(problem) for problem in problems]
    if sentences:
        raise UnsupportedNetworkError(sentences)
