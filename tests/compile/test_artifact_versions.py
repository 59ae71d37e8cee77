"""Artifacts of every version are read, and run as they ran when they were written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lavadeploy.compile import artifact_bytes, load_artifact, save_artifact
from lavadeploy.compile.artifact import FORMAT_VERSION
from lavadeploy.compile.artifact_versions import OLD_VERSIONS
from lavadeploy.sim import SpikeInput, open_backend

ARCHIVES = Path(__file__).parent.parent / "archives"
VERSIONS = sorted(folder.name for folder in ARCHIVES.iterdir() if folder.is_dir())


def test_there_is_an_archive_of_every_version() -> None:
    assert [f"v{n}" for n in (*OLD_VERSIONS, FORMAT_VERSION)] == VERSIONS


@pytest.mark.parametrize("name", ["dense", "conv"])
@pytest.mark.parametrize("version", VERSIONS)
def test_an_archive_runs_as_it_did(version: str, name: str) -> None:
    compiled = load_artifact(ARCHIVES / version / f"{name}_loihi2.ldc")
    with np.load(ARCHIVES / version / f"{name}_run.npz") as stored:
        then = {key: stored[key] for key in stored.files}
    inputs = SpikeInput(spikes=then["spikes"])
    now = open_backend("reference").run(compiled, inputs).spikes
    assert len(now) > 200
    for column in ("sample", "step", "layer", "neuron"):
        assert np.array_equal(getattr(now, column), then[column]), column


@pytest.mark.parametrize("version", VERSIONS)
def test_an_archive_keeps_its_facts(version: str) -> None:
    compiled = load_artifact(ARCHIVES / version / "conv_loihi2.ldc")
    assert compiled.profile.name == "loihi2"
    assert [layer.name for layer in compiled.network.layers] == ["layer1", "layer2", "layer4"]
    assert [core.neurons.size for core in compiled.placement.cores] == [144, 36, 3]
    assert compiled.passes[0].name == "legalize"
    assert compiled.placement.cores[0].usage[0].used == 144


@pytest.mark.parametrize("version", VERSIONS)
def test_an_archive_can_be_saved_anew(version: str, tmp_path: Path) -> None:
    compiled = load_artifact(ARCHIVES / version / "dense_loihi2.ldc")
    save_artifact(compiled, tmp_path / "new.ldc")
    assert artifact_bytes(load_artifact(tmp_path / "new.ldc")) == artifact_bytes(compiled)
