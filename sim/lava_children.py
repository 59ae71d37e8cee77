"""Starting the processes of a run so that they neither see Ctrl-C nor outlive this one."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from multiprocessing import resource_tracker

PR_SET_PDEATHSIG = 1  # of linux/prctl.h


@contextmanager
def children_of_ours() -> Generator[None]:
    """Start processes in this block that neither see Ctrl-C nor outlive this process.

    The second holds on Linux, and where the main thread starts them.

    A terminal sends Ctrl-C to all of them; the parent takes it and ends them, where without this
    each would die by itself with a traceback. An interrupt in this block comes at its end.
    """
    resource_tracker.ensure_running()  # when it starts later it lets interrupts through again
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    _Forks.are_ours = True
    # Linux ties the children to the thread that starts them; the main one lives as long as we do
    _Forks.by_main_thread = threading.current_thread() is threading.main_thread()
    try:
        with warnings.catch_warnings():
            # Python 3.12 warns of forking with threads. Lava cannot do otherwise, and its children
            # run none of the libraries whose threads the warning is about.
            warnings.filterwarnings("ignore", message=".*fork", category=DeprecationWarning)
            yield
    finally:
        _Forks.are_ours = False
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


class _Forks:
    """What processes that are forked now are to know."""

    are_ours = False
    by_main_thread = False


def _begin_child() -> None:
    """Ignore Ctrl-C, and let Linux kill this process when its parent ends, however that ends."""
    if not _Forks.are_ours:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if _Forks.by_main_thread and sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


# children of others see that the flag is not set
os.register_at_fork(after_in_child=_begin_child)
