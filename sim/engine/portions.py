"""Running samples in portions: blocks on threads, no more of them than a portion may hold."""

from __future__ import annotations

import queue
import time
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

PORTION_S = 5.0  # seconds after which a portion ends, so that finished samples can be kept
ROW_OVERHEAD = 24  # bytes that a block keeps for each layer and step: where its spikes lie
AHEAD = 2  # blocks a thread that are begun before the first of them is done


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Portion:
    """Samples that were run.

    Attributes
    ----------
    samples : int
        How many.
    log : int32 array, shape (5, events)
        Sample, step, layer, neuron and value, sorted.
    """

    samples: int
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
    most_bytes : int or None
        About how large the log of a portion may be, and how large its states; None for any size.
    on_progress : callable
        Called with the number of samples done.
    done : int
        How many that is.
    """

    inputs: SpikeInput
    plan: NetworkPlan
    size: BlockSize
    spaces: queue.SimpleQueue[Workspace]
    pool: ThreadPoolExecutor | None
    threads: int
    most_bytes: int | None
    on_progress: Callable[[int], None]
    done: int = field(default=0, init=False)
    _bytes_per_sample: float | None = field(default=None, init=False)

    def most_samples(self, bytes_of_states: int) -> int:
        """Return how many samples the next portion may have, each with states of some bytes."""
        left = self.inputs.n_samples - self.done
        if self.most_bytes is None or bytes_of_states == 0:
            return left
        return min(left, max(1, self.most_bytes // bytes_of_states))

    def run(self, most: int, recorded: tuple[Recorded, ...]) -> Portion:
        """Run the next samples, `most` of them at most.

        Parameters
        ----------
        most : int
            See `most_samples`.
        recorded : tuple
            For each layer, room for the states of `most` samples.
        """
        started = time.monotonic()
        blocks: list[BlockSpikes] = []
        begun: deque[tuple[int, Future[BlockSpikes]]] = deque()
        first = stop = self.done
        size = 0
        while True:
            while stop < first + most and self._may_begin(len(begun), first, stop, size, started):
                last = min(stop + self.size.samples, first + most)
                begun.append((last, self._begin(stop, last, first, recorded)))
                stop = last
            if not begun:
                break
            self.done, future = begun.popleft()
            blocks.append(future.result())
            size += self._bytes_of(blocks[-1])
            self._bytes_per_sample = size / (self.done - first)
            self.on_progress(self.done)
        return Portion(samples=self.done - first, log=self._log(blocks))

    def _may_begin(self, waiting: int, first: int, stop: int, size: int, started: float) -> bool:
        """Tell whether another block may begin at `stop`, while some are not done.

        Parameters
        ----------
        waiting : int
            Blocks whose results are not taken yet.
        first : int
            Where the portion began.
        stop : int
            Where the next block begins.
        size : int
            Bytes so far: of the log, and of what is kept to write it.
        started : float
            When the portion began.
        """
        if waiting >= (1 if self.pool is None else AHEAD * self.threads):
            return False
        each = self._bytes_per_sample
        if self.most_bytes is None or stop == first:
            return True
        if time.monotonic() - started > PORTION_S:
            return False
        if each is None:  # nothing is known yet: a block for each thread tells
            return waiting < self.threads
        return size + (stop - self.done + self.size.samples) * each <= self.most_bytes

    def _bytes_of(self, block: BlockSpikes) -> int:
        rows = sum(chunk.window.samples * chunk.window.steps for chunk in block.chunks)
        return ROW_BYTES * block.shown + ROW_OVERHEAD * rows * len(self.plan.layers)

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
