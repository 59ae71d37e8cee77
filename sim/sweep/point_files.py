"""Finished points in a sweep's folder: one file each, written in one step."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cattrs

from ...netx import OutputError
from ...netx.atomic_write import check_replaceable, output_error, write_bytes_atomically
from ..json_text import to_json
from ..run_reader import figures_converter
from .outcome import Outcome, PointFailure, PointResult
from .points import AS_STORED, Bits, SweepPoint

POINTS = "points"
SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PointRecord:
    """What a point's file holds.

    Attributes
    ----------
    schema_version : int
        Version of this list of fields.
    identity : str
        See `SweepPlan.identity`.
    outcome : PointResult or PointFailure
        What came of it.
    """

    schema_version: int
    identity: str
    outcome: Outcome


def _record_converter() -> cattrs.Converter:
    """Return a converter that knows the unions of a record, too."""
    converter = figures_converter()

    def outcome(data: dict[str, Any], _: object) -> Outcome:
        kind = PointResult if data["kind"] == "result" else PointFailure
        return converter.structure(data, kind)

    def bits(value: str | int, _: object) -> Bits:
        return AS_STORED if value == AS_STORED else int(value)

    converter.register_structure_hook(Outcome, outcome)
    converter.register_structure_hook(Bits, bits)
    return converter


_converter = _record_converter()


class PointFiles:
    """The points of a folder.

    Parameters
    ----------
    folder : Path
        The sweep's; made if need be.

    Raises
    ------
    OutputError
        When it cannot be, or holds something else.
    """

    def __init__(self, folder: Path) -> None:
        check_replaceable(folder, POINTS)
        self._folder = folder / POINTS
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(folder, error) from error

    def finished(
        self, points: Iterable[SweepPoint], identities: dict[SweepPoint, str]
    ) -> dict[SweepPoint, PointResult]:
        """Return the results that are there already; failures and what else changed are not."""
        found = {point: self._read(point) for point in points}
        return {
            point: record.outcome
            for point, record in found.items()
            if record is not None
            and record.schema_version == SCHEMA
            and record.identity == identities[point]
            and isinstance(record.outcome, PointResult)
            and record.outcome.point == point
        }

    def write(self, outcome: Outcome, identity: str) -> None:
        """Keep what came of a point."""
        record = PointRecord(schema_version=SCHEMA, identity=identity, outcome=outcome)
        path = self._path(outcome.point)
        write_bytes_atomically(path, (to_json(record) + "\n").encode("utf-8", errors="replace"))

    def _read(self, point: SweepPoint) -> PointRecord | None:
        """Return a point's record; None where there is none that can be read: it is run again."""
        try:
            text = self._path(point).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise OutputError(f"cannot read '{self._path(point)}': {error.strerror}.") from error
        try:
            return _converter.structure(json.loads(text), PointRecord)
        except Exception:  # noqa: BLE001 - strange types raise nearly anything
            return None

    def _path(self, point: SweepPoint) -> Path:
        return self._folder / f"{point.name}.json"
