"""Finding and reading hardware profiles."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ..netx import ProfileError, suggest
from .schema import HardwareProfile

FOLDER = Path(__file__).parent


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses a key given twice, of which YAML's would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key '{key}' is given twice", node.start_mark
                )
        return super().construct_mapping(node, deep)


def profile_names() -> tuple[str, ...]:
    """Return the names of the profiles that come with lavadeploy."""
    return tuple(sorted(p.stem for p in FOLDER.glob("*.yaml")))


def load_profile(name_or_path: str | Path) -> HardwareProfile:
    """Load a chip description.

    Parameters
    ----------
    name_or_path : str or Path
        A name (``'loihi2'``) or the path of a YAML file of your own (ending in .yaml or .yml).

    Returns
    -------
    HardwareProfile
        Checked against the schema.

    Raises
    ------
    ProfileError
        When there is no such profile, the file is not YAML, or it breaks the schema: every
        unknown key, missing unit and wrong value is named.
    """
    path = _path_of(str(name_or_path))
    try:
        # a loader of PyYAML's safe kind, which makes plain values only
        content: object = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except OSError as error:
        raise ProfileError(f"'{path}': cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ProfileError(f"'{path}': is not a text file, so it can not be a profile.") from error
    except (yaml.YAMLError, ValueError, LookupError, RecursionError) as error:
        # PyYAML lets the errors of its number and date parsers through
        reason = " ".join(str(error).split())
        raise ProfileError(f"'{path}': is not valid YAML: {reason}.") from error
    try:
        return HardwareProfile.model_validate(content)
    except ValidationError as error:
        problems = [_sentence(path, e["loc"], e["type"], e["msg"]) for e in error.errors()]
        raise ProfileError("\n".join(problems)) from error


def profile_sha256(profile: HardwareProfile) -> str:
    """Return a hash of everything a profile says, whatever the order in its file."""
    return hashlib.sha256(profile.model_dump_json().encode("utf-8")).hexdigest()


def _path_of(name: str) -> Path:
    if name.endswith((".yaml", ".yml")):
        return Path(name)
    if name not in profile_names():
        raise ProfileError(
            f"unknown profile '{name}'; {suggest(name, profile_names())}, or the path of a "
            "YAML file."
        )
    return FOLDER / f"{name}.yaml"


def _sentence(path: Path, location: tuple[int | str, ...], kind: str, message: str) -> str:
    key = ".".join(str(part) for part in location) or "the file"
    match kind:
        case "missing":
            return f"'{path}', {key}: is missing."
        case "extra_forbidden":
            return f"'{path}', {key}: is not a key of a profile."
        case _:
            return f"'{path}', {key}: {message[0].lower()}{message[1:]}."
