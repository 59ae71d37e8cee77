"""Networks whose numbers are not whole yet: trained without quantization, for the compiler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from . import hdf5_schema as schema
from .arrays import Shape
from .layers import RecurrentLayer, SynapticLayer
from .network import Network
from .neurons import Neuron

RealArray: TypeAlias = NDArray[np.float64]

# The neurons' fields that may hold real numbers, and the datasets of a file that state them.
DECAYS = {
    "current_decay": schema.CURRENT_DECAY,
    "voltage_decay": schema.VOLTAGE_DECAY,
    "threshold_decay": schema.THRESHOLD_DECAY,
    "refractory_decay": schema.REFRACTORY_DECAY,
    "sin_decay": schema.SIN_DECAY,
    "cos_decay": schema.COS_DECAY,
}


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
        Threshold, in units of 1/64. A sigma-delta neuron's `vth_fraction` is added to it.
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

    def __post_init__(self) -> None:
        for name in ("weight", "weight_imag", "weight_rec", "bias", "bias_imag", "delay"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _frozen(name, getattr(self, name)))
        frozen = {name: _frozen(name, values) for name, values in self.decays.items()}
        object.__setattr__(self, "decays", frozen)
        for name in ("vth", "vth_step"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, float(_frozen(name, value)))


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


def real_values(layer: SynapticLayer, stated: Mapping[str, RealArray]) -> RealValues:
    """Return the numbers of a layer: those stated as reals, all others from the layer itself.

    Parameters
    ----------
    layer : SynapticLayer
        With the nearest whole numbers.
    stated : mapping of str to float64 array
        By the name of the dataset (`hdf5_schema`), in the shape of the layer's field, or with axes
        of size 1 more or less, or one number for all.
    """

    def real(dataset: str, whole: Any) -> Any:
        if whole is None:
            return None
        shape = np.shape(whole)
        return _shaped(stated[dataset], shape) if dataset in stated else np.asarray(whole, float)

    neuron = layer.neuron
    is_complex = layer.weight_imag is not None
    return RealValues(
        weight=real(schema.WEIGHT_REAL if is_complex else schema.WEIGHT, layer.weight),
        weight_imag=real(schema.WEIGHT_IMAG, layer.weight_imag),
        weight_rec=real(
            schema.WEIGHT_REC, layer.weight_rec if isinstance(layer, RecurrentLayer) else None
        ),
        bias=real(schema.BIAS, layer.bias),
        bias_imag=real(schema.BIAS_IMAG, layer.bias_imag),
        delay=real(schema.DELAY, layer.delay),
        vth=real(schema.VTH_MANTISSA, neuron.vth_mantissa),
        vth_step=real(schema.VTH_STEP, getattr(neuron, "vth_step", None)),
        decays={n: real(DECAYS[n], getattr(neuron, n)) for n in decay_names(neuron)},
    )


def stated_values(values: RealValues) -> Iterator[tuple[str, RealArray]]:
    """Yield name of dataset and numbers of everything that `real_values` takes."""
    is_complex = values.weight_imag is not None
    for dataset, numbers in (
        (schema.WEIGHT_REAL if is_complex else schema.WEIGHT, values.weight),
        (schema.WEIGHT_IMAG, values.weight_imag),
        (schema.WEIGHT_REC, values.weight_rec),
        (schema.BIAS, values.bias),
        (schema.BIAS_IMAG, values.bias_imag),
        (schema.DELAY, values.delay),
        (schema.VTH_MANTISSA, values.vth),
        (schema.VTH_STEP, values.vth_step),
    ):
        if numbers is not None:
            yield dataset, np.asarray(numbers, dtype=np.float64)
    for name, numbers in values.decays.items():
        yield DECAYS[name], numbers


def decay_names(neuron: Neuron) -> tuple[str, ...]:
    """Return the names of a neuron's fields that are decays or parts kept, of 4096."""
    return tuple(name for name in DECAYS if hasattr(neuron, name))


def _shaped(numbers: RealArray, shape: Shape) -> RealArray:
    if numbers.size == 1:
        return np.broadcast_to(numbers.reshape(()), shape)
    return numbers.reshape(shape)


def _frozen(name: str, values: Any) -> RealArray:
    array = np.array(values, dtype=np.float64)
    if not bool(np.isfinite(array).all()):
        raise ValueError(f"{name} holds numbers that are not finite")
    array.setflags(write=False)
    return array
