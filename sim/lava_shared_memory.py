"""Shared memory for Lava's channels, without the server process that Lava starts for it."""

from __future__ import annotations

from multiprocessing.shared_memory import SharedMemory


class DirectSharedMemory:
    """Takes the place of Lava's ``SharedMemoryManager``.

    Lava asks a process of its own for every piece, which costs a fork, a message for each channel
    and a wait at the end: a third of the start of a small network. Its channels inherit what the
    parent made. Should the parent be killed, Python's resource tracker frees what is left.
    """

    def __init__(self) -> None:
        self._pieces: list[SharedMemory] = []

    def start(self) -> None:
        """Do nothing: there is nothing to start."""

    def create_shared_memory(self, size: int) -> SharedMemory:
        """Return a piece of so many bytes."""
        piece = SharedMemory(create=True, size=size)
        self._pieces.append(piece)
        return piece

    def shutdown(self) -> None:
        """Free all pieces."""
        while self._pieces:
            piece = self._pieces.pop()
            piece.close()
            piece.unlink()
