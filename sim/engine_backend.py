"""The engine: a fast backend whose cost follows the spikes, for data sets.

It equals the reference in every spike and every state; tests require it.
"""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from ..compile import CompiledNetwork, has_readout, neuron_count
from .backend import Backend, RunOptions
from .engine.block import ROWS_AT_ONCE, Workspace, block_size
from .engine.plan import plan_network
from .engine.portions import Portion, Runner
from .engine.rooms import Rooms, bytes_of_states, in_kernel_order, rooms_for
from .recording import recorded_states
from .run_result import RunResult, StateTrace, only
from .spike_input import SpikeInput, check_input_fits
from .spike_log import SpikeLog

PORTION_BYTES = 256 << 20  # about the size of a portion's log, and at most of its states


class EngineBackend(Backend):
    """Runs networks by compiled loops.

    Parameters
    ----------
    rows_at_once : int
        Most samples times steps that are worked on at once, by each thread.
    portion_bytes : int
        About how large the log of a portion is, and how large its states are at most; one sample
        may take more.
    """

    name = "engine"

    def __init__(
        self, rows_at_once: int = ROWS_AT_ONCE, portion_bytes: int = PORTION_BYTES
    ) -> None:
        self._rows_at_once = rows_at_once
        self._portion_bytes = portion_bytes

    def unavailable(self) -> str | None:
        """Return None: Numba is installed with lavadeploy."""
        return None

    def portions(
        self, compiled: CompiledNetwork, inputs: SpikeInput, options: RunOptions | None = None
    ) -> Iterator[RunResult]:
        """Run the samples; see `Backend.portions`."""
        return self._portions(compiled, inputs, options or RunOptions(), self._portion_bytes)

    def run(
        self, compiled: CompiledNetwork, inputs: SpikeInput, options: RunOptions | None = None
    ) -> RunResult:
        """Run every sample; see `Backend.run`. That is one portion, which nobody has to join."""
        (result,) = self._portions(compiled, inputs, options or RunOptions(), None)
        return result

    def _portions(
        self,
        compiled: CompiledNetwork,
        inputs: SpikeInput,
        options: RunOptions,
        most_bytes: int | None,
    ) -> Iterator[RunResult]:
        started = time.perf_counter()
        wanted = recorded_states(compiled.network, options.record)
        check_input_fits(inputs, compiled)
        threads = options.threads or available_cores()
        plan = plan_network(compiled, inputs.n_steps, options.timeline)
        counted = inputs.least < 0 or inputs.largest > 1
        size = block_size(
            plan, inputs.n_samples, threads, counted=counted, rows_at_once=self._rows_at_once
        )
        spaces = queue.SimpleQueue[Workspace]()
        for _ in range(threads):
            spaces.put(Workspace(plan, size, counted=counted))
        pool = ThreadPoolExecutor(threads) if threads > 1 else None
        runner = Runner(
            inputs=inputs,
            plan=plan,
            size=size,
            spaces=spaces,
            pool=pool,
            threads=threads,
            log_bytes=most_bytes,
        )
        steps, first = plan.timing.shown, 0
        of_sample = max(1, bytes_of_states(compiled, wanted, steps))
        try:
            while first < inputs.n_samples:
                most = inputs.n_samples - first
                if most_bytes is not None:
                    most = min(most, max(1, most_bytes // of_sample))
                rooms = rooms_for(compiled, wanted, most, steps)
                recorded = in_kernel_order(compiled, rooms)
                portion = runner.run(first, most, recorded, options.on_progress)
                first += portion.samples
                result = _result(compiled, wanted, rooms, portion, options)
                del rooms, recorded, portion  # memory is the caller's, who may drop it
                yield replace(result, wall_s=time.perf_counter() - started)
                del result
                started = time.perf_counter()
        finally:  # an interruption waits for the blocks that are being run, not for the rest
            if pool is not None:
                pool.shutdown(wait=False, cancel_futures=True)


BACKEND = EngineBackend


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _result(
    compiled: CompiledNetwork,
    wanted: tuple[tuple[str, ...], ...],
    rooms: Rooms,
    portion: Portion,
    options: RunOptions,
) -> RunResult:
    layers = compiled.network.layers
    sample, step, layer, neuron, value = portion.log
    spikes = SpikeLog(
        sample=sample,
        step=step,
        layer=layer,
        neuron=neuron,
        value=value,
        layer_names=tuple(each.name for each in layers),
        layer_sizes=tuple(neuron_count(each) for each in layers),
        n_samples=portion.samples,
        n_steps=portion.steps,
    )
    kept = [{name: room[: portion.samples] for name, room in each.items()} for each in rooms]
    return RunResult(
        backend=EngineBackend.name,
        spikes=spikes,
        states=only(tuple(StateTrace(values=values) for values in kept), wanted),
        wall_s=0.0,
        readout=kept[-1]["voltage"] if has_readout(compiled.network) else None,
        timeline=options.timeline,
    )
