"""`cornerstone doctor`: print what is installed, what is missing, and the command that mends it."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import platformdirs
import psutil
import typer
from packaging.requirements import Requirement

from core.config.model_config import DEFAULT_MODEL
from core.errors import CornerstoneError
from core.machine.byte_count import in_bytes
from core.machine.free_memory import free_memory
from core.machine.runtime_folder import runtime_folder
from core.models.aliases import aliases, cached
from core.recording.orphans import damaged_spools, waiting_spools
from core.recording.spool_folder import spool_folder
from store.file.place import NothingStoredError, is_there, refuse_bad_place
from store.maintenance.check import check
from store.results import Results
from tui.commands.options import store_file
from tui.commands.stderr import narrate
from tui.drawing.mends import command_line_text
from tui.drawing.plain import counted, plain

_PACKAGES = ("cornerstone", "torch", "transformers", "accelerate", "lm-eval", "datasets", "duckdb", "textual")
_ASK_TORCH = """
import torch
from core.engine.number_formats import fast_formats
cuda = torch.cuda.is_available()
print(torch.cuda.get_device_name() if cuda else "mps" if torch.backends.mps.is_available() else "cpu")
print(", ".join(fast_formats()))
"""

_PATIENCE_S = 30.0
_SLOW_S = 1.0
_LEAST_ROOM = 200e6
"""Bytes that should be free on the disk of a folder. A model and its results take more."""


def examine(store: Path | None) -> bool:
    """Print one line for each finding; return whether everything that a run needs is there and sound."""
    path = store_file(store)
    with _asking_torch() as asked:  # which takes seconds, while all else is looked at
        return all(
            [
                *(_package(name) for name in _PACKAGES),
                _bounds(),
                _machine(),
                _default_model(),
                *(_folder(name, folder) for name, folder in _folders(path).items()),
                _evaluators_folder(),
                _store(path),
                _spools(path),
                _device(asked),
            ]
        )


def _package(name: str) -> bool:
    try:
        _say(name, metadata.version(name))
    except metadata.PackageNotFoundError:
        _say(name, "missing: make install")
        return False
    return True


def _bounds() -> bool:
    """Tell of each package that is missing or of a version that Cornerstone does not take."""
    wrong = []
    for line in metadata.requires("cornerstone") or ():
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            found = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{wanted.name} is missing")
            continue
        if not wanted.specifier.contains(found, prereleases=True):
            wrong.append(f"{wanted.name} {found} is not {wanted.specifier}")
    _say("versions", f"{'; '.join(wrong)}: make install" if wrong else "as required")
    return not wrong


def _machine() -> bool:
    total, free = psutil.virtual_memory().total, free_memory()
    _say("python", platform.python_version())
    _say("machine", f"{psutil.cpu_count()} cores, {total / 2**30:.0f} GiB, of which a run may take {free / 2**30:.1f}")
    return True


@contextmanager
def _asking_torch() -> Iterator[subprocess.Popen[str]]:
    """Let another process ask torch for the device; it ends with the block."""
    # -P: a folder named torch in the working directory is not torch.
    command = [sys.executable, "-P", "-c", _ASK_TORCH]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as asked:
        try:
            yield asked
        finally:
            asked.kill()


def _device(asked: subprocess.Popen[str]) -> bool:
    with _told_if_slow("starting torch, which tells the device"):
        found, _ = asked.communicate()
    if asked.returncode != 0:
        _say("device", "torch does not start: make install")
        return False
    device, formats = found.splitlines()
    _say("device", device)
    _say("fast dtypes", f"{formats} (of this CPU; the others are far slower on it)")
    return True


def _default_model() -> bool:
    default = next(alias for alias in aliases() if alias.name == DEFAULT_MODEL)
    missing = f"not cached: cornerstone run --task agreement ({default.download_mb} MB)"
    _say("default model", "cached" if cached(default) else missing)
    return True


def _folders(store: Path) -> dict[str, Path]:
    """Return the folders that are written to, by what is in them."""
    return {
        "cache": Path(platformdirs.user_cache_dir("cornerstone", appauthor=False)),
        "state": spool_folder(),
        "results": store.absolute().parent,
    }


def _folder(name: str, folder: Path) -> bool:
    """Tell whether a folder, or the one in which it would be made, may be written and has room."""
    made = next(each for each in (folder, *folder.parents) if each.exists())
    if not made.is_dir() or not os.access(made, os.W_OK | os.X_OK):
        _say(name, f"{folder}, but {made} may not be written: change its mode, or name another folder")
        return False
    free = shutil.disk_usage(made).free
    if free < _LEAST_ROOM:
        _say(name, f"{folder}, but its disk has only {in_bytes(free)} left: make room")
        return False
    _say(name, f"{folder}, {in_bytes(free)} free")
    return True


def _evaluators_folder() -> bool:
    try:
        _say("sockets", str(runtime_folder()))
    except CornerstoneError as error:
        _say("sockets", command_line_text(error))
        return False
    return True


def _store(path: Path) -> bool:
    try:
        if not is_there(path):
            refuse_bad_place(path)
            _say("store", f"{path} (none yet: cornerstone run makes it)")
            return True
        with _told_if_slow(f"reading the store {path}, {in_bytes(path.stat().st_size)}"):
            report = check(path, _PATIENCE_S, narrate, quick=True)
        if report.sound:
            runs = counted(len(Results(path, on_wait=narrate).runs().rows), "run")
            _say("store", f"{path}, {runs}, {in_bytes(path.stat().st_size)}")
            return True
        command = f"cornerstone store check {shlex.quote(str(path))}"
        what = f"{path} is damaged: {report.problems[0]}; `{command}` tells more"
    except NothingStoredError:
        _say("store", f"{path} (nothing in it yet: cornerstone run stores results)")
        return True
    except CornerstoneError as error:
        what = command_line_text(error)
    _say("store", what)
    return False


def _spools(store: Path) -> bool:
    """Tell of outcomes that could not be written to the store. They are stored by the next run that writes to it."""
    left = [spool for spool in waiting_spools(store) if not spool.written]
    outcomes = sum(spool.outcomes for spool in left)
    aside = damaged_spools(store)
    if outcomes:
        _say("waiting", f"{counted(outcomes, 'outcome')}, which the next run on this store writes to it")
    if aside:
        _say("waiting", f"a part of {aside[0]} cannot be read; it is kept, and its documents are evaluated again")
    if not outcomes and not aside:
        _say("waiting", "no outcomes")
    return not aside


@contextmanager
def _told_if_slow(what: str) -> Iterator[None]:
    """Say on stderr what is being done, if it takes longer than a second."""
    timer = threading.Timer(_SLOW_S, narrate, [what])
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _say(what: str, found: str) -> None:
    typer.echo(f"{what:<14} {plain(found)}")
