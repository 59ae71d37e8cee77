"""The points of a sweep: what differs between them, and what is the same for all."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ...compile import Method
from ...netx import OptionError, Shape
from ..spike_changes import Objective

AS_STORED = "file"  # in the place of a width: weights as the file has them
Bits: TypeAlias = int | Literal["file"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPoint:
    """One setting.

    Attributes
    ----------
    profile : str
        The chip, by the name that the sweep gives it.
    bits : int or 'file'
        Width of the weights; 'file' for a network of whole numbers as it is stored.
    steps : int
        How many steps of each sample are run.
    """

    profile: str
    bits: Bits
    steps: int

    @property
    def name(self) -> str:
        """The point in a word, also its file's name.

        Examples
        --------
        >>> SweepPoint(profile="loihi2", bits=6, steps=16).name
        'loihi2-6bit-16steps'
        """
        width = AS_STORED if self.bits == AS_STORED else f"{self.bits}bit"
        return f"{self.profile}-{width}-{self.steps}steps"


@dataclass(frozen=True, slots=True, kw_only=True)
class PointSettings:
    """What all points of a sweep have in common; the options of ``lavadeploy compile``.

    Attributes
    ----------
    method, percentile, objective
        See `quantize_uniformly`.
    input_shape, allow_approximate, strict
        See `compile_network`.
    """

    method: Method | None = None
    percentile: float | None = None
    objective: Objective | None = None
    input_shape: Shape | None = None
    allow_approximate: bool = False
    strict: bool = False


def grid(
    profiles: Sequence[str], bits: Sequence[Bits], steps: Sequence[int]
) -> tuple[SweepPoint, ...]:
    """Return every combination once, in the order of the lists; steps change first.

    Raises
    ------
    OptionError
        When a list is empty, or a width or a number of steps is below 1.
    """
    for what, numbers in (("bits", bits), ("steps", steps)):
        for number in numbers:
            if isinstance(number, int) and number < 1:
                raise OptionError(f"{what} {number}; at least 1 was expected.")
    for what, values in (("profile", profiles), ("bits", bits), ("steps", steps)):
        if not values:
            raise OptionError(f"a sweep needs at least one value of {what}.")
    return tuple(
        SweepPoint(profile=profile, bits=width, steps=count)
        for profile, width, count in itertools.product(
            dict.fromkeys(profiles), dict.fromkeys(bits), dict.fromkeys(steps)
        )
    )
