"""The grid, and what makes two points the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from expect import sentence
from sweep_cases import STEPS, small_plan, write_input, write_network

from lavadeploy.hw_profiles import load_profile
from lavadeploy.hw_profiles.writer import save_profile
from lavadeploy.netx import OptionError, ProfileError, SpikeInputError, write_real_netx
from lavadeploy.sim.sweep import PointSettings, SweepPoint, grid, plan_sweep


def test_the_grid_has_every_combination_once_and_changes_steps_first() -> None:
    found = grid(("loihi1", "loihi2", "loihi1"), (4, "file"), (8, 8, 16))
    assert [point.name for point in found] == [
        "loihi1-4bit-8steps",
        "loihi1-4bit-16steps",
        "loihi1-file-8steps",
        "loihi1-file-16steps",
        "loihi2-4bit-8steps",
        "loihi2-4bit-16steps",
        "loihi2-file-8steps",
        "loihi2-file-16steps",
    ]


@pytest.mark.parametrize(
    ("bits", "steps", "profiles", "said"),
    [
        ((0,), (8,), ("loihi2",), "bits 0; at least 1 was expected."),
        ((4,), (8, -1), ("loihi2",), "steps -1; at least 1 was expected."),
        ((4,), (8,), (), "a sweep needs at least one value of profile."),
    ],
)
def test_a_grid_of_no_points_is_refused(
    bits: tuple[int, ...], steps: tuple[int, ...], profiles: tuple[str, ...], said: str
) -> None:
    assert sentence(OptionError, grid, profiles, bits, steps) == said


def test_whole_numbers_are_run_as_stored_with_all_their_steps_on_loihi2(tmp_path: Path) -> None:
    plan = plan_sweep(write_network(tmp_path / "a.net"), write_input(tmp_path / "a.npz"))
    assert plan.points == (SweepPoint(profile="loihi2", bits="file", steps=STEPS),)


def test_real_numbers_are_run_in_eight_bits(tmp_path: Path) -> None:
    whole = small_plan(tmp_path).network
    values = {
        name: type(real)(weight=real.weight + 0.25, vth=real.vth, decays=real.decays)
        for name, real in whole.values.items()
    }
    real = type(whole)(nearest=whole.nearest, values=values)
    write_real_netx(real, tmp_path / "real.net")
    plan = plan_sweep(tmp_path / "real.net", tmp_path / "test.npz")
    assert [point.bits for point in plan.points] == [8]


def identities(folder: Path, **options: object) -> tuple[str, ...]:
    plan = small_plan(folder, **options)
    return tuple(plan.identity(point) for point in plan.points)


def test_every_point_has_an_identity_of_its_own_that_others_do_not_change(tmp_path: Path) -> None:
    found = identities(tmp_path)
    assert len(set(found)) == len(found) == 8
    assert identities(tmp_path, steps=(4,)) == (found[0], found[2], found[4], found[6])


def test_identity_is_that_of_content_not_of_names(tmp_path: Path) -> None:
    before = identities(tmp_path)
    (tmp_path / "other").mkdir()
    for name in ("net.net", "test.npz"):
        (tmp_path / name).rename(tmp_path / "other" / name)
    assert identities(tmp_path / "other") == before


@pytest.mark.parametrize(
    "changed",
    [
        {"samples": 9},
        {"settings": PointSettings(allow_approximate=True)},
        {"settings": PointSettings(strict=True)},
        {"calibration": "test.npz"},
    ],
    ids=lambda each: next(iter(each)),
)
def test_whatever_figures_depend_on_changes_all_identities(
    tmp_path: Path, changed: dict[str, object]
) -> None:
    before = identities(tmp_path)
    if "calibration" in changed:
        changed = {"calibration": tmp_path / "test.npz"}
    after = identities(tmp_path, **changed)
    assert not set(before) & set(after)


def test_other_weights_spikes_or_labels_change_all_identities(tmp_path: Path) -> None:
    seen = [set(identities(tmp_path))]
    write_network(tmp_path / "net.net", seed=5)
    seen.append(set(identities(tmp_path)))
    write_input(tmp_path / "test.npz", seed=5)
    seen.append(set(identities(tmp_path)))
    with np.load(tmp_path / "test.npz") as held:
        spikes, labels = held["spikes"], held["labels"]
    np.savez(tmp_path / "test.npz", spikes=spikes, labels=(labels + 1) % 3)
    seen.append(set(identities(tmp_path)))
    assert len({identity for each in seen for identity in each}) == sum(map(len, seen))


def test_a_profile_of_ones_own_goes_by_its_files_name(tmp_path: Path) -> None:
    save_profile(load_profile("loihi2"), tmp_path / "board.yaml")
    plan = small_plan(tmp_path, profiles=("loihi2", str(tmp_path / "board.yaml")))
    assert {point.profile for point in plan.points} == {"loihi2", "board"}


def test_two_profiles_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "loihi2.yaml"
    save_profile(load_profile("loihi2"), path)
    said = sentence(OptionError, small_plan, tmp_path, profiles=("loihi2", str(path)))
    assert said == (
        f"profiles 'loihi2' and '{path}' would both be called 'loihi2'; rename one of the files."
    )


def test_what_cannot_be_read_is_said_before_anything_runs(tmp_path: Path) -> None:
    assert sentence(ProfileError, small_plan, tmp_path, profiles=("lohi2",)).startswith(
        "unknown profile 'lohi2'; did you mean 'loihi2'?"
    )
    assert sentence(OptionError, small_plan, tmp_path, samples=0) == (
        "samples 0; at least 1 was expected."
    )
    (tmp_path / "test.npz").write_bytes(b"")
    with pytest.raises(SpikeInputError):
        small_plan(tmp_path)
