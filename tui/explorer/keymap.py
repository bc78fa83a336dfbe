"""The user's own keys, by the ids of ``tui.explorer.actions``: part of the settings, or in a file of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import platformdirs
import yaml

from core.errors import CornerstoneError
from core.machine.plain_text import short_repr
from core.machine.small_file import read_small
from core.machine.yaml_text import load_yaml, what_is_wrong
from tui.explorer.actions import GROUPS
from tui.settings import Settings, settings_path

# Textual's names of keys: letters, digits and signs, with modifiers such as ctrl+ before.
_KEY = re.compile(r"[^\s,]{1,40}")


def keymap_path() -> Path:
    """Return the path of a file of keys alone, which counts where the settings name no keys."""
    return Path(platformdirs.user_config_dir("cornerstone", appauthor=False)) / "keys.yaml"


def read_keymap() -> dict[str, str]:
    """Read the keys that the user has changed, by action, separated by commas; {} if there is no file.

    Raises:
        CornerstoneError: the file cannot be read, names no action, or gives two actions of a screen the same key.
    """
    path = keymap_path()
    try:
        content = load_yaml(read_small(path, f"the keys in {path}"))
    except FileNotFoundError:
        return {}
    except yaml.YAMLError as error:
        line, problem = what_is_wrong(error)
        place = "" if line is None else f"line {line}: "
        raise CornerstoneError(f"{path} cannot be read as YAML ({place}{problem})") from error
    if not isinstance(content, Mapping | None):
        raise CornerstoneError(f"{path}: expected lines such as `explore.run: f2`")
    return checked_keys(path, content or {})


def own_keys(settings: Settings) -> dict[str, str]:
    """Return the keys that the user has changed, by action: those of the settings, else those of the file of keys.

    Raises:
        CornerstoneError: as for ``read_keymap``.
    """
    return checked_keys(settings_path(), settings.keys) if settings.keys else read_keymap()


def checked_keys(path: Path, given: Mapping[Any, Any]) -> dict[str, str]:
    """Return the keys by action, as a file gives them.

    Raises:
        CornerstoneError: it names no action, or gives two actions of a screen the same key.
    """
    keymap = {str(ident): _keys(path, str(ident), keys) for ident, keys in given.items()}
    _check_clashes(path, keymap)
    return keymap


def default_keys() -> dict[str, str]:
    """Return the keys of every action by its id."""
    return {f"{group}.{action.name}": action.keys for group, actions in GROUPS.items() for action in actions}


def template(keymap: Mapping[str, str]) -> Iterator[str]:
    """Yield the part of the settings file that has the keys, with those of the user and the help of each."""
    yield "keys:"
    for group, actions in GROUPS.items():
        for action in actions:
            ident = f"{group}.{action.name}"
            yield f'  {ident}: "{keymap.get(ident, action.keys)}"  # {action.help}'


def _keys(path: Path, ident: str, keys: Any) -> str:
    known = default_keys()
    if ident not in known:
        close = get_close_matches(ident, known, n=1)
        hint = f"did you mean {close[0]}?" if close else "`cornerstone keys` lists them"
        raise CornerstoneError(f"{path}: no action {short_repr(ident)}; {hint}")
    named = [key.strip() for key in keys.split(",")] if isinstance(keys, str) else [""]
    if not all(map(_KEY.fullmatch, named)):
        raise CornerstoneError(f"{path}: {ident} wants a key such as f2, or several with commas between")
    return ",".join(dict.fromkeys(named))


def _check_clashes(path: Path, keymap: Mapping[str, str]) -> None:
    """Refuse a changed key that another action of the same screen, or of the app, has.

    The key that quits may go back from a screen.
    """
    keys = {**default_keys(), **keymap}
    for group in GROUPS:
        taken: dict[str, str] = {}
        for ident in (one for one in keys if one.partition(".")[0] in {"app", group}):
            for key in keys[ident].split(","):
                leaves = taken.get(key) == "app.quit" and ident == f"{group}.back"  # one screen, or the last
                if key in taken and not leaves and not {ident, taken[key]}.isdisjoint(keymap):
                    raise CornerstoneError(f"{path}: {key} cannot be both {taken[key]} and {ident}")
                taken[key] = ident
