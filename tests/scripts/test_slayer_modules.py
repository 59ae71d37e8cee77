"""Building a user's model: ordinary code works, and what fails is told in a sentence."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lavadeploy.netx import OptionError
from lavadeploy.scripts.slayer_modules import build_model


@pytest.fixture
def code(folder: Path) -> Iterator[Path]:
    """The folder of a user's code; what it imports is forgotten."""
    before = set(sys.modules)
    (folder / "mine").mkdir()
    yield folder / "mine"
    for name in set(sys.modules) - before:
        del sys.modules[name]


DATACLASS = """
from __future__ import annotations
from dataclasses import dataclass

@dataclass
class Model:
    width: int = 3

def build():
    return Model()
"""


def test_code_with_dataclasses_is_loaded(code: Path) -> None:
    (code / "model.py").write_text(DATACLASS, encoding="utf-8")
    assert build_model("mine/model.py:build").width == 3


def test_code_may_import_what_lies_beside_it(code: Path) -> None:
    (code / "sizes_of_mine.py").write_text("WIDTH = 5", encoding="utf-8")
    (code / "more_of_mine.py").write_text("DEPTH = 7", encoding="utf-8")
    (code / "model.py").write_text(
        "from sizes_of_mine import WIDTH\n"
        "def build():\n"
        "    from more_of_mine import DEPTH\n"
        "    return WIDTH, DEPTH\n",
        encoding="utf-8",
    )
    before = list(sys.path)
    assert build_model("mine/model.py:build") == (5, 7)
    assert sys.path == before


def test_packages_of_the_working_directory_are_found(code: Path) -> None:
    (code / "model.py").write_text(DATACLASS, encoding="utf-8")
    assert build_model("mine.model:build").width == 3


def test_a_file_may_have_the_name_of_a_known_module(code: Path) -> None:
    import json

    (code / "json.py").write_text("def build():\n    return 1\n", encoding="utf-8")
    assert build_model("mine/json.py:build") == 1
    assert sys.modules["json"] is json


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            ")",
            (
                "'mine/model.py' cannot be imported (SyntaxError: unmatched ')' (model.py, line "
                "1)). Make it one that Python can import."
            ),
        ),
        (
            "import math\nmath.nothing",
            (
                "'mine/model.py' cannot be imported (AttributeError: module 'math' has no "
                "attribute 'nothing'). Make it one that Python can import."
            ),
        ),
        (
            "raise SystemExit",
            (
                "'mine/model.py' cannot be imported (SystemExit). Make it one that Python "
                "can import."
            ),
        ),
        (
            "build = 3",
            (
                "'mine/model.py' has no function 'build'. Name one that returns the model and "
                "takes no arguments."
            ),
        ),
        (
            "def build(width):\n    return width",
            (
                "build() failed (TypeError: build() missing 1 required positional argument: "
                "'width'). It is called without arguments and has to return the model."
            ),
        ),
        (
            "def build():\n    return None.width",
            (
                "build() failed (AttributeError: 'NoneType' object has no attribute 'width'). It "
                "is called without arguments and has to return the model."
            ),
        ),
    ],
)
def test_what_fails_in_the_code_is_told(code: Path, text: str, sentence: str) -> None:
    (code / "model.py").write_text(text, encoding="utf-8")
    with pytest.raises(OptionError) as raised:
        build_model("mine/model.py:build")
    assert str(raised.value) == f"--model 'mine/model.py:build': {sentence}"


def test_a_file_that_is_missing_is_named(code: Path) -> None:
    with pytest.raises(OptionError, match=r"there is no file 'mine/none.py'\.$"):
        build_model("mine/none.py:build")
