"""Errors carry their sentences, and suggestions name the nearest choice."""

from __future__ import annotations

import pytest

from lavadeploy import netx
from lavadeploy.netx import LavaDeployError, UnsupportedNetworkError, suggest

ERRORS = {
    "BackendError": RuntimeError,
    "BackendUnavailableError": RuntimeError,
    "ExportError": ValueError,
    "MeasurementError": ValueError,
    "NetxFormatError": ValueError,
    "OptionError": ValueError,
    "OutputError": OSError,
    "ProfileError": ValueError,
    "RunFolderError": ValueError,
    "SpikeInputError": ValueError,
    "UnsupportedNetworkError": ValueError,
}


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_every_error_is_lavadeploys_and_the_fitting_builtin(name: str) -> None:
    error = getattr(netx, name)
    assert issubclass(error, LavaDeployError)
    assert issubclass(error, ERRORS[name])


def test_no_error_is_missing_from_this_table() -> None:
    found = {
        name
        for name in dir(netx)
        if isinstance(getattr(netx, name), type)
        and issubclass(getattr(netx, name), LavaDeployError)
    }
    assert found == {"LavaDeployError", *ERRORS}


def test_unsupported_network_keeps_every_problem_and_prints_one_a_line() -> None:
    error = UnsupportedNetworkError(problem for problem in ("a: too wide.", "b: too deep."))
    assert error.problems == ("a: too wide.", "b: too deep.")
    assert str(error) == "a: too wide.\nb: too deep."


def test_suggestion_names_the_nearest_and_lists_all_in_order() -> None:
    found = suggest("lohi2", ["loihi2", "ideal", "loihi1"])
    assert found == "did you mean 'loihi2'? Valid: 'ideal', 'loihi1', 'loihi2'"


def test_suggestion_without_a_near_name_only_lists() -> None:
    assert suggest("xyz", ["loihi2", "ideal"]) == "Valid: 'ideal', 'loihi2'"


def test_suggestion_takes_an_iterator() -> None:
    assert suggest("dens", iter(["dense", "conv"])) == (
        "did you mean 'dense'? Valid: 'conv', 'dense'"
    )
