"""The record of a measured run, from which coefficients are fitted.

A JSON file, one run each (or, under ``notes.measurement``, the ``run.json`` of a run folder):

.. code-block:: text

    {"schema": 1, "evidence": "measured",
     "run_id": "board7-0042", "network": "pilotnet",
     "chip": "loihi2", "stepping": "N3B3", "board": "Kapoho Point",
     "boundary": "neurocores", "chips": 1, "cores_used": 74,
     "steps": 10000, "inferences": 625,
     "time": {"total_s": 1.53, "per_step_us": {"mean": 153.0}, "host_excluded": true},
     "power_W": {"total": 0.679, "static": 0.232, "dynamic": 0.447,
                 "rails": {"vdd": 0.253, "vddm": 0.422, "vddio": 0.004},
                 "static_rails": {"vdd": 0.09, "vddm": 0.14, "vddio": 0.002},
                 "static_measured": "after_run"},
     "counters": {"core": [{"id": 0, "neurons": 2142, "syn_ops": 308000000,
                            "dendrite_updates": 42800000, "spikes_in": 980000,
                            "spikes_out": 581000, "axon_out": 581000}]},
     "mesh": {"messages": 43000000, "hops": 120000000, "crossings": 0},
     "memory": [{"core": 0, "fraction": 0.81}],
     "profiler": {"module": "lava.utils.loihi2_profiler", "version": null}}

Counters are sums over the run, as Lava's profiler gives them (``Loihi2Activity``). Power is the
mean over a run of seconds, since boards sample currents every 30 to 40 ms; static power is taken
after the work, on the warm board. ``neurons``, ``spikes_out``, ``rails``, ``static_rails``,
``mesh``, ``stepping``, ``profiler``, ``network``, ``per_step_us`` and ``memory`` may be left out;
nothing is fitted to the last two. ``per_step_us`` has the steps one by one or any of their
statistics. ``network`` names runs that are left out together when the fit is tested; those without
it count as one network.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ...netx import MeasurementError

SCHEMA = 1
Chip = Literal["loihi1", "loihi2"]  # as the profiles that come with lavadeploy are called
CHIPS_OF_TWO_UPDATES = ("loihi2",)  # whose counters show two dendrite updates a neuron and step

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Real = Annotated[float, Field(allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RunTime(_Part):
    """Duration of a run; times are fitted to runs without the host's only."""

    total_s: Positive
    per_step_us: tuple[NotNegative, ...] | dict[str, NotNegative] | None = None
    host_excluded: bool


class Rails(_Part):
    """Power by rail in W: logic, SRAM, input and output."""

    vdd: Real
    vddm: Real
    vddio: Real


class RunPower(_Part):
    """Mean power of a run in W."""

    total: NotNegative
    static: NotNegative
    dynamic: Real
    rails: Rails | None = None
    static_rails: Rails | None = None
    static_measured: Literal["after_run", "before_run"] = "after_run"


class CoreCounters(_Part):
    """What one core counted in all steps of a run."""

    id: int
    neurons: Annotated[int, Field(ge=0)] | None = None
    syn_ops: NotNegative
    dendrite_updates: NotNegative
    spikes_in: NotNegative
    spikes_out: NotNegative | None = None
    axon_out: NotNegative


class Counters(_Part):
    """All cores in use."""

    core: Annotated[tuple[CoreCounters, ...], Field(min_length=1)]


class MeshCounters(_Part):
    """Messages between cores, summed over a run."""

    messages: NotNegative
    hops: NotNegative
    crossings: NotNegative


class CoreMemory(_Part):
    """How much of a core's memory is in use."""

    core: int
    fraction: NotNegative


class Measurement(_Part):
    """A measured run; see the module for every key."""

    # the key is called like a method of pydantic's
    schema_: Annotated[Literal[1], Field(alias="schema")]
    evidence: Literal["measured"]
    run_id: str
    network: str = ""
    chip: Chip
    stepping: str = ""
    board: str
    boundary: Literal["neurocores", "chip", "board"]
    chips: Annotated[int, Field(ge=1)]
    cores_used: Annotated[int, Field(ge=1)]
    steps: Annotated[int, Field(ge=1)]
    inferences: Annotated[int, Field(ge=1)]
    time: RunTime
    power_W: RunPower  # noqa: N815 - the unit's own spelling
    counters: Counters
    mesh: MeshCounters | None = None
    memory: tuple[CoreMemory, ...] = ()
    profiler: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _cores_agree(self) -> Measurement:
        if len(self.counters.core) != self.cores_used:
            found = f"counters of {len(self.counters.core)} cores, but {self.cores_used} cores_used"
            raise ValueError(found)
        return self

    def neurons_of(self, core: CoreCounters) -> float:
        """Return the neurons of a core, from its updates where they are not stated."""
        if core.neurons is not None:
            return core.neurons
        each = 2 if self.chip in CHIPS_OF_TWO_UPDATES else 1
        return core.dendrite_updates / self.steps / each

    @property
    def dynamic_pj(self) -> float:
        """Dynamic energy of a step."""
        return self.power_W.dynamic * self.time.total_s / self.steps * 1e12

    def rail_pj(self, rail: str) -> float:
        """Return the dynamic energy of a step from one rail, 0 where it was not measured."""
        running, idle = self.power_W.rails, self.power_W.static_rails
        if running is None or idle is None:
            return 0.0
        watts = float(getattr(running, rail)) - float(getattr(idle, rail))
        return watts * self.time.total_s / self.steps * 1e12


def read_measurement(path: str | Path) -> Measurement:
    """Read the record of a measured run.

    Parameters
    ----------
    path : str or Path
        A record, or the ``run.json`` of a run folder that has one under ``notes.measurement``.

    Raises
    ------
    MeasurementError
        When the file is missing, holds no measurement, or breaks the schema: every wrong key is
        named.
    """
    path = Path(path)
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MeasurementError(f"'{path}': cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise MeasurementError(f"'{path}': is not JSON.") from error
    found = _record_in(content)
    if found is None:
        raise MeasurementError(
            f"'{path}': holds no measurement ('power_W' and 'counters', or notes.measurement in a "
            "run.json). Energies of lavadeploy's own runs are estimates, which nothing can be "
            "fitted to."
        )
    try:
        return Measurement.model_validate(found)
    except ValidationError as error:
        problems = [
            f"'{path}', {'.'.join(str(part) for part in e['loc']) or 'the record'}: "
            f"{e['msg'][0].lower()}{e['msg'][1:]}."
            for e in error.errors()
        ]
        raise MeasurementError("\n".join(problems)) from error


def _record_in(content: Any) -> dict[str, Any] | None:
    if not isinstance(content, dict):
        return None
    record = cast(dict[str, Any], content)
    if "power_W" in record:
        return record
    notes = record.get("notes")
    inner = cast(dict[str, Any], notes).get("measurement") if isinstance(notes, dict) else None
    return cast(dict[str, Any], inner) if isinstance(inner, dict) else None
