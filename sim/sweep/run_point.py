"""One point from network to figures: what a worker does."""

from __future__ import annotations

import dataclasses
import threading
import time
import traceback

from ...compile import CompiledNetwork, QuantizedNetwork, compile_network
from ...hw_profiles import HardwareProfile
from ...netx import (
    BackendUnavailableError,
    LavaDeployError,
    Network,
    RealNetwork,
    UnsupportedNetworkError,
    __version__,
    has_fractions,
)
from ..backend import RunOptions, open_backend
from ..quantize_uniformly import quantize_uniformly
from ..run_summary import RunSummary, RunTotals
from ..spike_input import SpikeInput
from ..spike_rates import measure_spike_rates
from .outcome import Outcome, PointFailure, PointResult
from .point_data import PointData
from .points import AS_STORED, PointSettings, SweepPoint

BACKEND = "engine"
KEPT_COMPILED = 2  # networks that a worker keeps: points come in an order that changes steps first
_last_compiled: dict[str, CompiledNetwork] = {}
_last_compiled_lock = threading.Lock()  # a cluster's worker may run several points at a time


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PointTask:
    """A point and what it needs beside the data.

    Attributes
    ----------
    point : SweepPoint
        The setting.
    profile_json : str
        Its chip; as text, since pickle does not know the classes of a profile's units.
    settings : PointSettings
        How it is compiled.
    compilation : str
        Hash of all that compiling depends on: points that differ in steps only are compiled once by
        a worker.
    version : str
        Of the lavadeploy that asks.
    """

    point: SweepPoint
    profile_json: str
    settings: PointSettings
    compilation: str
    version: str = __version__

    @property
    def profile(self) -> HardwareProfile:
        """The chip."""
        return HardwareProfile.model_validate_json(self.profile_json)


def run_point(data: PointData, task: PointTask) -> Outcome:
    """Compile and run a point; every error becomes its outcome.

    It runs on one thread: the points run beside each other.
    """
    started = time.perf_counter()
    try:
        if task.version != __version__:
            raise BackendUnavailableError(
                f"the worker has lavadeploy {__version__}, the sweep was started by "
                f"{task.version}. Install the same version on all workers."
            )
        compiled = _compiled(data, task)
        summary = _run(compiled, data, task.point.steps)
        result = _figures(task.point, summary)
        return dataclasses.replace(result, wall_s=round(time.perf_counter() - started, 3))
    except LavaDeployError as error:
        return PointFailure(point=task.point, error=type(error).__name__, sentence=str(error))
    except Exception as error:  # noqa: BLE001 - one point must not take the others with it
        return unexpected(task.point, error)


def unexpected(point: SweepPoint, error: BaseException) -> PointFailure:
    """Return the failure of a point whose error nobody raised on purpose."""
    said = " ".join(str(error).split())
    return PointFailure(
        point=point,
        error=type(error).__name__,
        sentence=f"{type(error).__name__}: {said}" if said else type(error).__name__,
        traceback="".join(traceback.format_exception(type(error), error, error.__traceback__)),
    )


def compile_point(data: PointData, task: PointTask) -> CompiledNetwork:
    """Compile a point, as ``lavadeploy compile`` does with the same options.

    Raises
    ------
    LavaDeployError
        As `quantize_uniformly` and `compile_network` do.
    """
    settings = task.settings
    samples = None if data.calibration is None else data.calibration.open()
    found = _with_bits(data.network, task, samples)
    whole = found.network if isinstance(found, QuantizedNetwork) else found
    shape = settings.input_shape
    return compile_network(
        found,
        task.profile,
        input_shape=shape,
        allow_approximate=settings.allow_approximate,
        strict=settings.strict,
        spike_rates=None if samples is None else measure_spike_rates(whole, samples, shape),
        calibration_sha256="" if samples is None else samples.sha256(),
    )


def _with_bits(
    network: RealNetwork, task: PointTask, samples: SpikeInput | None
) -> Network | QuantizedNetwork:
    settings, bits = task.settings, task.point.bits
    if bits == AS_STORED:
        if has_fractions(network):
            problem = (
                "the file holds real numbers, which no register does; give a number of bits in "
                f"the place of '{AS_STORED}'."
            )
            raise UnsupportedNetworkError([problem])
        return network.nearest
    return quantize_uniformly(
        network,
        task.profile,
        int(bits),
        method=settings.method,
        percentile=settings.percentile,
        inputs=samples,
        objective=settings.objective,
        input_shape=settings.input_shape,
        bounded=settings.strict,
    )


def _compiled(data: PointData, task: PointTask) -> CompiledNetwork:
    """Compile, unless that was among the last that this process compiled."""
    with _last_compiled_lock:
        found = _last_compiled.get(task.compilation)
    if found is None:
        found = compile_point(data, task)
        with _last_compiled_lock:
            _last_compiled[task.compilation] = found
            while len(_last_compiled) > KEPT_COMPILED:
                del _last_compiled[next(iter(_last_compiled))]
    return found


def _run(compiled: CompiledNetwork, data: PointData, steps: int) -> RunSummary:
    inputs = data.spikes.open().first_steps(steps)
    backend, options = open_backend(BACKEND), RunOptions(threads=1)
    totals = RunTotals(compiled, steps)
    for portion in backend.portions(compiled, inputs, options):
        totals.add(inputs.part(totals.samples, totals.samples + portion.spikes.n_samples), portion)
    return totals.summary(inputs, backend=BACKEND, timeline=options.timeline)


def _figures(point: SweepPoint, summary: RunSummary) -> PointResult:
    energy, counts, report = summary.energy, summary.activity, summary.compiled
    samples = summary.samples
    return PointResult(
        point=point,
        samples=samples,
        accuracy=summary.accuracy,
        energies={} if energy is None else dict(energy.totals),
        dynamic_energy=None if energy is None else energy.dynamic_energy,
        terms={} if energy is None else dict(energy.terms),
        latency=None if energy is None else energy.time,
        busiest_core=None if energy is None else energy.busiest_core,
        basis=None if energy is None else energy.basis,
        excluded=() if energy is None else energy.excluded,
        cores=report.cores,
        chips=counts.chips,
        synapse_words=report.synapse_words,
        weight_bits={
            layer.name: layer.weight_bits
            for layer in report.layers
            if layer.weight_bits is not None
        },
        spikes=sum(layer.spikes for layer in counts.layers) / samples,
        input_spikes=counts.input_spikes / samples,
        synaptic_operations=sum(layer.synaptic_operations for layer in counts.layers) / samples,
        quantization=report.losses,
        warnings=report.warnings,
        artifact_sha256=summary.hashes["artifact"],
        wall_s=0.0,
    )
