"""Finished points in a sweep's folder: one file each, written in one step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from ...netx import OutputError
from ...netx.atomic_write import check_replaceable, output_error, write_bytes_atomically
from ..json_text import to_json
from .outcome import Outcome, PointResult
from .points import SweepPoint

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
    outcome: Annotated[Outcome, Field(discriminator="kind")]


_RECORD = TypeAdapter(PointRecord)


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
            return _RECORD.validate_json(self._path(point).read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError:
            return None
        except OSError as error:
            raise OutputError(f"cannot read '{self._path(point)}': {error.strerror}.") from error

    def _path(self, point: SweepPoint) -> Path:
        return self._folder / f"{point.name}.json"
