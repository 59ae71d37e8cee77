"""Records of measured runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from measured_runs import STEPS, record

from lavadeploy.netx import MeasurementError
from lavadeploy.sim import Measurement, read_measurement


def written(folder: Path, content: Any) -> Path:
    path = folder / "run.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def sentence(path: Path) -> str:
    with pytest.raises(MeasurementError) as raised:
        read_measurement(path)
    return str(raised.value)


def test_a_record_is_read(tmp_path: Path) -> None:
    found = read_measurement(written(tmp_path, record()))
    assert found == Measurement.model_validate(record())
    assert found.dynamic_pj == pytest.approx(0.1 * 0.05 / STEPS * 1e12)


def test_the_record_of_the_documentation_is_one() -> None:
    from lavadeploy.sim.energy import measurement

    text = str(measurement.__doc__).split("code-block:: text")[1].split("Counters are")[0]
    found = json.loads(text) | {"cores_used": 1}
    assert Measurement.model_validate(found).network == "pilotnet"


@pytest.mark.parametrize("per_step_us", [[4.9, 5.1], {"mean": 5.0, "max": 5.1}])
def test_what_lavas_profiler_gives_besides_may_be_in_the_record(
    tmp_path: Path, per_step_us: Any
) -> None:
    content = record(memory=[{"core": 0, "fraction": 0.5}])
    content["time"] |= {"per_step_us": per_step_us}
    del content["network"]
    found = read_measurement(written(tmp_path, content))
    assert found.dynamic_pj == Measurement.model_validate(record()).dynamic_pj
    assert (found.network, found.memory[0].fraction) == ("", 0.5)


def test_a_run_folder_may_hold_a_record_in_its_notes(tmp_path: Path) -> None:
    content = {"backend": "loihi", "notes": {"measurement": record(run_id="x")}}
    assert read_measurement(written(tmp_path, content)).run_id == "x"


def test_an_estimate_is_not_taken_for_a_measurement(tmp_path: Path) -> None:
    path = written(tmp_path, {"backend": "engine", "energy": {"profile": "loihi2"}, "notes": {}})
    assert sentence(path) == (
        f"'{path}': holds no measurement ('power_W' and 'counters', or notes.measurement in a "
        "run.json). Energies of lavadeploy's own runs are estimates, which nothing can be "
        "fitted to."
    )
    path = written(tmp_path, record(evidence="estimate"))
    assert sentence(path) == f"'{path}', evidence: input should be 'measured'."


def test_every_wrong_key_is_named(tmp_path: Path) -> None:
    content = record(steps=0, colour="red")
    del content["board"]
    path = written(tmp_path, content)
    assert sorted(sentence(path).splitlines()) == [
        f"'{path}', board: field required.",
        f"'{path}', colour: extra inputs are not permitted.",
        f"'{path}', steps: input should be greater than or equal to 1.",
    ]


def test_cores_and_their_counters_agree(tmp_path: Path) -> None:
    path = written(tmp_path, record(cores_used=3))
    assert sentence(path) == (
        f"'{path}', the record: value error, counters of 1 cores, but 3 cores_used."
    )


def test_a_chip_is_called_like_its_profile(tmp_path: Path) -> None:
    path = written(tmp_path, record(chip="Loihi 2"))
    assert sentence(path) == f"'{path}', chip: input should be 'loihi1' or 'loihi2'."


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    missing = tmp_path / "no.json"
    assert sentence(missing) == f"'{missing}': cannot be read: No such file or directory."
    path = tmp_path / "bad.json"
    path.write_text("{", encoding="utf-8")
    assert sentence(path) == f"'{path}': is not JSON."
    assert "holds no measurement" in sentence(written(tmp_path, [1, 2]))


@pytest.mark.parametrize(("chip", "neurons"), [("loihi2", 100), ("loihi1", 200)])
def test_neurons_follow_from_updates_where_they_are_not_stated(chip: str, neurons: int) -> None:
    core = record()["counters"]["core"][0] | {"neurons": None}
    run = Measurement.model_validate(record(chip=chip, counters={"core": [core]}))
    assert run.neurons_of(run.counters.core[0]) == neurons
