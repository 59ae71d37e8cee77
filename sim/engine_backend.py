"""The engine: a fast backend whose cost follows the spikes, for data sets.

It equals the reference in every spike and every state; tests require it.
"""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from ..compile import CompiledNetwork, has_readout, neuron_count
from .backend import RunOptions, RunResult, StateTrace
from .cuba_layers import check_only_cuba_neurons
from .engine.block import ROWS_AT_ONCE, BlockSize, Workspace, block_size, frozen
from .engine.plan import plan_network
from .engine.structures import Int32Array, Recording
from .spike_input import SpikeInput, check_input_fits
from .spike_log import SpikeLog


class EngineBackend:
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

    def run(
        self, compiled: CompiledNetwork, inputs: SpikeInput, options: RunOptions | None = None
    ) -> RunResult:
        """Run every sample; see `Backend.run`.

        Raises
        ------
        UnsupportedNetworkError
            For neurons other than CUBA.
        """
        options = options or RunOptions()
        check_only_cuba_neurons(compiled, self.name)
        check_input_fits(inputs, compiled)
        started = time.perf_counter()
        threads = options.threads or available_cores()
        plan = plan_network(compiled)
        counted = inputs.spikes.dtype != np.uint8 or int(inputs.spikes.max()) > 1
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
        work = _Work(inputs=inputs, size=size, spaces=spaces, recordings=recordings)
        log = _log(compiled, inputs, work.run(threads, options))
        states = tuple(_trace(recording) for recording in recordings)
        return RunResult(
            backend=self.name,
            spikes=log,
            states=states if options.record_states else (),
            wall_s=time.perf_counter() - started,
            readout=states[-1].voltage if has_readout(compiled.network) else None,
        )


BACKEND = EngineBackend


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Work:
    """The blocks of a run."""

    def __init__(
        self,
        *,
        inputs: SpikeInput,
        size: BlockSize,
        spaces: queue.SimpleQueue[Workspace],
        recordings: tuple[Recording, ...],
    ) -> None:
        self._inputs = inputs
        self._size = size
        self._spaces = spaces
        self._recordings = recordings

    def run(self, threads: int, options: RunOptions) -> list[Int32Array]:
        """Run all blocks and return the parts of the log in order."""
        starts = range(0, self._inputs.n_samples, self._size.samples)
        parts: list[list[Int32Array]] = []
        for found in self._blocks(starts, min(threads, len(starts))):
            parts.append(found)
            done = min(len(parts) * self._size.samples, self._inputs.n_samples)
            options.on_progress(done)
        return [part for found in parts for part in found]

    def _blocks(self, starts: range, threads: int) -> Iterator[list[Int32Array]]:
        if threads == 1:
            yield from map(self._block, starts)
            return
        with ThreadPoolExecutor(threads) as pool:
            futures = [pool.submit(self._block, start) for start in starts]
            try:
                for future in futures:
                    yield future.result()
            finally:  # an interruption ends after the blocks that are being run
                pool.shutdown(wait=False, cancel_futures=True)

    def _block(self, start: int) -> list[Int32Array]:
        spikes = self._inputs.spikes[start : start + self._size.samples]
        flat = spikes.reshape(spikes.shape[0], -1, spikes.shape[-1])
        space = self._spaces.get()
        try:
            return space.run(frozen(flat), start, self._recordings)
        finally:
            self._spaces.put(space)


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
                current=_room(shape, wanted=options.record_states),
                voltage=_room(shape, wanted=options.record_states or is_read),
            )
        )
    return tuple(recordings)


def _room(shape: tuple[int, int, int], *, wanted: bool) -> NDArray[np.int32]:
    return np.zeros(shape if wanted else (0, 0, 0), dtype=np.int32)


def _trace(recording: Recording) -> StateTrace:
    return StateTrace(values={"current": recording.current, "voltage": recording.voltage})


def _log(compiled: CompiledNetwork, inputs: SpikeInput, parts: list[Int32Array]) -> SpikeLog:
    sample, step, layer, neuron, value = np.concatenate(parts, axis=1)
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
