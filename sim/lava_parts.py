"""Parts that take the place of Lava's in its runtime: quicker to start, and without hangs."""
# lava has no type information, and its ports keep what is needed here in private attributes.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.shared_memory import SharedMemory
from typing import Any

LOOK_AT_CHILDREN_EVERY_S = 0.1


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


def tell_of_every_message(port: Any, arrivals: Any) -> None:
    """Take the place of ``CspRecvPort._req_callback``, the thread behind a receiving port.

    Lava's wakes who waits only if nothing lay in the queue before. Where what lay there is taken
    between that look and the new message, nobody is woken. It happens where a run follows another
    closely: processes do not answer the command that ends a run, so the next may come upon it, and
    about one of a thousand runs of several portions stood still for ever.

    Parameters
    ----------
    port : CspRecvPort
        The port.
    arrivals : semaphore
        Released once for each message.
    """
    try:
        while arrivals.acquire() and not port._done:
            port._queue.put_nowait(0)
            observer = port.observer
            if observer is not None:
                observer()
    except EOFError:
        pass


class StartReport:
    """Takes the place of the queue in which a process says that it has started, or why not.

    Lava waits at it for ever where the process died before it could; and a pipe needs no thread.

    Parameters
    ----------
    check : callable
        Raises when a process is dead.
    """

    def __init__(self, check: Callable[[], None]) -> None:
        self._receiver, self._sender = multiprocessing.Pipe(duplex=False)
        self._check = check

    def put(self, report: Exception | None) -> None:
        """Say it, in the process."""
        self._sender.send(report)

    def get(self) -> Exception | None:
        """Wait for it, in the parent."""
        while not self._receiver.poll(LOOK_AT_CHILDREN_EVERY_S):
            self._check()
        report = self._receiver.recv()
        self._receiver.close()
        self._sender.close()
        return report
