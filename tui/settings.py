"""The user's settings: one YAML file with keys, theme, redraws, characters, bell and the default store.

Light to import, because every command asks for the default store.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
import pydantic
import yaml

from core.config.faults import worst
from core.errors import CornerstoneError
from core.machine.atomic_file import whole_file
from core.machine.paths import at_home
from core.machine.plain_text import short_repr
from core.machine.small_file import read_small
from core.machine.yaml_text import load_yaml, what_is_wrong

Theme = Literal["dark", "light", "colour-blind", "monochrome"]
Characters = Literal["auto", "unicode", "ascii"]


class Settings(pydantic.BaseModel, frozen=True, extra="forbid"):
    """The settings of a user.

    Attributes:
        theme: the colours.
        redraws: how often a second the screen follows a sweep at most. Keys are answered at once.
        characters: which characters are drawn; ``auto`` asks the terminal's locale.
        bell: ring the terminal's bell when a job ends.
        store: the file of the default store; None for the one in the data folder.
        keys: the user's own keys by the id of an action, which ``tui.explorer.keymap`` checks.
    """

    theme: Theme = "dark"
    redraws: Annotated[float, pydantic.Field(ge=0.1, le=10)] = 3.0
    characters: Characters = "auto"
    bell: bool = False
    store: Path | None = None
    keys: dict[str, Any] = {}


def settings_path() -> Path:
    """Return the path of the file (``XDG_CONFIG_HOME`` applies)."""
    return Path(platformdirs.user_config_dir("cornerstone", appauthor=False)) / "settings.yaml"


def read_settings() -> Settings:
    """Read the settings; the defaults if there is no file.

    Raises:
        CornerstoneError: the file cannot be read, or has a setting that does not exist or has no such value.
    """
    path = settings_path()
    try:
        content = load_yaml(read_small(path, f"the settings in {path}"))
    except FileNotFoundError:
        return Settings()
    except yaml.YAMLError as error:
        line, problem = what_is_wrong(error)
        place = "" if line is None else f"line {line}: "
        raise CornerstoneError(f"{path} cannot be read as YAML ({place}{problem})") from error
    if not isinstance(content, Mapping | None):
        raise CornerstoneError(f"{path}: expected lines such as `theme: light`")
    return _checked(path, dict(content or {}))


def changed_settings(before: Settings, **changes: object) -> Settings:
    """Return settings with some of them changed.

    Raises:
        CornerstoneError: a setting has no such value.
    """
    try:
        return Settings.model_validate({**before.model_dump(), **changes})
    except pydantic.ValidationError as error:
        raise CornerstoneError(_in_words(worst(error))) from error


def _checked(path: Path, content: dict[str, Any]) -> Settings:
    if isinstance(content.get("store"), str):
        content["store"] = path.parent / at_home(content["store"])
    try:
        return Settings.model_validate(content)
    except pydantic.ValidationError as error:
        raise CornerstoneError(f"{path}: {_in_words(worst(error))}") from error


def _in_words(fault: Any) -> str:
    name = str(fault["loc"][0])
    if fault["type"] != "extra_forbidden":
        return f"{name}: {fault['msg'][:1].lower()}{fault['msg'][1:]}"
    close = get_close_matches(name, Settings.model_fields, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(Settings.model_fields)}"
    return f"no setting {short_repr(name)}; {hint}"


def write_settings(settings: Settings) -> Path:
    """Write the settings as a whole or not at all, and return the file. Comments in the file before are lost.

    Raises:
        CornerstoneError: the file cannot be written.
    """
    path = settings_path()
    changed = settings.model_dump(mode="json", exclude_defaults=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CornerstoneError(f"cannot write {path}: {error.strerror}") from error
    with whole_file(path, force=True) as fresh:
        fresh.write_text(yaml.safe_dump(changed, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path
