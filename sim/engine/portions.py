"""Running samples in portions: blocks on threads, no more of them than a portion may hold."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from ..spike_input import SpikeInput
from .block import BlockSize, Numbers, Workspace, frozen
from .layers import Recorded
from .log import LOG_COLUMNS, ROW_BYTES, BlockSpikes, write_log
from .plan import NetworkPlan
from .structures import Int32Array

AHEAD = 2  # blocks a thread that are begun before the first of them is done


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Portion:
    """Samples that were run.

    Attributes
    ----------
    samples, steps : int
        How many, and steps of each.
    log : int32 array, shape (5, events)
        Sample, step, layer, neuron and value, sorted.
    """

    samples: int
    steps: int
    log: Int32Array


@dataclass(slots=True, kw_only=True, eq=False)
class Runner:
    """Runs portions of the samples, one after the other.

    Attributes
    ----------
    inputs : SpikeInput
        All samples.
    plan : NetworkPlan
        The network.
    size : BlockSize
        How the work is cut.
    spaces : queue of Workspace
        One a thread.
    pool : ThreadPoolExecutor or None
        None for one thread, which is the caller's.
    threads : int
        How many.
    log_bytes : int or None
        About how large the log of a portion may be; None for any size.
    """

    inputs: SpikeInput
    plan: NetworkPlan
    size: BlockSize
    spaces: queue.SimpleQueue[Workspace]
    pool: ThreadPoolExecutor | None
    threads: int
    log_bytes: int | None
    _bytes_per_sample: float | None = field(default=None, init=False)

    def run(
        self,
        first: int,
        most: int,
        recorded: tuple[Recorded, ...],
        on_progress: Callable[[int], None],
    ) -> Portion:
        """Run samples from `first` on, `most` of them at most.

        Parameters
        ----------
        first, most : int
            Which samples.
        recorded : tuple
            For each layer, room for the states of `most` samples.
        on_progress : callable
            Called with the number of samples done.
        """
        blocks: list[BlockSpikes] = []
        begun: deque[tuple[int, Future[BlockSpikes]]] = deque()
        end = stop = first  # of the samples that are done, and that are begun
        size = 0
        while True:
            while stop < first + most and self._may_begin(
                len(begun), end - first, stop - end, size
            ):
                last = min(stop + self.size.samples, first + most)
                begun.append((last, self._begin(stop, last, first, recorded)))
                stop = last
            if not begun:
                break
            end, future = begun.popleft()
            blocks.append(future.result())
            size += ROW_BYTES * blocks[-1].shown
            self._bytes_per_sample = size / (end - first)
            on_progress(end)
        return Portion(samples=end - first, steps=self.plan.timing.shown, log=self._log(blocks))

    def _may_begin(self, waiting: int, done: int, begun: int, size: int) -> bool:
        """Tell whether another block may begin, beside those whose results are not taken yet."""
        ahead = 1 if self.pool is None else AHEAD * self.threads
        if waiting >= ahead:
            return False
        each = self._bytes_per_sample
        if self.log_bytes is None or done + begun == 0:
            return True
        if each is None:  # nothing is known yet: a block for each thread tells
            return waiting < self.threads
        return size + (begun + self.size.samples) * each <= self.log_bytes

    def _begin(
        self, start: int, stop: int, first: int, recorded: tuple[Recorded, ...]
    ) -> Future[BlockSpikes]:
        if self.pool is not None:
            return self.pool.submit(self._block, start, stop, first, recorded)
        done: Future[BlockSpikes] = Future()
        done.set_result(self._block(start, stop, first, recorded))
        return done

    def _block(
        self, start: int, stop: int, first: int, recorded: tuple[Recorded, ...]
    ) -> BlockSpikes:
        spikes = self.inputs.spikes[start:stop]
        space = self.spaces.get()
        try:
            return space.run(_flat(spikes), start - first, recorded)
        finally:
            self.spaces.put(space)

    def _log(self, blocks: list[BlockSpikes]) -> Int32Array:
        ends = np.cumsum([block.shown for block in blocks])
        log = np.empty((LOG_COLUMNS, int(ends[-1])), dtype=np.int32)

        def write(index: int) -> None:
            write_log(self.plan, blocks[index], int(ends[index]) - blocks[index].shown, log)

        for _ in (map if self.pool is None else self.pool.map)(write, range(len(blocks))):
            pass
        return log


def _flat(spikes: Numbers) -> Numbers:
    """Return a block's input as (samples, neurons, T), in memory, read-only."""
    return frozen(np.asarray(spikes).reshape(spikes.shape[0], -1, spikes.shape[-1]))
