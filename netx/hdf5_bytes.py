"""Reading an HDF5 file's bytes so that no byte of it can do harm.

Every number taken from a file may be wrong, so each access is checked against the end of the file
and each step of a walk is counted: damage ends in an error, never in a loop or a wild read.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# Numbers and characters that one file may declare, all datasets together. The synaptic memory of a
# Loihi 2 chip, 128 cores of 128 KiB, holds so many weights of 4 bits. A reader that widens them to
# float64 to check them and keeps them as int32 stays below 1 GiB (measured, see test_fuzz.py).
MAX_NUMBERS = 1 << 25
# 8 bytes a number, and an eighth of that for structure and unused space.
MAX_FILE_BYTES = 9 * MAX_NUMBERS
# Messages, links, heap objects and tree nodes of one file. PilotNet has 2,000; walking so many
# takes less than a second.
MAX_STEPS = 200_000
# What HDF5 stores for "no address".
UNDEFINED = (1 << 64) - 1


class RefusedFileError(ValueError):
    """The file is whole, but is not what NetX may be; the message is a sentence without the path."""


class DamagedFileError(ValueError):
    """The bytes contradict the file format; the message says where, in a few words."""


class OtherFormError(ValueError):
    """The file may be whole, but uses a form of HDF5 that only libhdf5 reads."""


@dataclass(slots=True)
class Budget:
    """What reading one file has used up.

    Attributes
    ----------
    steps : int
        Parts of the file's structure looked at.
    numbers : int
        Numbers and characters declared.
    """

    steps: int = 0
    numbers: int = 0

    def step(self) -> None:
        """Count a step; raises DamagedFileError beyond `MAX_STEPS`."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise DamagedFileError(f"its structure has more than {MAX_STEPS} parts")

    def declare(self, name: str, count: int) -> None:
        """Count what a dataset declares; raises RefusedFileError beyond `MAX_NUMBERS`."""
        self.numbers += count
        if self.numbers > MAX_NUMBERS:
            raise RefusedFileError(
                f"'{name}' declares {count} values; with the rest that is more than the "
                f"{MAX_NUMBERS} values that a network may have."
            )


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a file; places are counted from its beginning.

    Attributes
    ----------
    data : bytes
        The whole file.
    start, end : int
        Where the stretch lies, ``0 <= start <= end <= len(data)``.
    budget : Budget
        Shared by all stretches of a file.
    """

    data: bytes
    start: int
    end: int
    budget: Budget = field(default_factory=Budget)

    def __len__(self) -> int:
        return self.end - self.start

    def part(self, at: int, size: int) -> Span:
        """Return a stretch of this one; raises DamagedFileError when it is not all inside."""
        if at < 0 or size < 0 or at + size > len(self):
            raise DamagedFileError(f"{size} bytes at {self.start + at} are beyond the end")
        return Span(self.data, self.start + at, self.start + at + size, self.budget)

    def take(self, at: int, size: int) -> bytes:
        """Return a copy of some bytes."""
        part = self.part(at, size)
        return self.data[part.start : part.end]

    def unsigned(self, at: int, size: int) -> int:
        """Return an unsigned number, least byte first."""
        return int.from_bytes(self.take(at, size), "little")

    def check_signature(self, at: int, signature: bytes) -> None:
        """Raise DamagedFileError unless these bytes are here."""
        if self.take(at, len(signature)) != signature:
            raise DamagedFileError(f"no {signature.decode()!r} at {self.start + at}")

    def text(self, at: int, limit: int) -> str:
        """Return the printable text up to a zero byte, of less than `limit` bytes."""
        start = self.start + at
        end = self.data.find(b"\0", start, min(start + limit, self.end))
        try:
            text = self.data[start : max(start, end)].decode("utf-8")
        except UnicodeDecodeError:
            text = ""
        if not text or not text.isprintable():
            raise DamagedFileError(f"no name at {start}")
        return text
