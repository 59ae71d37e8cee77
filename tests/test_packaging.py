"""What is installed is the tree: every module, profile and marker, and nothing of the tests."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from lavadeploy import compile as compile_package
from lavadeploy import hw_profiles, netx, sim
from lavadeploy.netx import __version__

if sys.version_info >= (3, 11):
    import tomllib
else:  # a dependency of pytest and build on Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
TOP_FOLDERS = ("compile", "hw_profiles", "netx", "scripts", "sim")
NEED_LAVA = tuple(
    f"lavadeploy.sim.lava_{name}"
    for name in ("chain", "hardware", "layers", "network", "processes", "synapses")
)
NOT_INSTALLED = {"tests", "benchmarks", "build", "dist", "runs"}


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def modules() -> list[str]:
    """Return every .py file of the packages, relative to the root."""
    tops = (
        path
        for path in ROOT.iterdir()
        if path.is_dir() and not path.name.startswith(".") and path.name not in NOT_INSTALLED
    )
    return sorted(path.relative_to(ROOT).as_posix() for top in tops for path in top.rglob("*.py"))


def test_every_folder_of_modules_is_a_package_that_is_installed(project: dict[str, Any]) -> None:
    folders = {str(Path(name).parent).replace("/", ".") for name in modules()}
    assert sorted(project["tool"]["setuptools"]["packages"]) == sorted(
        f"lavadeploy.{folder}" for folder in folders
    )


def test_every_package_has_its_init_file() -> None:
    for name in modules():
        assert (ROOT / name).with_name("__init__.py").is_file(), name


def test_every_top_folder_is_mapped_and_typed(project: dict[str, Any]) -> None:
    setuptools = project["tool"]["setuptools"]
    mapped = {f"lavadeploy.{name}": name for name in TOP_FOLDERS}
    assert setuptools["package-dir"] == mapped
    assert {name.split("/")[0] for name in modules()} == set(TOP_FOLDERS)
    for package, folder in mapped.items():
        assert (ROOT / folder / "py.typed").is_file()
        assert "py.typed" in setuptools["package-data"][package]


def test_the_version_is_one(project: dict[str, Any]) -> None:
    assert project["project"]["version"] == __version__


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Build a wheel from a copy of the tree and return its files."""
    folder = tmp_path_factory.mktemp("wheel")
    left_out = shutil.ignore_patterns(
        ".*", "__pycache__", "build", "dist", "runs", "*.egg-info", "node_modules"
    )
    shutil.copytree(ROOT, folder / "tree", ignore=left_out)
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", str(folder), "tree"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("*.whl")
    assert path.name == f"lavadeploy-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def test_the_wheel_holds_every_module_as_it_is(wheel: dict[str, bytes]) -> None:
    held = {name for name in wheel if name.endswith(".py")}
    assert held == {f"lavadeploy/{name}" for name in modules()}
    for name in modules():
        assert wheel[f"lavadeploy/{name}"] == (ROOT / name).read_bytes(), name


def test_the_wheel_holds_profiles_pages_and_typing_markers(wheel: dict[str, bytes]) -> None:
    for path in (ROOT / "hw_profiles").glob("*.yaml"):
        assert wheel[f"lavadeploy/hw_profiles/{path.name}"] == path.read_bytes()
    for folder in TOP_FOLDERS:
        assert f"lavadeploy/{folder}/py.typed" in wheel
    for kind in (".jinja", ".css"):
        pages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "sim").rglob(f"*{kind}")}
        assert pages == {name.removeprefix("lavadeploy/") for name in wheel if name.endswith(kind)}


def test_the_wheel_holds_nothing_else(wheel: dict[str, bytes]) -> None:
    assert {Path(name).parts[0] for name in wheel} == {
        "lavadeploy",
        f"lavadeploy-{__version__}.dist-info",
    }
    assert "lavadeploy/__init__.py" not in wheel  # a namespace
    kinds = {Path(name).suffix for name in wheel if name.startswith("lavadeploy/")}
    assert kinds == {".py", ".typed", ".yaml", ".css", ".jinja"}


def test_the_wheel_has_its_command_and_licence(wheel: dict[str, bytes]) -> None:
    info = f"lavadeploy-{__version__}.dist-info"
    assert wheel[f"{info}/entry_points.txt"].decode().split() == [
        "[console_scripts]",
        "lavadeploy",
        "=",
        "lavadeploy.scripts.cli:main",
    ]
    assert wheel[f"{info}/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()
    assert f"Version: {__version__}\n" in wheel[f"{info}/METADATA"].decode()


@pytest.mark.parametrize("name", ["netx", "hw_profiles"])
def test_a_bare_import_from_the_root_is_refused(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import {name}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr.splitlines()[-1] == (
        f"ImportError: import lavadeploy.{name} instead of {name} (make env installs it)"
    )


def lava_is_here() -> bool:
    netx.repair_lava()
    try:
        importlib.import_module("lava.magma.core.process.process")
    except ImportError:
        return False
    return True


def imported(package: ModuleType) -> Iterator[ModuleType]:
    """Import a package and all its modules, but for those that need a lava that is not here."""
    yield package
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if lava_is_here() or not found.name.startswith(NEED_LAVA):
            yield importlib.import_module(found.name)


@pytest.mark.parametrize(
    ("package", "least"), [(netx, 2), (hw_profiles, 5), (compile_package, 3), (sim, 0)]
)
def test_examples_in_docstrings_are_true(package: ModuleType, least: int) -> None:
    results = {module.__name__: doctest.testmod(module) for module in imported(package)}
    assert {name for name, result in results.items() if result.failed} == set()
    assert sum(result.attempted for result in results.values()) >= least
    folder = package.__name__.removeprefix("lavadeploy.")
    expected = {
        f"lavadeploy.{name.removesuffix('.py').removesuffix('/__init__').replace('/', '.')}"
        for name in modules()
        if name.startswith(f"{folder}/")
    }
    left_out = expected - set(results)
    assert all(name.startswith(NEED_LAVA) and not lava_is_here() for name in left_out)
