"""The Lava backend: runs an artifact on Lava's CPU simulator, with Lava's own arithmetic.

All samples go through one Lava network, one after the other without a gap, so that building and
starting it is paid once. See `lava_processes.sample_processes` for how samples are kept apart.
"""

from __future__ import annotations

import importlib.util
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..compile import CompiledNetwork, bias_leads, has_readout, neuron_count
from ..netx import BackendUnavailableError, repair_lava
from .backend import Backend, RunOptions, check_slayer_timeline
from .cuba_layers import check_only_cuba_layers
from .lava_order import lava_order
from .recording import recorded_states
from .run_result import RunResult, StateTrace, only
from .spike_input import SpikeInput, check_input_fits
from .spike_log import LayerEvents, merge_events

STEPS_BEFORE_LAYER = 2  # see lava_processes.sample_processes, "Time"
# One command that installs Lava on any supported Python; lava-nc itself declares 3.10 only.
INSTALL_LAVA = (
    "pip install asteval 'networkx<2.8.8' scipy && "
    "pip install --no-deps --ignore-requires-python lava-nc==0.10.0"
)

PORTION_S = 0.1


class LavaBackend(Backend):
    """Lava's CPU simulator with its ``fixed_pt`` process models."""

    name = "lava"

    def unavailable(self) -> str | None:
        """Return what is missing, or None."""
        needed = ("lava", "asteval", "networkx", "scipy")
        missing = [name for name in needed if importlib.util.find_spec(name) is None]
        if not missing:
            return None
        return f"backend 'lava' needs {', '.join(missing)}, not installed here. Run: {INSTALL_LAVA}"

    def portions(
        self, compiled: CompiledNetwork, inputs: SpikeInput, options: RunOptions | None = None
    ) -> Iterator[RunResult]:
        """Run the samples; see `Backend.portions`.

        Raises
        ------
        BackendUnavailableError
            When Lava is not installed.
        BackendError
            When a Lava process fails.
        """
        options = options or RunOptions()
        check_slayer_timeline(options, self.name)
        recorded = recorded_states(compiled.network, options.record)
        reason = self.unavailable()
        if reason is not None:
            raise BackendUnavailableError(reason)
        check_input_fits(inputs, compiled)
        check_only_cuba_layers(compiled, self.name)
        started = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="lavadeploy-") as folder:
            _simulate(compiled, inputs, options, Path(folder))
            layers = compiled.network.layers
            log = merge_events(
                [_read_events(Path(folder), k, compiled, inputs) for k in range(len(layers))],
                layer_names=tuple(layer.name for layer in layers),
                layer_sizes=tuple(neuron_count(layer) for layer in layers),
                n_samples=inputs.n_samples,
                n_steps=inputs.n_steps,
            )
            states = tuple(
                _read_states(Path(folder), k, compiled, inputs)
                for k in range(len(layers))
                if any(recorded)
            )
            readout = _readout(Path(folder), compiled, inputs)
        yield RunResult(
            backend=self.name,
            spikes=log,
            states=only(states, recorded),
            wall_s=time.perf_counter() - started,
            readout=readout,
        )


BACKEND = LavaBackend


def _simulate(
    compiled: CompiledNetwork, inputs: SpikeInput, options: RunOptions, folder: Path
) -> None:
    repair_lava()
    from .lava_network import simulated_chain

    chain = simulated_chain(compiled, inputs, folder, record_states=bool(options.record))
    try:
        # Layer k is k + 1 steps behind the source: start with what fills the pipeline, so that
        # after each further T steps one more sample has left the last layer
        chain.run(len(compiled.network.layers))
        run_samples(chain.run, inputs.n_samples, _interval(compiled, inputs), options)
        chain.stop()
    except BaseException:  # Ctrl-C too: what Lava started must end with us
        chain.abort()
        raise


def _interval(compiled: CompiledNetwork, inputs: SpikeInput) -> int:
    """Return the steps from the start of one sample to that of the next."""
    return inputs.n_steps + max(bias_leads(compiled.network))


def run_samples(
    run_steps: Callable[[int], None], samples: int, interval: int, options: RunOptions
) -> None:
    """Run all samples, in portions that take long enough for their start and end not to count.

    Telling Lava to run and hearing that it is done costs about a millisecond, as much as two steps
    of a small network.

    Parameters
    ----------
    run_steps : callable
        Runs so many steps.
    samples : int
        How many samples there are.
    interval : int
        Steps from the start of one to that of the next.
    options : RunOptions
        Gives whom to tell of progress.
    """
    done, portion = 0, 1
    while done < samples:
        now = min(portion, samples - done)
        started = time.perf_counter()
        run_steps(now * interval)
        done += now
        options.on_progress(done)
        if time.perf_counter() - started < PORTION_S:
            portion *= 2


def _read_events(
    folder: Path, index: int, compiled: CompiledNetwork, inputs: SpikeInput
) -> LayerEvents:
    layer, lead = compiled.network.layers[index], bias_leads(compiled.network)[index]
    rows = np.fromfile(folder / f"{index}.spikes", dtype=np.int32).reshape(-1, 2)
    time_step = rows[:, 0].astype(np.int64) - (index + STEPS_BEFORE_LAYER - lead)
    sample, step = np.divmod(time_step, _interval(compiled, inputs))
    step -= lead  # what a layer fires before its input begins is not part of the sample
    inside = (step >= 0) & (step < inputs.n_steps) & (sample >= 0) & (sample < inputs.n_samples)
    neuron = lava_order(layer.shape_out)[rows[inside, 1]]
    return LayerEvents(sample=sample[inside], step=step[inside], neuron=neuron)


def _readout(
    folder: Path, compiled: CompiledNetwork, inputs: SpikeInput
) -> NDArray[np.int32] | None:
    if not has_readout(compiled.network):
        return None
    return _read_states(folder, len(compiled.network.layers) - 1, compiled, inputs).voltage


def _read_states(
    folder: Path, index: int, compiled: CompiledNetwork, inputs: SpikeInput
) -> StateTrace:
    layer = compiled.network.layers[index]
    neurons = neuron_count(layer)
    rows = np.fromfile(folder / f"{index}.states", dtype=np.int32).reshape(-1, 2, neurons)
    first = index + STEPS_BEFORE_LAYER - 1  # Lava counts steps from 1
    sample_starts = first + np.arange(inputs.n_samples) * _interval(compiled, inputs)
    inside = rows[(sample_starts[:, np.newaxis] + np.arange(inputs.n_steps)).reshape(-1)]
    ours = np.empty_like(inside)
    ours[:, :, lava_order(layer.shape_out)] = inside
    by_sample = ours.reshape(inputs.n_samples, inputs.n_steps, 2, neurons)
    current, voltage = by_sample.transpose(2, 0, 3, 1)
    return StateTrace(values={"current": current, "voltage": voltage})
