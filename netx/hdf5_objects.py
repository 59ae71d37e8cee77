"""The plain form of HDF5: superblock 0 and object headers of version 1.

This is what h5py and libhdf5 write unless asked otherwise, so every file of lava-dl has it. Layouts
are those of the HDF5 File Format Specification 3.0, sections II.A (superblock), IV.A.1.a (object
header) and IV.A.2.q (continuation); names of fields are its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from .hdf5_bytes import DamagedFileError, OtherFormError, RefusedFileError, Span

SIGNATURE = b"\x89HDF\r\n\x1a\n"
WORD = 8  # bytes of an address and of a length; other sizes are left to libhdf5


class MessageKind(IntEnum):
    """Messages of an object header that matter here; others are passed over."""

    DATASPACE = 0x01
    LINK_INFO = 0x02
    DATATYPE = 0x03
    EXTERNAL_FILES = 0x07
    LAYOUT = 0x08
    ATTRIBUTE = 0x0C
    CONTINUATION = 0x10
    SYMBOL_TABLE = 0x11


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of an object header.

    Attributes
    ----------
    kind : int
        A `MessageKind`, or a number unknown here.
    body : Span
        What it says.
    """

    kind: int
    body: Span


def find_root(file: Span) -> int:
    """Return the address of the root group's object header.

    Raises
    ------
    RefusedFileError
        When it is no HDF5 file.
    DamagedFileError
        When it is shorter than it says.
    OtherFormError
        When it has another superblock, a user block or numbers of other sizes.
    """
    if file.data[: len(SIGNATURE)] != SIGNATURE:
        if _has_user_block(file):
            raise OtherFormError("user block")
        raise RefusedFileError("is not an HDF5 file, so it can not be NetX.")
    version, offset_size, length_size = (file.unsigned(at, 1) for at in (8, 13, 14))
    if (version, offset_size, length_size) != (0, WORD, WORD):
        raise OtherFormError(f"superblock {version}")
    base, end = file.unsigned(24, WORD), file.unsigned(40, WORD)
    if base != 0:
        raise OtherFormError("base address")
    if end > len(file):
        raise DamagedFileError(f"{len(file)} bytes long where {end} were written")
    return file.unsigned(64, WORD)


def read_messages(file: Span, address: int) -> tuple[Message, ...]:
    """Return the messages of an object header, in order.

    Raises
    ------
    DamagedFileError
        When the header or one of its continuations is not whole.
    OtherFormError
        When it is of version 2, or shares a message with other objects.
    """
    if file.data[address : address + 4] == b"OHDR":
        raise OtherFormError("object header 2")
    if file.unsigned(address, 1) != 1:
        raise DamagedFileError(f"no object header at {address}")
    count = file.unsigned(address + 2, 2)
    blocks = [file.part(address + 16, file.unsigned(address + 8, 4))]
    found: list[Message] = []
    for block in blocks:  # continuations append to it
        at = 0
        while at + 8 <= len(block) and len(found) < count:
            file.budget.step()
            kind, size = block.unsigned(at, 2), block.unsigned(at + 2, 2)
            message = Message(kind=kind, body=block.part(at + 8, size))
            if kind == MessageKind.CONTINUATION:
                blocks.append(
                    file.part(message.body.unsigned(0, WORD), message.body.unsigned(WORD, WORD))
                )
            elif kind in tuple(MessageKind) and block.unsigned(at + 4, 1) & 0x02:
                raise OtherFormError("shared message")
            found.append(message)
            at += 8 + size
    return tuple(found)


def first_of(messages: Sequence[Message], kind: MessageKind) -> Span | None:
    """Return what the first message of a kind says, or None."""
    return next((message.body for message in messages if message.kind == kind), None)


def _has_user_block(file: Span) -> bool:
    """Tell whether the signature is where libhdf5 looks for it next: at 512, 1024, 2048, ..."""
    at = 512
    while at < len(file):
        if file.data[at : at + len(SIGNATURE)] == SIGNATURE:
            return True
        at *= 2
    return False
