"""Input spikes and options of a run that cannot be used: one sentence, and nothing written."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

Cli = Callable[..., CompletedProcess[str]]
Refused = Callable[..., str]

QUIET = np.zeros((2, 4, 5), dtype=np.int8)
ORDER = "(N, C, T) or (N, C, H, W, T) was expected, time last, as SLAYER orders it."
WHOLE = (
    "whole numbers were expected. Convert with spikes.astype(np.uint8) after checking that nothing "
    "is lost."
)
LOIHI_IS_MISSING = (
    "backend 'loihi' needs Lava's Loihi extension (lava-loihi), which is not installed here; Intel "
    "gives it to members of its Neuromorphic Research Community."
)


@pytest.fixture
def refused(cli: Cli, artifact: Path) -> Refused:
    """Run the artifact; the sentence with which it refused, before it made the run folder."""

    def run(*more: str | Path) -> str:
        found = cli("run", artifact, "--backend", "reference", "-o", "runs/x", *more)
        assert (found.returncode, found.stdout) == (2, "")
        assert not Path("runs").exists()
        assert found.stderr.startswith("error: ")
        return found.stderr[len("error: ") :]

    return run


def one_spike(place: tuple[int, int, int], value: int) -> NDArray[np.int64]:
    spikes = QUIET.astype(np.int64)
    spikes[place] = value
    return spikes


@pytest.mark.parametrize(
    ("spikes", "sentence"),
    [
        (
            QUIET.astype(np.float32),
            f"'x.npz': spikes has type float32; {WHOLE}",
        ),
        (QUIET[0], f"'x.npz': spikes has shape (4, 5); {ORDER}"),
        (QUIET[..., None], f"'x.npz': spikes has shape (2, 4, 5, 1); {ORDER}"),
        (QUIET[:0], "'x.npz': spikes has shape (0, 4, 5), so there is nothing to run."),
        (QUIET[..., :0], "'x.npz': spikes has shape (2, 4, 0), so there is nothing to run."),
        (
            one_spike((1, 2, 3), -1),
            "spikes is -1 at (1, 2, 3); a spike count cannot be negative.",
        ),
        (one_spike((1, 2, 3), 1 << 40), "'x.npz': spikes holds values beyond 32 bits."),
    ],
    ids=["float", "2 axes", "4 axes", "no sample", "no step", "negative", "too large"],
)
def test_spikes_of_wrong_type_shape_or_sign(
    refused: Refused, spikes: NDArray[Any], sentence: str
) -> None:
    np.savez("x.npz", spikes=spikes)
    assert refused("--input", "x.npz") == sentence + "\n"


@pytest.mark.parametrize("shape", [(2, 3, 5), (2, 5, 4), (1, 1, 2, 3, 5)])
def test_spikes_for_another_network(refused: Refused, shape: tuple[int, ...]) -> None:
    np.savez("x.npz", spikes=np.zeros(shape, dtype=np.uint8))
    sentence = f"spikes has shape {shape}; the network takes (N, 4, T): samples, neurons, steps.\n"
    assert refused("--input", "x.npz").removeprefix("'x.npz': ") == sentence


def test_spikes_larger_than_the_chip_carries(refused: Refused) -> None:
    np.savez("x.npz", spikes=one_spike((0, 0, 0), 1 << 24))
    assert refused("--input", "x.npz").removeprefix("'x.npz': ") == (
        "spikes holds the value 16777216; loihi2 allows spikes of 0 to 16777215. "
        "Use binary spikes, or a profile with graded spikes.\n"
    )


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (np.array([1]), "type int64 and shape (1,)"),
        (np.array([[0], [1]]), "type int64 and shape (2, 1)"),
        (np.array([0.0, 1.0]), "type float64 and shape (2,)"),
    ],
    ids=["too few", "column", "float"],
)
def test_labels_of_wrong_type_or_shape(refused: Refused, labels: NDArray[Any], found: str) -> None:
    np.savez("x.npz", spikes=QUIET, labels=labels)
    assert refused("--input", "x.npz") == (
        f"'x.npz': labels has {found}; whole numbers of shape (2,) were expected.\n"
    )


def test_missing_input(refused: Refused) -> None:
    assert refused("--input", "nope.npz") == (
        "'nope.npz': no such file; an .npz file with 'spikes' was expected.\n"
    )


def test_input_that_is_a_folder(refused: Refused) -> None:
    Path("x.npz").mkdir()
    assert refused("--input", "x.npz") == (
        "'x.npz': is a folder; an .npz file with 'spikes' was expected.\n"
    )


def test_input_without_spikes(refused: Refused) -> None:
    np.savez("x.npz", spike=QUIET, labels=[0, 1])
    assert refused("--input", "x.npz") == (
        "'x.npz': has no array 'spikes' (it holds 'spike', 'labels').\n"
    )


def test_single_array_of_another_type_or_cut_short(refused: Refused) -> None:
    np.save("x.npy", QUIET.astype(np.float32))
    assert refused("--input", "x.npy") == f"'x.npy': spikes has type float32; {WHOLE}\n"
    np.save("x.npy", QUIET)
    Path("x.npy").write_bytes(Path("x.npy").read_bytes()[:-1])
    assert refused("--input", "x.npy") == (
        "'x.npy': is not a readable .npy file (it is cut short: (2, 4, 5) of int8 was announced).\n"
    )


def test_labels_that_are_missing_or_of_other_samples(refused: Refused) -> None:
    np.save("x.npy", QUIET)
    assert refused("--input", "x.npy", "--labels", "l.npy") == (
        "'l.npy': no such file; an .npy file was expected.\n"
    )
    np.save("l.npy", np.array([1]))
    assert refused("--input", "x.npy", "--labels", "l.npy") == (
        "'x.npy': labels has type int64 and shape (1,); whole numbers of shape (2,) were "
        "expected.\n"
    )


def test_a_changed_byte_in_an_array_that_stays_in_its_file(refused: Refused) -> None:
    np.savez("x.npz", spikes=QUIET)
    content = bytearray(Path("x.npz").read_bytes())
    content[180] ^= 1  # among the numbers: 45 bytes of names and a header of 128 come before
    Path("x.npz").write_bytes(content)
    assert refused("--input", "x.npz") == (
        "'x.npz': is not a readable .npz file (Bad CRC-32 for file 'spikes.npy').\n"
    )


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04"])
def test_input_that_is_not_npz(refused: Refused, content: bytes) -> None:
    Path("x.npz").write_bytes(content)
    sentence = refused("--input", "x.npz")
    assert re.fullmatch(r"'x\.npz': is not a readable \.npz file \(.+\)\.\n", sentence)


def test_input_that_is_no_array_file_is_not_told_to_be_unpickled(refused: Refused) -> None:
    Path("x.npz").write_bytes(b"hello")
    assert "pickle" not in refused("--input", "x.npz")


@pytest.mark.parametrize("part", [0.2, 0.8, 0.99])
def test_truncated_input(refused: Refused, part: float) -> None:
    np.savez("x.npz", spikes=QUIET)
    content = Path("x.npz").read_bytes()
    Path("x.npz").write_bytes(content[: int(len(content) * part)])
    sentence = refused("--input", "x.npz")
    assert re.fullmatch(r"'x\.npz': is not a readable \.npz file \(.+\)\.\n", sentence)


def test_input_packed_in_an_unknown_way(refused: Refused) -> None:
    np.savez("x.npz", spikes=QUIET)
    content = bytearray(Path("x.npz").read_bytes())
    for header in (b"PK\x03\x04", b"PK\x01\x02"):
        place = content.index(header) + (8 if header[2] == 3 else 10)
        content[place : place + 2] = (99).to_bytes(2, "little")
    Path("x.npz").write_bytes(content)
    sentence = refused("--input", "x.npz")
    assert re.fullmatch(r"'x\.npz': is not a readable \.npz file \(.+\)\.\n", sentence)


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '|i1', 'fortran_order': False, 'shape': (2, 4, 10000000000000), }",
        "{'descr': '|i1', 'fortran_order': False, 'shape': (2, 4, 99999999999999999999), }",
        "{'descr': '|i1', 'fortran_order': False, 'shape': (2, 4,",
    ],
    ids=["more than memory", "more than 64 bits", "unfinished"],
)
def test_damaged_header_of_an_array(refused: Refused, header: str) -> None:
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
    with zipfile.ZipFile("x.npz", "w") as file:
        file.writestr("spikes.npy", content + bytes(40))
    sentence = refused("--input", "x.npz")
    assert re.fullmatch(r"'x\.npz': is not a readable \.npz file \(.+\)\.\n", sentence)


def test_pickled_objects_are_not_loaded(refused: Refused) -> None:
    np.savez("x.npz", spikes=np.array([None, "spikes"], dtype=object))
    sentence = refused("--input", "x.npz")
    assert re.fullmatch(r"'x\.npz': is not a readable \.npz file \(.+\)\.\n", sentence)


def test_unknown_backend_is_answered_with_the_nearest(cli: Cli) -> None:
    found = cli("run", "nope.ldc", "--input", "nope.npz", "--backend", "lav")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "error: unknown backend 'lav'; did you mean 'lava'? "
        "Valid: 'engine', 'lava', 'loihi', 'reference'.\n"
    )


def test_loihi_refuses_before_anything_is_read(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("SLURM", "NXSDKHOST"):
        monkeypatch.delenv(variable, raising=False)
    found = cli("run", "nope.ldc", "--input", "nope.npz", "--backend", "loihi", "-o", "runs/x")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == f"error: {LOIHI_IS_MISSING}\n"
    assert list(Path().iterdir()) == []


def test_missing_lava_is_said_before_anything_is_read(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing_is_installed(_name: str, _package: str | None = None) -> None:
        return None

    monkeypatch.setattr("importlib.util.find_spec", nothing_is_installed)
    found = cli("run", "nope.ldc", "--input", "nope.npz")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "error: backend 'lava' needs lava, asteval, networkx, scipy, not installed here. Run: "
        "pip install asteval 'networkx<2.8.8' scipy && "
        "pip install --no-deps --ignore-requires-python lava-nc==0.10.0\n"
    )
