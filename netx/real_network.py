"""Networks whose numbers are not whole yet: trained without quantization, for the compiler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .network import Network

RealArray: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RealValues:
    """The numbers of a layer as they were trained, in the units of the whole ones.

    Every array is float64, read-only and finite, in the shape of the field of the same name of
    `SynapticLayer`; see there.

    Attributes
    ----------
    weight : float64 array
        In units of 1/64.
    weight_imag, weight_rec : float64 array or None
        Where the layer has them.
    bias, bias_imag : float64 array, shape (C,), or None
        In units of 1/64.
    delay : float64 array, shape (C,), or None
        In steps.
    vth : float
        Threshold, in units of 1/64.
    vth_step : float or None
        What a spike adds to an adaptive threshold, in units of 1/64.
    decays : mapping of str to float64 array, shape () or (C,)
        By the name of the neuron's field ('current_decay', 'voltage_decay', 'sin_decay', ...), of
        4096.
    """

    weight: RealArray
    vth: float
    decays: Mapping[str, RealArray] = field(default_factory=dict[str, RealArray])
    weight_imag: RealArray | None = None
    weight_rec: RealArray | None = None
    bias: RealArray | None = None
    bias_imag: RealArray | None = None
    delay: RealArray | None = None
    vth_step: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RealNetwork:
    """A network with real numbers, which `compile` quantizes.

    Attributes
    ----------
    nearest : Network
        The same network with every number rounded to the nearest whole one (half to even): it gives
        geometry, kinds of neurons, names, source and warnings. Its numbers are a fallback, not a
        good quantization.
    values : mapping of str to RealValues
        By the name of the layer, for every `SynapticLayer`.
    """

    nearest: Network
    values: Mapping[str, RealValues]
