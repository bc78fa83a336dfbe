"""What models there are to choose from: aliases, the hub cache, converted models, folders. Light to import.

A model that cannot be read is left out: who names it is told why.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from core.errors import CornerstoneError
from core.machine.paths import at_home, cache_folder
from core.models import hub
from core.models.aliases import Alias, aliases
from core.models.config_limits import depth_of
from core.models.converted import converted_folder, is_complete
from core.records.json_object import read_json_object
from core.records.model_files import CONFIG

Kind = Literal["alias", "hub", "converted", "folder", "gguf", "place"]
"""A ``place`` is a folder that holds no model itself, but maybe some below it."""

_MOST_PLACES: Final = 300
_MOST_READ: Final = 60
"""The most folders to look into. More would take too long while somebody types."""
_DIGEST: Final = re.compile(r"-[0-9a-f]{12}$")


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model that can be chosen. What is not known is None.

    Attributes:
        name: what opens it.
        kind: where it is.
        shown: its name for people.
        description: what its alias says of it.
        architecture: its ``model_type``.
        layers: the number of decoder layers.
        bytes: its size on this machine.
        download_bytes: the size of the download, if there must be one.
        cached: whether it can be loaded without a download.
    """

    name: str
    kind: Kind
    shown: str
    description: str = ""
    architecture: str | None = None
    layers: int | None = None
    bytes: int | None = None
    download_bytes: int | None = None
    cached: bool | None = None


def alias_choices() -> tuple[ModelChoice, ...]:
    """Return the aliases. Whether one is cached is not known yet, which takes longer."""
    return tuple(map(_of_alias, aliases()))


def all_choices() -> tuple[ModelChoice, ...]:
    """Return the aliases, and what is in the hub cache and among converted models; no network is asked."""
    known = aliases()
    named = {alias.hub: alias for alias in known}
    found = [_looked_up(alias) for alias in known]
    found += [choice for choice in _in_hub_cache() if choice.name not in named]
    found += _converted({alias.name for alias in known})
    return tuple(found)


def choices_in(written: str, endings: tuple[str, ...] = (".gguf",)) -> tuple[ModelChoice, ...]:
    """Return the folders, and the files with one of these endings, whose path begins with what somebody has written."""
    start, slash, begun = written.rpartition("/")
    folder = at_home(f"{start}/") if slash else Path()
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if _fits(entry, begun, endings))[:_MOST_PLACES]
    except (OSError, ValueError):
        return ()
    paths = [(f"{start}{slash}{name}", folder / name) for name in names]
    return tuple(_at(text, path, read=number < _MOST_READ) for number, (text, path) in enumerate(paths))


def choice_at(path: str) -> ModelChoice | None:
    """Return the model in a folder, or a GGUF file; None if there is none."""
    found = at_home(path)
    try:
        if found.is_file() and found.suffix == ".gguf":
            return ModelChoice(path, "gguf", path, bytes=found.stat().st_size, cached=True)
        return _in_folder(path, "folder", path, found) if (found / CONFIG).is_file() else None
    except (OSError, ValueError):
        return None


def _of_alias(alias: Alias) -> ModelChoice:
    return ModelChoice(
        alias.name,
        "alias",
        alias.name,
        description=alias.description,
        architecture=alias.architecture,
        layers=alias.layers,
        download_bytes=None if alias.download_mb is None else alias.download_mb * 10**6,
    )


def _looked_up(alias: Alias) -> ModelChoice:
    if alias.hub is not None:
        folder = hub.cached_folder(alias.hub, alias.revision)
    else:
        target = converted_folder(alias.name)
        folder = target if is_complete(target) else None
    if folder is None:
        return replace(_of_alias(alias), cached=False)
    return replace(_of_alias(alias), cached=True, bytes=_size(folder))


def _in_hub_cache() -> Iterator[ModelChoice]:
    for repository in _sorted(hub.hub_cache(), "models--*"):
        hub_id = repository.name.removeprefix("models--").replace("--", "/", 1)
        folder = hub.cached_folder(hub_id, None)
        if folder is not None:
            yield _in_folder(hub_id, "hub", hub_id, folder)


def _converted(names: set[str]) -> Iterator[ModelChoice]:
    with suppress(CornerstoneError):
        for folder in _sorted(cache_folder("models"), "[!.]*"):
            if folder.name not in names and is_complete(folder):
                shown = _DIGEST.sub("", folder.name)
                yield replace(
                    _in_folder(str(folder), "converted", shown, folder), description="converted from a GGUF file"
                )


def _fits(entry: os.DirEntry[str], begun: str, endings: tuple[str, ...]) -> bool:
    hidden = entry.name.startswith(".") and not begun.startswith(".")
    if hidden or not entry.name.lower().startswith(begun.lower()):
        return False
    return entry.name.lower().endswith(endings) or entry.is_dir()


def _at(text: str, path: Path, *, read: bool) -> ModelChoice:
    """Return what is at a path, of which somebody writes ``text``."""
    try:
        if path.is_file():
            return ModelChoice(text, "gguf", text, bytes=path.stat().st_size, cached=True)
        if read and (path / CONFIG).is_file():
            return _in_folder(text, "folder", text, path)
    except OSError:
        pass  # it may not be entered
    return ModelChoice(f"{text}/", "place", f"{text}/")


def _in_folder(name: str, kind: Kind, shown: str, folder: Path) -> ModelChoice:
    config: dict[str, Any] = {}
    with suppress(CornerstoneError):
        config = read_json_object(folder / CONFIG)
    architecture = config.get("model_type")
    return ModelChoice(
        name,
        kind,
        shown,
        architecture=architecture if isinstance(architecture, str) else None,
        layers=depth_of(config),
        bytes=_size(folder),
        cached=True,
    )


def _size(folder: Path) -> int | None:
    try:
        return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    except OSError:
        return None


def _sorted(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(path for path in folder.glob(pattern) if path.is_dir())
    except OSError:
        return []
