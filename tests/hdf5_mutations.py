"""Damaged and hostile files for tests: each case has a number and is made again from it alone.

A case takes one of the seed files and does one thing to it: to its bytes, or, with `hdf5_edits`, to
its datasets. Choices depend on the number only, so ``mutant(n, seeds)`` makes case n again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hdf5_edits import EDITS, edited

EXTREMES = (0, 1, 2, -1, -2, 127, 1 << 15, (1 << 31) - 1, 1 << 31, 1 << 40, (1 << 63) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A damaged file: its number, what was done to which seed, and what it holds now."""

    number: int
    seed: str
    change: str
    content: bytes


def mutant(number: int, seeds: Mapping[str, bytes]) -> Mutant:
    """Return a case.

    Parameters
    ----------
    number : int
        Which case.
    seeds : mapping of str to bytes
        Whole files by name.
    """
    dice = random.Random(number)
    seed = dice.choice(list(seeds))
    change = dice.choice([*BYTE_CHANGES, *EDITS])
    if change in BYTE_CHANGES:
        content = BYTE_CHANGES[change](seeds[seed], dice)
    else:
        content = edited(seeds[seed], change, dice)
    return Mutant(number=number, seed=seed, change=change, content=content)


def _one_byte(content: bytes, dice: random.Random) -> bytes:
    changed = bytearray(content)
    changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)


def _one_bit(content: bytes, dice: random.Random) -> bytes:
    changed = bytearray(content)
    changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _some_bytes(content: bytes, dice: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(dice.choice((2, 8, 64))):
        changed[dice.randrange(len(changed))] = dice.choice((0, 1, 127, 128, 255))
    return bytes(changed)


def _one_number(content: bytes, dice: random.Random) -> bytes:
    """Overwrite an aligned number by an extreme, or by an address inside the file."""
    size = dice.choice((2, 4, 8, 8))
    number = dice.choice((*EXTREMES, len(content), dice.randrange(len(content)) & ~7))
    at = dice.randrange(len(content) // size) * size
    raw = (number & ((1 << 8 * size) - 1)).to_bytes(size, "little")
    return content[:at] + raw + content[at + size :]


def _used_byte(content: bytes, dice: random.Random) -> bytes:
    """Change one byte that is not zero: most zeros of a file mean nothing."""
    places = [at for at, byte in enumerate(content[:50_000]) if byte]
    at = dice.choice(places)
    return content[:at] + bytes([dice.randrange(256)]) + content[at + 1 :]


def _copied_block(content: bytes, dice: random.Random) -> bytes:
    size = dice.choice((8, 16, 64, 512))
    source, target = (dice.randrange(len(content) - size) & ~7 for _ in range(2))
    block = content[source : source + size]
    return content[:target] + block + content[target + size :]


def _cut(content: bytes, dice: random.Random) -> bytes:
    return content[: dice.randrange(len(content))]


def _shifted(content: bytes, dice: random.Random) -> bytes:
    """Take bytes out of the middle, or put some before the file."""
    at = dice.randrange(len(content))
    if at % 16 == 0:
        return bytes(512) + content
    return content[:at] + content[at + dice.choice((1, 8, 100)) :]


BYTE_CHANGES: Mapping[str, Callable[[bytes, random.Random], bytes]] = {
    "one byte": _one_byte,
    "one bit": _one_bit,
    "some bytes": _some_bytes,
    "one number": _one_number,
    "used byte": _used_byte,
    "copied block": _copied_block,
    "cut": _cut,
    "shifted": _shifted,
}
