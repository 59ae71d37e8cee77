"""Groups of plain HDF5 files: names in a local heap, links in symbol tables under a B-tree.

Layouts are those of the HDF5 File Format Specification 3.0, sections III.A.1 (version 1 B-trees),
III.B (symbol table nodes), III.C (symbol table entries) and III.D (local heaps).
"""

from __future__ import annotations

from dataclasses import dataclass

from .hdf5_bytes import DamagedFileError, Span
from .hdf5_objects import WORD

MAX_NAME_BYTES = 256
ENTRY_BYTES = 40
SOFT_LINK = 2  # the cache type of a symbol table entry that is a soft link


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A named entry of a group.

    Attributes
    ----------
    name : str
        Printable, without a slash.
    address : int or None
        Object header it leads to; None for a soft link.
    """

    name: str
    address: int | None


def read_links(file: Span, symbol_table: Span) -> tuple[Link, ...]:
    """Return the entries of a group in the order stored, that of their names.

    Parameters
    ----------
    file : Span
        The whole file.
    symbol_table : Span
        The symbol table message of the group's object header.

    Raises
    ------
    DamagedFileError
        When the tree, a table or the heap of names is not whole, or a name comes twice.
    """
    names = _local_heap(file, symbol_table.unsigned(WORD, WORD))
    links: dict[str, Link] = {}
    waiting, seen = [symbol_table.unsigned(0, WORD)], set[int]()
    while waiting:
        address = waiting.pop()
        file.budget.step()
        if address in seen:
            raise DamagedFileError(f"the tree of a group comes back to {address}")
        seen.add(address)
        if file.take(address, 4) == b"TREE":
            waiting += reversed(_children(file, address))
            continue
        for link in _symbols(file, address, names):
            if link.name in links:
                raise DamagedFileError(f"a group has two entries '{link.name}'")
            links[link.name] = link
    return tuple(links.values())


def _local_heap(file: Span, address: int) -> Span:
    """Return the names of a group."""
    file.check_signature(address, b"HEAP")
    return file.part(file.unsigned(address + 24, WORD), file.unsigned(address + 8, WORD))


def _children(file: Span, address: int) -> list[int]:
    """Return where a node of a group's B-tree leads; keys and children alternate in it."""
    kind, count = file.unsigned(address + 4, 1), file.unsigned(address + 6, 2)
    if kind != 0:
        raise DamagedFileError(f"no tree of a group at {address}")
    children: list[int] = []
    for index in range(count):
        file.budget.step()
        children.append(file.unsigned(address + 32 + 2 * WORD * index, WORD))
    return children


def _symbols(file: Span, address: int, names: Span) -> list[Link]:
    """Return the entries of a symbol table node."""
    file.check_signature(address, b"SNOD")
    links: list[Link] = []
    for index in range(file.unsigned(address + 6, 2)):
        file.budget.step()
        entry = file.part(address + 8 + ENTRY_BYTES * index, ENTRY_BYTES)
        name = names.text(entry.unsigned(0, WORD), MAX_NAME_BYTES)
        if "/" in name or name == ".":
            raise DamagedFileError(f"'{name}' is no name of an entry")
        is_soft = entry.unsigned(2 * WORD, 4) == SOFT_LINK
        links.append(Link(name=name, address=None if is_soft else entry.unsigned(WORD, WORD)))
    return links
