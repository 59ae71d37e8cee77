"""Two runs to compare: from run folders, of two backends, or of a backend and SLAYER."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lavadeploy.compile import CompiledNetwork, load_artifact, neuron_count
from lavadeploy.netx import (
    BackendUnavailableError,
    LavaDeployError,
    OptionError,
    RunFolderError,
)
from lavadeploy.scripts.console import progress
from lavadeploy.scripts.slayer_modules import load_module
from lavadeploy.sim import (
    RunOptions,
    RunResult,
    SpikeInput,
    check_input_fits,
    load_run,
    load_spike_input,
    open_backend,
    run_slayer,
)

ARTIFACT = "compiled.ldc"
# States of two runs that are kept to tell where they part: 2**24 numbers are 64 MiB each.
MOST_STATES = 1 << 24
WITHOUT_STATES = ("loihi",)
AGAINST_SLAYER = "reference"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunPair:
    """Two runs, and what is known of where they come from.

    Attributes
    ----------
    names : tuple of str
        What to call them.
    a, b : RunResult
        The runs.
    compiled, compiled_b : CompiledNetwork or None
        What they ran; of run B only where it is another artifact. None where that is not known of
        both.
    inputs, inputs_b : SpikeInput or None
        What they were fed; of run B only where it is something else.
    input_hashes : tuple of str
        Of what each was fed.
    """

    names: tuple[str, str]
    a: RunResult
    b: RunResult
    compiled: CompiledNetwork | None
    compiled_b: CompiledNetwork | None
    inputs: SpikeInput | None
    inputs_b: SpikeInput | None
    input_hashes: tuple[str, str]


def pair_of_folders(folder_a: Path, folder_b: Path, input_file: Path | None) -> RunPair:
    """Load two run folders, and their input where it is still where it was.

    Raises
    ------
    RunFolderError
        When a folder is no run, or the runs had input of other sizes.
    """
    figures_a, a = load_run(folder_a)
    figures_b, b = load_run(folder_b)
    hashes = str(figures_a["hashes"]["input"]), str(figures_b["hashes"]["input"])
    same_size = (a.spikes.n_samples, a.spikes.n_steps) == (b.spikes.n_samples, b.spikes.n_steps)
    if hashes[0] != hashes[1] and not same_size:
        raise RunFolderError(
            "the runs cannot be compared: they had different input (hashes "
            f"{hashes[0][:12]} and {hashes[1][:12]}). Run both with the same --input and --samples."
        )
    inputs = _input_of(figures_a, input_file, a.spikes.n_samples)
    inputs_b = None
    if hashes[0] != hashes[1]:
        inputs_b = _input_of(figures_b, input_file, b.spikes.n_samples)
    if input_file is not None and inputs is None and inputs_b is None:
        raise RunFolderError(
            f"'{input_file}': is not what the runs were fed (input hashes {hashes[0][:12]} and "
            f"{hashes[1][:12]}). Give the file that lavadeploy run took."
        )
    compiled, compiled_b = _artifacts_of(folder_a, folder_b, figures_a, figures_b)
    return RunPair(
        names=(str(folder_a), str(folder_b)),
        a=a,
        b=b,
        compiled=compiled,
        compiled_b=compiled_b,
        inputs=inputs,
        inputs_b=inputs_b,
        input_hashes=hashes,
    )


def pair_of_backends(
    artifact: Path, backends: tuple[str, str], input_file: Path, samples: int | None
) -> RunPair:
    """Run an artifact on two backends."""
    compiled, inputs = _loaded(artifact, input_file, samples)
    _check_available(backends)
    record = () if set(backends) & set(WITHOUT_STATES) else _recorded(compiled, inputs)
    a, b = (_run(name, compiled, inputs, record) for name in backends)
    return _pair(backends, a, b, compiled, inputs)


def pair_with_slayer(
    artifact: Path,
    state: Path,
    builder: str | None,
    backend: str | None,
    input_file: Path,
    samples: int | None,
) -> RunPair:
    """Run a SLAYER model, and the artifact on a backend."""
    backend = backend or AGAINST_SLAYER
    compiled, inputs = _loaded(artifact, input_file, samples)
    _check_available((backend,))
    trained = run_slayer(load_module(state, builder), compiled, inputs)
    return _pair(
        ("slayer", backend), trained, _run(backend, compiled, inputs, ()), compiled, inputs
    )


def _pair(
    names: tuple[str, str],
    a: RunResult,
    b: RunResult,
    compiled: CompiledNetwork,
    inputs: SpikeInput,
) -> RunPair:
    digest = inputs.sha256()
    return RunPair(
        names=names,
        a=a,
        b=b,
        compiled=compiled,
        compiled_b=None,
        inputs=inputs,
        inputs_b=None,
        input_hashes=(digest, digest),
    )


def _loaded(
    artifact: Path, input_file: Path, samples: int | None
) -> tuple[CompiledNetwork, SpikeInput]:
    if samples is not None and samples < 1:
        raise OptionError(f"--samples is {samples}; at least 1 was expected.")
    compiled = load_artifact(artifact)
    inputs = load_spike_input(input_file).first(samples)
    check_input_fits(inputs, compiled)
    return compiled, inputs


def _check_available(backends: tuple[str, ...]) -> None:
    for name in backends:
        reason = open_backend(name).unavailable()
        if reason is not None:
            raise BackendUnavailableError(reason)


def _recorded(compiled: CompiledNetwork, inputs: SpikeInput) -> tuple[str, ...]:
    neurons = sum(neuron_count(layer) for layer in compiled.network.layers)
    numbers = 2 * neurons * inputs.n_samples * inputs.n_steps
    return ("all",) if numbers <= MOST_STATES else ()


def _run(
    name: str, compiled: CompiledNetwork, inputs: SpikeInput, record: tuple[str, ...]
) -> RunResult:
    with progress(inputs.n_samples, f"running on {name}") as on_progress:
        options = RunOptions(record=record, on_progress=on_progress)
        return open_backend(name).run(compiled, inputs, options)


def _input_of(figures: dict[str, Any], given: Path | None, samples: int) -> SpikeInput | None:
    """Return what a run was fed, if a file still holds it."""
    noted = figures.get("notes", {}).get("input")
    for path in (given, Path(noted) if isinstance(noted, str) else None):
        if path is None or not (path == given or path.is_file()):
            continue
        try:
            inputs = load_spike_input(path).first(samples)
        except LavaDeployError:
            if path == given:
                raise
            continue
        if inputs.sha256() == figures["hashes"]["input"]:
            return inputs
    return None


def _artifacts_of(
    folder_a: Path, folder_b: Path, figures_a: dict[str, Any], figures_b: dict[str, Any]
) -> tuple[CompiledNetwork | None, CompiledNetwork | None]:
    """Return what two runs ran: of run B only where it is another artifact."""
    if figures_a["hashes"].get("artifact") == figures_b["hashes"].get("artifact"):
        return _artifact_of(folder_a) or _artifact_of(folder_b), None
    compiled, compiled_b = _artifact_of(folder_a), _artifact_of(folder_b)
    # no run is to be judged by the registers of another
    return (None, None) if compiled is None or compiled_b is None else (compiled, compiled_b)


def _artifact_of(folder: Path) -> CompiledNetwork | None:
    """Return what a run ran; None where its folder lacks it, and causes cannot be looked for."""
    path = folder / ARTIFACT
    return load_artifact(path) if path.is_file() else None
