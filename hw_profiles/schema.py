"""What a hardware profile may say: the schema of the YAML files and the type they become.

Every number is a mapping with its unit, its source and the kind of evidence behind it. Unknown
keys, missing units and units of another dimension are errors.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Evidence(str, Enum):
    """How far a number can be trusted, strongest first."""

    MEASURED = "measured"  # on silicon, published
    DEFINED = "defined"  # a number format: true by construction or by the vendor's documentation
    PRE_SILICON = "pre-silicon"  # the vendor's circuit simulation
    TOOLCHAIN = "toolchain"  # found in a compiler or simulator, or fitted by one
    INFERRED = "inferred"  # concluded from other figures

    @property
    def rank(self) -> int:
        """0 for the strongest."""
        return list(Evidence).index(self)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class _Number(_Strict):
    source: Annotated[str, Field(min_length=1)]
    evidence: Annotated[Evidence, Field(strict=False)]


class Count(_Number):
    """A limit: a whole number of things."""

    value: int
    unit: Literal[
        "chips",
        "cores",
        "neurons",
        "words",
        "axons",
        "steps",
        "1/64",
        "1/4096",
        "power of 2",
        "spike value",
    ]


class Widths(_Number):
    """The legal widths of a field."""

    value: Annotated[tuple[int, ...], Field(strict=False, min_length=1)]
    unit: Literal["bits"]


class _Interval(_Number):
    nominal: Annotated[float, Field(ge=0)]
    low: Annotated[float, Field(ge=0)]
    high: Annotated[float, Field(ge=0)]

    @model_validator(mode="after")
    def _ordered(self) -> _Interval:
        if not self.low <= self.nominal <= self.high:
            found = f"low {self.low:g}, nominal {self.nominal:g}, high {self.high:g}"
            raise ValueError(f"{found} are not in order")
        return self


class EnergyPerEvent(_Interval):
    """Energy of one event."""

    unit: Literal["pJ"]


class TimePerEvent(_Interval):
    """Duration of one event."""

    unit: Literal["ns"]


class Power(_Interval):
    """Power drawn whether or not anything happens."""

    unit: Literal["mW"]
    boundary: Literal["neurocores of one chip", "one chip", "board share of one chip"]


class Limits(_Strict):
    """What one core and one chip hold; None where there is no limit."""

    chips: Count | None
    cores_per_chip: Count | None
    neurons_per_core: Count | None
    synapse_words_per_core: Count | None
    input_axons_per_core: Count | None
    output_axons_per_core: Count | None


class Formats(_Strict):
    """Number formats of the registers."""

    weight_bits: Widths
    weight_min: Count
    weight_max: Count
    weight_exponent_min: Count
    weight_exponent_max: Count
    bias_mantissa_max: Count
    threshold_mantissa_max: Count
    decay_max: Count
    delay_max: Count
    payload_max: Count


class SynapseMemory(_Strict):
    """Which formula counts the words that synapses take (``compile/synapse_memory.py``)."""

    model: Literal["nengo-loihi", "lava-loihi2", "unlimited"]
    source: Annotated[str, Field(min_length=1)]
    evidence: Annotated[Evidence, Field(strict=False)]


class Energy(_Strict):
    """Energy of each event."""

    synaptic_operation: EnergyPerEvent
    neuron_update: EnergyPerEvent
    spike: EnergyPerEvent


class Time(_Strict):
    """Duration of each event on one core, and what every step costs besides."""

    synaptic_operation: TimePerEvent
    neuron_update: TimePerEvent
    spike: TimePerEvent
    step_barrier: TimePerEvent
    step_overhead: TimePerEvent


class HardwareProfile(_Strict):
    """A chip: what fits on it, in which formats, at what cost.

    Attributes
    ----------
    name : str
        The word after ``--profile``.
    description : str
        One sentence.
    limits : Limits
        Capacities of cores and chips.
    formats : Formats
        Register formats.
    synapse_memory : SynapseMemory
        The formula for synapse words.
    energy : Energy or None
        None means that joules are refused.
    static_power : Power or None
        None where nothing is known.
    time : Time or None
        None means that durations are refused.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    description: Annotated[str, Field(min_length=1)]
    limits: Limits
    formats: Formats
    synapse_memory: SynapseMemory
    energy: Energy | None
    static_power: Power | None
    time: Time | None
