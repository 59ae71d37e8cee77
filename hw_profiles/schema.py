"""What a hardware profile may say: the schema of the YAML files and the type they become.

Every number is a mapping with its unit, its source and the kind of evidence behind it. Unknown
keys, missing units and units of another dimension are errors.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Generic, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import TypeVar

from ..netx import NeuronKind


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


Unit = TypeVar("Unit", bound=str)


class Count(_Number, Generic[Unit]):
    """A whole number of something, whose unit is that of its key."""

    value: int
    unit: Unit


class Limit(Count[Unit], Generic[Unit]):
    """At most so many of something."""

    value: Annotated[int, Field(ge=1)]


class Widths(_Number):
    """The legal widths of a field."""

    value: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(strict=False, min_length=1)]
    unit: Literal["bits"]


class NeuronKinds(_Number):
    """The kinds of neurons that a chip has, in the spelling of NetX."""

    value: Annotated[
        tuple[Annotated[NeuronKind, Field(strict=False)], ...], Field(strict=False, min_length=1)
    ]
    unit: Literal["kinds"]


class SignModes(_Number):
    """How the bits of a stored weight may be read."""

    value: Annotated[
        tuple[Literal["mixed", "excitatory", "inhibitory"], ...], Field(strict=False, min_length=1)
    ]
    unit: Literal["modes"]


class Coefficient(_Number):
    """A best guess between two ends that evidence allows."""

    nominal: Annotated[float, Field(ge=0)]
    low: Annotated[float, Field(ge=0)]
    high: Annotated[float, Field(ge=0)]

    @model_validator(mode="after")
    def _ordered(self) -> Coefficient:
        if not self.low <= self.nominal <= self.high:
            found = f"low {self.low:g}, nominal {self.nominal:g}, high {self.high:g}"
            raise ValueError(f"{found} are not in order")
        return self


class EnergyPerEvent(Coefficient):
    """Energy of one event."""

    unit: Literal["pJ"]


class TimePerEvent(Coefficient):
    """Duration of one event."""

    unit: Literal["ns"]


StaticBoundary: TypeAlias = Literal["neurocores of one chip", "one chip", "board share of one chip"]


class Power(Coefficient, Generic[Unit]):
    """Power drawn whether or not anything happens, within the boundary of its key."""

    unit: Literal["mW"]
    boundary: Unit


class Limits(_Strict):
    """What one core, one chip and one board hold; None where there is no limit.

    What counts as one of each is said by ``compile/core_resources.py``.
    """

    chips: Limit[Literal["chips"]] | None
    cores_per_chip: Limit[Literal["cores"]] | None
    neurons_per_core: Limit[Literal["neurons"]] | None
    neuron_groups_per_core: Limit[Literal["groups"]] | None
    synapse_words_per_core: Limit[Literal["words"]] | None
    synapse_formats_per_core: Limit[Literal["formats"]] | None
    input_axons_per_core: Limit[Literal["axons"]] | None
    output_axons_per_core: Limit[Literal["axons"]] | None
    axon_map_per_core: Limit[Literal["entries"]] | None
    axon_memory_per_core: Limit[Literal["entries"]] | None
    total_per_core: Limit[Literal["entries"]] | None


class Mesh(_Strict):
    """Where the cores of a chip and the chips of a board lie.

    Tiles form a grid; each has one router and some cores. Messages go along the row first, then
    along the column, so that a path is as long as the sum of both distances.
    """

    columns: Limit[Literal["tiles"]]
    rows: Limit[Literal["tiles"]]
    cores_per_tile: Limit[Literal["cores"]]
    chip_columns: Limit[Literal["chips"]]
    crossing: Limit[Literal["hops"]]


class Axons(_Strict):
    """Which formula counts axons (``compile/core_resources.py``)."""

    model: Literal["discrete", "lava-loihi2"]
    source: Annotated[str, Field(min_length=1)]
    evidence: Annotated[Evidence, Field(strict=False)]


class Partition(_Strict):
    """In which way layers are cut (``compile/passes/partition.py``)."""

    model: Literal["fewest-cores", "lava-loihi2"]
    source: Annotated[str, Field(min_length=1)]
    evidence: Annotated[Evidence, Field(strict=False)]


class Formats(_Strict):
    """Number formats of the registers, and the kinds of neurons they belong to."""

    weight_bits: Widths
    weight_min: Count[Literal["1/64"]]
    weight_max: Count[Literal["1/64"]]
    weight_exponent_min: Count[Literal["power of 2"]]
    weight_exponent_max: Count[Literal["power of 2"]]
    sign_modes: SignModes
    bias_mantissa_max: Count[Literal["1/64"]]
    bias_exponent_max: Count[Literal["power of 2"]]
    threshold_mantissa_max: Count[Literal["1/64"]]
    decay_max: Limit[Literal["1/4096"]]
    delay_max: Limit[Literal["steps"]]
    refractory_max: Limit[Literal["steps"]]
    current_exponent_max: Count[Literal["power of 2"]]
    payload_max: Limit[Literal["spike value"]]
    neuron_kinds: NeuronKinds


class SynapseMemory(_Strict):
    """Which formula counts the words that synapses take (``compile/synapse_memory.py``)."""

    model: Literal["nengo-loihi", "lava-loihi2", "unlimited"]
    source: Annotated[str, Field(min_length=1)]
    evidence: Annotated[Evidence, Field(strict=False)]


class Energy(_Strict):
    """Energy of each event; None where nothing is known, so that estimates leave it out and say so.

    Attributes
    ----------
    synaptic_operation : EnergyPerEvent
        A weight that a spike meets.
    neuron_update : EnergyPerEvent
        A neuron in a step, whatever happens to it.
    active_neuron : EnergyPerEvent or None
        What the update of a neuron costs more that does not rest.
    spike : EnergyPerEvent
        A neuron that fires.
    message_out, message_in : EnergyPerEvent or None
        A spike that is sent to one core, and its arrival there.
    tile, hop_east_west, hop_north_south, chip_crossing : EnergyPerEvent or None
        A message on its own tile, to the next router, and from chip to chip.
    step, core_step : EnergyPerEvent or None
        A step, and a core in use in a step, whatever they do.
    inference : EnergyPerEvent or None
        A sample: resets, and whatever no other event explains.
    """

    synaptic_operation: EnergyPerEvent
    neuron_update: EnergyPerEvent
    active_neuron: EnergyPerEvent | None = None
    spike: EnergyPerEvent
    message_out: EnergyPerEvent | None = None
    message_in: EnergyPerEvent | None = None
    tile: EnergyPerEvent | None = None
    hop_east_west: EnergyPerEvent | None = None
    hop_north_south: EnergyPerEvent | None = None
    chip_crossing: EnergyPerEvent | None = None
    step: EnergyPerEvent | None = None
    core_step: EnergyPerEvent | None = None
    inference: EnergyPerEvent | None = None


class Time(_Strict):
    """Duration of each event on one core, and what every step costs besides.

    Attributes
    ----------
    synaptic_operation, neuron_update, spike : TimePerEvent
        As in `Energy`.
    message_in : TimePerEvent or None
        A message that arrives at a core.
    link_message : TimePerEvent or None
        How long a message occupies the link to a core.
    step_barrier, step_overhead : TimePerEvent
        What all cores wait for in each step, and what host and embedded processors add.
    """

    synaptic_operation: TimePerEvent
    neuron_update: TimePerEvent
    spike: TimePerEvent
    message_in: TimePerEvent | None = None
    link_message: TimePerEvent | None = None
    step_barrier: TimePerEvent
    step_overhead: TimePerEvent


class PowerShares(_Strict):
    """Power by other rules and boundaries than `HardwareProfile.static_power`; None if not known.

    Attributes
    ----------
    used_core, powered_core : Power or None
        Static power of a core in use; of each core of a chip that is switched on.
    processor_clock, processor_code : Power or None
        Embedded processors of a chip that wait; what they draw more while their code runs.
    board : Power or None
        All of a board, by chips, while nothing runs.
    """

    used_core: Power[Literal["one neurocore"]] | None = None
    powered_core: Power[Literal["one neurocore"]] | None = None
    processor_clock: Power[Literal["processors of one chip"]] | None = None
    processor_code: Power[Literal["processors of one chip"]] | None = None
    board: Power[Literal["board share of one chip"]] | None = None


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
    mesh : Mesh or None
        The grid of tiles and chips; None where distance means nothing.
    synapse_memory : SynapseMemory
        The formula for synapse words.
    axons : Axons
        The formula for axons.
    partition : Partition
        The way of cutting layers.
    energy : Energy or None
        None means that joules are refused.
    static_power : Power or None
        Of the neurocores of a chip in use; None where nothing is known.
    power : PowerShares or None
        Power by other rules, and within wider boundaries.
    time : Time or None
        None means that durations are refused.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    description: Annotated[str, Field(min_length=1)]
    limits: Limits
    formats: Formats
    mesh: Mesh | None
    synapse_memory: SynapseMemory
    axons: Axons
    partition: Partition
    energy: Energy | None
    static_power: Power[StaticBoundary] | None
    power: PowerShares | None = None
    time: Time | None

    @model_validator(mode="after")
    def _cores_fit_the_mesh(self) -> HardwareProfile:
        cores, mesh = self.limits.cores_per_chip, self.mesh
        if mesh is None:
            return self
        places = mesh.columns.value * mesh.rows.value * mesh.cores_per_tile.value
        if cores is None or cores.value > places:
            found = "no limit of" if cores is None else f"{cores.value}"
            raise ValueError(f"{found} cores_per_chip, but the mesh has {places} places")
        return self
