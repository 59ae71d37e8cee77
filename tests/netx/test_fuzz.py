"""Whatever bytes a file holds, reading it gives a network or one sentence, soon and in bounds.

The cases run in processes of their own: a crash or a loop ends the process, not the tests, and the
number of the case is in the report. ``python tests/netx/test_fuzz.py FOLDER N N+1`` (with ``tests``
on PYTHONPATH and the seeds in FOLDER) runs case N alone.
"""

# h5py has no complete type information.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import faulthandler
import os
import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import pytest
from builders import compiled, dense
from every_kind import network_of_every_kind
from expect import assert_same
from hdf5_files import CONV, DENSE, write_layers
from hdf5_mutations import mutant

from lavadeploy.compile import load_artifact, save_artifact
from lavadeploy.netx import (
    NetxFormatError,
    RealNetwork,
    hdf5_worker,
    read_any_netx,
    write_netx,
    write_real_netx,
)
from lavadeploy.netx.hdf5_child import MAX_NUMBERS
from lavadeploy.netx.hdf5_store import WORKER

MEMORY_LIMIT_BYTES = 1 << 30
READ_LIMIT_S = 2  # instead of 20: a file of a few kB takes milliseconds
CASE_LIMIT_S = 30  # a case reads at most four files
WORKERS = 2
MEASURED = """
import resource, sys
from lavadeploy.netx import read_any_netx
from lavadeploy.netx.hdf5_store import WORKER
read_any_netx(sys.argv[1])
WORKER.close()
for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
    print(resource.getrusage(who).ru_maxrss)
"""


def write_seeds(folder: Path, *others: Path) -> None:
    """Write the files that cases start from."""
    write_netx(network_of_every_kind(), folder / "ours")
    save_artifact(
        compiled(dense([[2, -4], [6, 8]]), dense([[2, 4]], name="layer1")), folder / "artifact"
    )
    # as lava-dl writes: layer types of fixed length, neuron types of any length
    conv, full = ({**layer, "neuron/type": "CUBA"} for layer in (CONV, DENSE))
    write_layers(folder / "lava-dl", conv, full | {"type": np.array([b"dense"], "S10")}, full)
    with (
        h5py.File(folder / "lava-dl") as old,
        h5py.File(folder / "new", "w", libver="latest") as new,
    ):
        old.copy("layer", new)
    packed = {"compression": "gzip", "shuffle": True, "fletcher32": True}
    with h5py.File(folder / "packed", "w") as file:
        for name, value in DENSE.items():
            file.create_dataset(f"layer/0/{name}", data=value, **(packed if np.ndim(value) else {}))
    for path in others:
        (folder / f"{path.parent.name}-{path.name}").write_bytes(path.read_bytes())


def run_cases(folder: Path, first: int, last: int) -> None:
    """Read cases, one line of output each, and end at the first that does anything unexpected."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    hdf5_worker.TIME_LIMIT_S = READ_LIMIT_S
    seeds = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    for number in range(first, last):
        case = mutant(number, seeds)
        say(f"case {number} {case.seed}: {case.change}:")
        faulthandler.dump_traceback_later(CASE_LIMIT_S, exit=True)
        say(f" {outcome(case.seed, case.content)}\n")
        faulthandler.cancel_dump_traceback_later()
    WORKER.close()
    say(f"peak {own_peak()}\n")
    say(f"peak {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10}\n")


def own_peak() -> int:
    """Return the most bytes that this program has taken; `getrusage` counts who started it, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) << 10


def outcome(seed: str, content: bytes) -> str:
    path, again = Path(f"{os.getpid()}.net"), Path(f"{os.getpid()}.again")
    path.write_bytes(content)
    try:
        if seed == "artifact":
            save_artifact(load_artifact(path), again)
            load_artifact(again)
        network = read_any_netx(path)
    except NetxFormatError:
        return "refused"
    if isinstance(network, RealNetwork):
        write_real_netx(network, again)
    else:
        write_netx(network, again)
    assert_same(read_any_netx(again), network, ignore=("source", "warnings"))
    return "read"


def say(text: str) -> None:
    os.write(1, text.encode())


def fuzz(folder: Path, count: int, batch: int) -> Counter[str]:
    """Run cases in several processes; returns how many had which outcome, and peaks of memory."""
    seeds = folder / "seeds"
    work = folder / "work"
    work.mkdir()

    def run(first: int) -> Counter[str]:
        done = subprocess.run(
            [sys.executable, __file__, str(seeds), str(first), str(min(first + batch, count))],
            cwd=work,
            env=os.environ
            | {"PYTHONPATH": str(Path(__file__).parents[1]), "OPENBLAS_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        lines = done.stdout.splitlines()
        assert done.returncode == 0, f"{lines[-1]} ended with {done.returncode}\n{done.stderr}"
        return tally(lines)

    total: Counter[str] = Counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        for found in pool.map(run, range(0, count, batch)):
            peak = max(total["peak"], found["peak"])
            total += found
            total["peak"] = peak
    return total


def tally(lines: list[str]) -> Counter[str]:
    found = Counter(line.rpartition(" ")[2] for line in lines if line.startswith("case"))
    found["peak"] = max(int(line.split()[1]) for line in lines if line.startswith("peak"))
    return found


def check(found: Mapping[str, int], count: int) -> None:
    assert found["refused"] + found["read"] == count
    # the fuzz says little when nearly all files are whole, or none is
    assert min(found["refused"], found["read"]) > count / 5
    assert found["peak"] < MEMORY_LIMIT_BYTES


def test_two_thousand_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    (tmp_path / "seeds").mkdir()
    write_seeds(tmp_path / "seeds")
    check(fuzz(tmp_path, 2_000, 250), 2_000)


@pytest.mark.slow
@pytest.mark.shared_data
def test_twenty_thousand_damaged_files_are_read_or_refused(
    tmp_path: Path, shared_data: Path
) -> None:
    (tmp_path / "seeds").mkdir()
    write_seeds(tmp_path / "seeds", *sorted((shared_data / "netx").glob("*/*.net")))
    check(fuzz(tmp_path, 20_000, 500), 20_000)


@pytest.mark.slow
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", ["i1", "f4", "f8"])
def test_the_largest_network_takes_less_than_a_gibibyte(
    kind: str, packed: bool, tmp_path: Path
) -> None:
    rows = MAX_NUMBERS // (1 << 20) - 1
    # real numbers are kept beside the nearest whole ones
    weight = np.full((rows, 1 << 20), 2.5 if kind == "f8" else 2, kind)
    largest = write_layers(tmp_path / "f", {**DENSE, "shape": [rows], "weight": np.zeros(0)})
    with h5py.File(largest, "a") as file:
        del file["layer/0/weight"]
        file.create_dataset("layer/0/weight", data=weight, compression="gzip" if packed else None)
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(largest)], capture_output=True, text=True, check=True
    )
    # both processes may be at their peak at the same time
    assert sum(int(peak) << 10 for peak in done.stdout.split()) < MEMORY_LIMIT_BYTES


if __name__ == "__main__":
    run_cases(Path(sys.argv[1]).absolute(), int(sys.argv[2]), int(sys.argv[3]))
