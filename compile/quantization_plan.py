"""How a network of real numbers is to be quantized: bits, method and scale of every layer."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any

from ..netx import OptionError, RealNetwork, suggest

DEFAULT_PERCENTILE = 99.9


class Method(str, Enum):
    """How the scale of a layer's weights is found."""

    LARGEST = "largest"  # the largest weight takes the largest mantissa; nothing is clipped
    PERCENTILE = "percentile"  # so does the weight at a percentile; those beyond are clipped
    LEAST_SQUARES = "least_squares"  # the least sum of squared weight errors
    CALIBRATED = "calibrated"  # the least change on the user's data (`sim.calibrate`)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPlan:
    """How one layer is quantized.

    Attributes
    ----------
    bits : int
        Width of a stored weight, sign included; a legal width of the profile.
    method : Method
        How the scale is found.
    percentile : float
        Of the weights' magnitudes, in (0, 100]; used by `Method.PERCENTILE` only.
    scale : float or None
        Whole numbers of the layer for one unit of its real ones, where a method that needs data has
        found it; required by `Method.CALIBRATED`.
    halvings : int or None
        How often the weights are halved against the largest that fit the mantissa, given with
        `scale`.
    bounded : bool
        Whether numbers are made so small that no input takes a state out of its register, as far as
        the bits allow it, whatever precision that costs.
    """

    bits: int
    method: Method = Method.LEAST_SQUARES
    percentile: float = DEFAULT_PERCENTILE
    scale: float | None = None
    halvings: int | None = None
    bounded: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.percentile <= 100:
            raise OptionError(
                f"percentile {self.percentile:g}; a number above 0 and up to 100 was expected."
            )
        if self.scale is not None and not (math.isfinite(self.scale) and self.scale > 0):
            raise OptionError(f"scale {self.scale:g}; a number above 0 was expected.")
        if (self.scale is None) != (self.halvings is None):
            raise OptionError("a plan gives scale and halvings together, or neither.")
        if self.method is Method.CALIBRATED and self.scale is None:
            raise OptionError(
                "the method 'calibrated' needs data: lavadeploy.sim.calibrate finds the plan."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizationPlan:
    """How every layer is quantized.

    Attributes
    ----------
    layers : mapping of str to LayerPlan
        By the name of the layer, for every layer with weights.
    """

    layers: Mapping[str, LayerPlan]

    def with_layer(self, name: str, layer: LayerPlan) -> QuantizationPlan:
        """Return a plan in which one layer is quantized otherwise."""
        return replace(self, layers={**self.layers, name: layer})

    def to_json(self) -> str:
        """Return the plan as JSON, the same text for the same plan."""
        return json.dumps({name: _plain(layer) for name, layer in self.layers.items()})

    @classmethod
    def from_json(cls, text: str) -> QuantizationPlan:
        """Return the plan that `to_json` wrote; scales come back bit for bit."""
        stated: dict[str, dict[str, Any]] = json.loads(text)
        for fields in stated.values():
            fields["method"] = Method(fields["method"])
        return cls(layers={name: LayerPlan(**fields) for name, fields in stated.items()})


def plan_uniformly(
    network: RealNetwork,
    bits: int | Mapping[str, int],
    method: Method = Method.LEAST_SQUARES,
    *,
    percentile: float = DEFAULT_PERCENTILE,
    bounded: bool = False,
) -> QuantizationPlan:
    """Return a plan with one method for all layers.

    Parameters
    ----------
    network : RealNetwork
        Gives the layers.
    bits : int, or mapping of str to int
        One width, or one for every layer by name.
    method : Method
        Not `Method.CALIBRATED`, which needs data.
    percentile, bounded
        See `LayerPlan`.

    Raises
    ------
    OptionError
        When `bits` leaves out a layer or names one that has no weights.
    """
    names = tuple(network.values)
    by_layer = dict.fromkeys(names, bits) if isinstance(bits, int) else dict(bits)
    check_layer_names(by_layer, names)
    return QuantizationPlan(
        layers={
            name: LayerPlan(
                bits=by_layer[name], method=method, percentile=percentile, bounded=bounded
            )
            for name in names
        }
    )


def check_layer_names(given: Mapping[str, Any], names: tuple[str, ...]) -> None:
    """Raise `OptionError` unless exactly the layers with weights are given."""
    for name in given:
        if name not in names:
            raise OptionError(f"no layer with weights is called '{name}'; {suggest(name, names)}.")
    missing = [name for name in names if name not in given]
    if missing:
        raise OptionError(
            f"no bits are given for {', '.join(missing)}; name every layer with weights, "
            "or give one number for all."
        )


def _plain(layer: LayerPlan) -> dict[str, Any]:
    return {**asdict(layer), "method": layer.method.value}
