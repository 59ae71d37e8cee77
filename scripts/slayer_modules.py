"""A SLAYER model from the file of its state, and from the code that builds it."""
# torch's type information is partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import importlib
import importlib.util
import pickle
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from lavadeploy.netx import BackendUnavailableError, OptionError

WEIGHT = "blocks.{}.synapse.weight"  # of a `Classifier`


def load_module(path: Path, builder: str | None = None) -> Any:
    """Return a SLAYER model with the state that a file holds.

    Parameters
    ----------
    path : Path
        What ``torch.save(model.state_dict(), path)`` wrote.
    builder : str, optional
        What builds the model: ``file.py:function`` or ``package.module:function``, called without
        arguments. Without it, the `Classifier` of the training scripts is built, its sizes taken
        from the state.

    Raises
    ------
    OptionError
        When the file cannot be read as a state, or does not fit the model, and when nothing can be
        built (`build_model`). Whole pickled modules
        are refused: reading one runs whatever code it holds.
    BackendUnavailableError
        Without torch and lava-dl.
    """
    try:
        import torch

        from lavadeploy.scripts.slayer_training import Classifier
    except ImportError as error:
        raise BackendUnavailableError(
            f"--against needs torch and lava-dl ({error}). lavadeploy doctor says how to get them."
        ) from error
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise OptionError(f"'{path}': {error.strerror or error}.") from error
    except pickle.UnpicklingError as error:
        raise OptionError(
            f"'{path}': holds more than numbers, a whole model perhaps, and reading that would run "
            "whatever code it holds. Save model.state_dict() instead, and name the function that "
            "builds the model: --model my_code.py:build."
        ) from error
    except Exception as error:  # torch's words for damaged archives are many
        raise OptionError(f"'{path}': is no file of torch.save ({error}).") from error
    if not isinstance(state, dict):
        raise OptionError(f"'{path}': holds no state of a model. Save model.state_dict().")
    named = cast(dict[str, Any], state)
    model = Classifier(*_sizes(named, path)) if builder is None else build_model(builder)
    try:
        model.load_state_dict(named)
    except (RuntimeError, AttributeError, TypeError) as error:
        first = str(error).strip().replace("\n", " ")
        raise OptionError(f"'{path}': does not fit the model ({first}).") from error
    return model


def _sizes(state: dict[str, Any], path: Path) -> tuple[int, ...]:
    """Return the sizes of a `Classifier`, input first."""
    sizes: list[int] = []
    for number in range(len(state)):
        weight = state.get(WEIGHT.format(number))
        if weight is None:
            break
        n_out, n_in = weight.shape[:2]
        sizes += [n_out] if sizes else [n_in, n_out]
    if not sizes:
        raise OptionError(
            f"'{path}': is not the state of a model of the training scripts. Name the function "
            "that builds yours: --model my_code.py:build."
        )
    return tuple(sizes)


def build_model(builder: str) -> Any:
    """Return what a user's function builds.

    Parameters
    ----------
    builder : str
        See `load_module`. A file can import what lies beside it, as when it is run; packages are
        looked for in the working directory, too.

    Raises
    ------
    OptionError
        When there is no such function, or the user's code fails, whatever it raises.
    """
    place, _, name = builder.rpartition(":")
    if not place or not name:
        raise OptionError(f"--model '{builder}'; file.py:function was expected.")
    is_file = place.endswith(".py")
    if is_file and not Path(place).is_file():
        raise OptionError(f"--model '{builder}': there is no file '{place}'.")
    with _on_path(Path(place).resolve().parent if is_file else Path.cwd()):
        try:
            module = _module_of_file(Path(place)) if is_file else importlib.import_module(place)
        except (Exception, SystemExit) as error:
            raise OptionError(
                f"--model '{builder}': '{place}' cannot be imported ({_told(error)}). "
                "Make it one that Python can import."
            ) from error
        build = getattr(module, name, None)
        if not callable(build):
            raise OptionError(
                f"--model '{builder}': '{place}' has no function '{name}'. Name one that returns "
                "the model and takes no arguments."
            )
        try:
            return build()
        except (Exception, SystemExit) as error:
            raise OptionError(
                f"--model '{builder}': {name}() failed ({_told(error)}). It is called without "
                "arguments and has to return the model."
            ) from error


def _module_of_file(path: Path) -> ModuleType:
    # a name of its own: a user's json.py must not become everyone's json
    name = f"lavadeploy_model_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


@contextmanager
def _on_path(folder: Path) -> Generator[None, None, None]:
    """Let modules of a folder be imported."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        if str(folder) in sys.path:
            sys.path.remove(str(folder))  # what the code itself added stays


def _told(error: BaseException) -> str:
    """Return an error in one line, with its kind: many messages say little without."""
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
