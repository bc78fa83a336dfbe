"""Find models on this machine by a name: an alias, a local folder, a GGUF file or a hub id.

Light to import. `core.engine.fetch` downloads or converts a model that is not here yet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from core.errors import CornerstoneError, Mend
from core.machine.paths import at_home
from core.machine.regular_file import kind_at, opened_regular
from core.models import hub
from core.models.aliases import Alias, aliases
from core.models.converted import converted_folder, is_complete
from core.records.model_files import model_files

_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model on this machine.

    ``folder`` holds the config, tokenizer and safetensors; ``origin`` says where they came from. ``adapter`` is the
    folder of the adapter that is added to the weights.
    """

    name: str
    folder: Path
    origin: str
    revision: str | None
    adapter: Path | None = None

    def with_adapter(self, adapter: Path | None) -> ModelSource:
        """Return the model with an adapter, which its name and origin tell; the model itself if there is none."""
        if adapter is None:
            return self
        folder = at_home(adapter).resolve()
        return replace(self, name=f"{self.name}+{folder.name}", origin=f"{self.origin} with {folder}", adapter=folder)


@dataclass(frozen=True, slots=True)
class InPackage:
    """An alias of a model inside a Python package, which must still be downloaded and converted."""

    alias: Alias


@dataclass(frozen=True, slots=True)
class InGguf:
    """A GGUF file; whether it was converted before depends on its digest."""

    path: Path


@dataclass(frozen=True, slots=True)
class OnHub:
    """A name that matches nothing on this machine, so it may be a model on the hub."""

    hub_id: str
    revision: str | None


def look_up(name: str, *, revision: str | None, offline: bool) -> ModelSource | InPackage | InGguf | OnHub:
    """Find a model on this machine, or say where else it is.

    Args:
        name: the name that the user gave.
        revision: the revision of a hub id.
        offline: refuse a model that would have to be downloaded.

    Raises:
        CornerstoneError: there is no such model, or it must be downloaded and may not be.
    """
    alias = next((alias for alias in aliases() if alias.name == name), None)
    path = at_home(name)
    if alias is not None and alias.package is not None:
        _refuse_revision(name, revision)
        return _in_package(alias, alias.package, offline=offline)
    if alias is not None and alias.hub is not None:
        return _on_hub(name, alias.hub, revision or alias.revision, offline=offline)
    kind = kind_at(path)
    if path.suffix == ".gguf" and kind not in {None, "folder"}:
        _refuse_revision(name, revision)
        with opened_regular(path):  # a pipe would block whoever reads it
            return InGguf(path)
    if kind == "folder":
        _refuse_revision(name, revision)
        model_files(path)  # refuses what is no whole model
        return ModelSource(path.resolve().name, path.resolve(), str(path.resolve()), None)
    if name.startswith((".", "/", "~")) or path.suffix == ".gguf" or not _HUB_ID.fullmatch(name):
        raise unknown(name, f"no model {name!r}: there is no such folder or GGUF file")
    return _on_hub(name, name, revision, offline=offline)


def unknown(name: str, said: str, mend: Mend | None = None) -> CornerstoneError:
    """Return the error of a model that cannot be had: ``said``, and what helps, by default an alias like ``name``."""
    names = [alias.name for alias in aliases()]
    if name in names:
        return CornerstoneError(said, mend)
    begun = {alias[: len(name)]: alias for alias in reversed(names)}  # a name without its size, such as qwen3
    close = [begun[one] for one in get_close_matches(name.lower(), begun, n=1, cutoff=0.8)]
    close = close or get_close_matches(name.lower(), names, n=1, cutoff=0.5)
    if close and mend is None:
        return CornerstoneError(f"{said}; did you mean {close[0]}?")
    return CornerstoneError(said, mend or Mend.LIST_MODELS)


def _refuse_revision(name: str, revision: str | None) -> None:
    if revision is not None:
        raise CornerstoneError(f"revision {revision} only fits a hub id, and {name!r} is none")


def _in_package(alias: Alias, package: str, *, offline: bool) -> ModelSource | InPackage:
    folder = converted_folder(alias.name)
    if is_complete(folder):
        return ModelSource(alias.name, folder, package, None)
    if offline:
        raise CornerstoneError(
            f"{alias.name} is not cached and cannot be fetched offline ({alias.download_mb} MB)", Mend.GO_ONLINE
        )
    return InPackage(alias)


def _on_hub(name: str, hub_id: str, revision: str | None, *, offline: bool) -> ModelSource | OnHub:
    folder = hub.cached_folder(hub_id, revision)
    if folder is not None:
        return ModelSource(name, folder, hub_id, hub.commit_of(folder))
    if offline:
        raise unknown(name, f"the model {hub_id!r} is not in the hub cache and cannot be fetched offline")
    return OnHub(hub_id, revision)
