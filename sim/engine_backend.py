"""The engine: a fast backend whose cost follows the spikes, for data sets.

It equals the reference in every spike and every state; tests require it.
"""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from ..compile import CompiledNetwork, has_readout, neuron_count
from .backend import Backend, RunOptions
from .engine.block import ROWS_AT_ONCE, Workspace, block_size
from .engine.plan import plan_network
from .engine.portions import Runner
from .engine.rooms import bytes_of_states, in_kernel_order, rooms_for
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
        runner = self._runner(compiled, inputs, options, most_bytes)
        try:
            while runner.done < inputs.n_samples:
                # nothing here keeps the result: a caller that drops it frees its memory
                yield _next_result(compiled, wanted, runner, options, started)
                inputs.forget()
                started = time.perf_counter()
        finally:  # blocks that are being run go on to their end; others do not begin
            if runner.pool is not None:
                runner.pool.shutdown(wait=False, cancel_futures=True)

    def _runner(
        self,
        compiled: CompiledNetwork,
        inputs: SpikeInput,
        options: RunOptions,
        most_bytes: int | None,
    ) -> Runner:
        threads = options.threads or available_cores()
        plan = plan_network(compiled, inputs.n_steps, options.timeline)
        counted = inputs.least < 0 or inputs.largest > 1
        size = block_size(
            plan, inputs.n_samples, threads, counted=counted, rows_at_once=self._rows_at_once
        )
        spaces = queue.SimpleQueue[Workspace]()
        for _ in range(threads):
            spaces.put(Workspace(plan, size, counted=counted))
        return Runner(
            inputs=inputs,
            plan=plan,
            size=size,
            spaces=spaces,
            pool=ThreadPoolExecutor(threads) if threads > 1 else None,
            threads=threads,
            most_bytes=most_bytes,
            on_progress=options.on_progress,
        )


BACKEND = EngineBackend


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _next_result(
    compiled: CompiledNetwork,
    wanted: tuple[tuple[str, ...], ...],
    runner: Runner,
    options: RunOptions,
    started: float,
) -> RunResult:
    """Run the next portion."""
    layers, steps = compiled.network.layers, runner.plan.timing.shown
    most = runner.most_samples(bytes_of_states(compiled, wanted, steps))
    rooms = rooms_for(compiled, wanted, most, steps)
    portion = runner.run(most, in_kernel_order(compiled, rooms))
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
        n_steps=steps,
    )
    kept = [{name: room[: portion.samples] for name, room in each.items()} for each in rooms]
    return RunResult(
        backend=EngineBackend.name,
        spikes=spikes,
        states=only(tuple(StateTrace(values=values) for values in kept), wanted),
        wall_s=time.perf_counter() - started,
        readout=kept[-1]["voltage"] if has_readout(compiled.network) else None,
        timeline=options.timeline,
    )
