"""The engine: a fast backend whose cost follows the spikes, for data sets.

It equals the reference in every spike and every state; tests require it.
"""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..compile import CompiledNetwork, has_readout, neuron_count
from .backend import Backend, RunOptions, check_slayer_timeline
from .cuba_layers import check_only_cuba_neurons
from .engine.block import (
    LOG_COLUMNS,
    ROWS_AT_ONCE,
    BlockSize,
    ChunkSpikes,
    Workspace,
    block_size,
    frozen,
    write_log,
)
from .engine.plan import NetworkPlan, plan_network
from .engine.structures import Int32Array, Recording
from .recording import recorded_states
from .run_result import RunResult, StateTrace, only
from .spike_input import SpikeInput, check_input_fits
from .spike_log import SpikeLog

_Result = TypeVar("_Result")


class EngineBackend(Backend):
    """Runs networks of CUBA neurons by compiled loops.

    Parameters
    ----------
    rows_at_once : int
        Most samples times steps that are worked on at once, by each thread.
    """

    name = "engine"

    def __init__(self, rows_at_once: int = ROWS_AT_ONCE) -> None:
        self._rows_at_once = rows_at_once

    def unavailable(self) -> str | None:
        """Return None: Numba is installed with lavadeploy."""
        return None

    def portions(
        self, compiled: CompiledNetwork, inputs: SpikeInput, options: RunOptions | None = None
    ) -> Iterator[RunResult]:
        """Run the samples; see `Backend.portions`.

        Raises
        ------
        UnsupportedNetworkError
            For neurons other than CUBA.
        """
        options = options or RunOptions()
        check_slayer_timeline(options, self.name)
        recorded = recorded_states(compiled.network, options.record)
        check_only_cuba_neurons(compiled, self.name)
        check_input_fits(inputs, compiled)
        started = time.perf_counter()
        threads = options.threads or available_cores()
        plan = plan_network(compiled)
        counted = inputs.least < 0 or inputs.largest > 1
        size = block_size(
            plan,
            inputs.n_samples,
            inputs.n_steps,
            threads,
            counted=counted,
            rows_at_once=self._rows_at_once,
        )
        recordings = _recordings(compiled, inputs, options)
        spaces = queue.SimpleQueue[Workspace]()
        for _ in range(threads):
            spaces.put(Workspace(plan, size, inputs.n_steps, counted=counted))
        work = _Work(
            inputs=inputs,
            plan=plan,
            size=size,
            threads=threads,
            spaces=spaces,
            recordings=recordings,
        )
        log = _log(compiled, inputs, work.log(work.spikes(options)))
        states = tuple(_trace(recording) for recording in recordings)
        yield RunResult(
            backend=self.name,
            spikes=log,
            states=only(states, recorded),
            wall_s=time.perf_counter() - started,
            readout=states[-1].voltage if has_readout(compiled.network) else None,
        )


BACKEND = EngineBackend


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Work:
    """The blocks of a run, and who does them."""

    inputs: SpikeInput
    plan: NetworkPlan
    size: BlockSize
    threads: int
    spaces: queue.SimpleQueue[Workspace]
    recordings: tuple[Recording, ...]

    def spikes(self, options: RunOptions) -> list[ChunkSpikes]:
        """Run all blocks and return what their chunks sent, in order."""
        starts = range(0, self.inputs.n_samples, self.size.samples)
        chunks: list[ChunkSpikes] = []
        for start, found in zip(starts, self._each(self._block, starts), strict=True):
            chunks.extend(found)
            options.on_progress(min(start + self.size.samples, self.inputs.n_samples))
        return chunks

    def log(self, chunks: list[ChunkSpikes]) -> Int32Array:
        """Return the rows of the log, sorted; shape (5, events)."""
        ends = np.cumsum([len(chunk) for chunk in chunks])
        log = np.empty((LOG_COLUMNS, int(ends[-1])), dtype=np.int32)

        def write(index: int) -> None:
            write_log(self.plan, chunks[index], int(ends[index]) - len(chunks[index]), log)

        for _ in self._each(write, range(len(chunks))):
            pass
        return log

    def _each(self, function: Callable[[int], _Result], items: range) -> Iterator[_Result]:
        """Yield the results in order."""
        if min(self.threads, len(items)) == 1:
            yield from map(function, items)
            return
        with ThreadPoolExecutor(self.threads) as pool:
            try:
                yield from pool.map(function, items)
            finally:  # an interruption waits for the blocks that are being run, not for the rest
                pool.shutdown(wait=False, cancel_futures=True)

    def _block(self, start: int) -> list[ChunkSpikes]:
        spikes = self.inputs.spikes[start : start + self.size.samples]
        flat = spikes.reshape(spikes.shape[0], -1, spikes.shape[-1])
        space = self.spaces.get()
        try:
            return space.run(frozen(flat), start, self.recordings)
        finally:
            self.spaces.put(space)


def _recordings(
    compiled: CompiledNetwork, inputs: SpikeInput, options: RunOptions
) -> tuple[Recording, ...]:
    """Room for the states that are wanted; a readout's voltage always is."""
    last = len(compiled.network.layers) - 1
    recordings: list[Recording] = []
    for index, layer in enumerate(compiled.network.layers):
        shape = (inputs.n_samples, neuron_count(layer), inputs.n_steps)
        is_read = index == last and has_readout(compiled.network)
        recordings.append(
            Recording(
                current=_room(shape, wanted=bool(options.record)),
                voltage=_room(shape, wanted=bool(options.record) or is_read),
            )
        )
    return tuple(recordings)


def _room(shape: tuple[int, int, int], *, wanted: bool) -> NDArray[np.int32]:
    return np.zeros(shape if wanted else (0, 0, 0), dtype=np.int32)


def _trace(recording: Recording) -> StateTrace:
    return StateTrace(values={"current": recording.current, "voltage": recording.voltage})


def _log(compiled: CompiledNetwork, inputs: SpikeInput, rows: Int32Array) -> SpikeLog:
    sample, step, layer, neuron, value = rows
    return SpikeLog(
        sample=sample,
        step=step,
        layer=layer,
        neuron=neuron,
        value=value,
        layer_names=tuple(each.name for each in compiled.network.layers),
        layer_sizes=tuple(neuron_count(each) for each in compiled.network.layers),
        n_samples=inputs.n_samples,
        n_steps=inputs.n_steps,
    )
