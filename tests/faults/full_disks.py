"""Full disks: a file system with little room left, or a limit on the size of files, until room is made."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from tests.faults.aftermath import check_completed, check_now
from tests.faults.endings import ended_well
from tests.faults.evaluators import evaluator, study
from tests.faults.home import Home
from tests.faults.recording import Recording, acknowledged
from tests.faults.setting import PATIENCE_S, Setting
from tests.faults.stored import values_of
from tests.faults.verdict import Case, Findings, Verdict
from tests.faults.work import work
from tests.support.programs import MAIN, Program

_DISK = 16 * 2**20
_MOST_LEFT = 3 * 2**20
_FULL_FOR_S = 2.0
_LOOK_EVERY_S = 0.05
# A part of every ten cases.
_KINDS = ("queue", "queue", "queue", "queue, state too", "queue, state too", "recorder", "run", "run", "job", "cache")


def full_disks(setting: Setting) -> Iterator[Case]:
    """Yield the disk-full points."""
    tried = {"run": _run, "job": _job, "cache": _cache}
    for number in range(setting.sizes.full_disks):
        kind = _KINDS[number % len(_KINDS)]
        yield Case(f"{kind} {number}", _with(tried.get(kind, _recording), setting, kind, number))


_Tried = Callable[[Setting, str, random.Random, Path], Verdict]


def _with(tried: _Tried, setting: Setting, kind: str, number: int) -> Callable[[Path], Verdict]:
    return lambda folder: tried(setting, kind, random.Random(f"{setting.seed} disk {number}"), folder)


@dataclass(frozen=True, slots=True)
class _Disk:
    """A folder with little room, or, where no file system can be mounted, a limit on the size of each file."""

    folder: Path
    limit: int = 0

    @property
    def _filler(self) -> Path:
        return self.folder / "filler"

    def fill(self, left: int) -> None:
        """Take all room but ``left`` bytes."""
        free = os.statvfs(self.folder)
        with self._filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(free.f_bavail * free.f_frsize - left, 1))

    def make_room(self, program: Program) -> None:
        """Give the room back."""
        if not self.limit:
            self._filler.unlink()
        elif program.runs():
            unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            psutil.Process(program.pid).rlimit(psutil.RLIMIT_FSIZE, unlimited)


@contextmanager
def _disk(parent: Path, left: int) -> Iterator[_Disk]:
    """Make a disk with ``left`` bytes left, and remove it."""
    folder = parent / "disk"
    folder.mkdir()
    if not _mounts():
        yield _Disk(folder, limit=max(left, 1))
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_DISK}", "tmpfs", str(folder)], check=True)
    try:
        disk = _Disk(folder)
        disk.fill(left)
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@cache
def _mounts() -> bool:
    """Return whether this user may mount a file system."""
    if sys.platform != "linux" or os.getuid():
        return False
    with TemporaryDirectory() as folder:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=False, capture_output=True)
        if mounted.returncode == 0:
            subprocess.run(["umount", folder], check=True)
        return mounted.returncode == 0


def _recording(setting: Setting, kind: str, drawn: random.Random, folder: Path) -> Verdict:
    """Record made-up outcomes on a disk that becomes full, and make room."""
    findings = Findings("disk full, " + ("recorder" if kind == "recorder" else "write-behind queue"))
    seed = drawn.randrange(2**31)
    home = Home.made(folder / "home")
    with _disk(folder, drawn.randrange(_MOST_LEFT)) as disk:
        if kind == "queue, state too":
            home.folder.joinpath("state").rmdir()
            disk.folder.joinpath("state").mkdir()
            home.folder.joinpath("state").symlink_to(disk.folder / "state")
        store, notes = disk.folder / "s.duckdb", folder / "acknowledged"
        behind = kind != "recorder"
        first = Recording(str(store), seed, "first", str(notes), behind=behind, patience=2, file_limit=disk.limit)
        program = Program(first.arguments, folder=folder, environment=home.environment)
        try:
            _until_stuck(program, lambda: acknowledged(notes))
            disk.make_room(program)
            done = program.wait(PATIENCE_S)
        finally:
            program.end()
        findings.ending("the recording", ended_well(done) if behind else ended_well(done, 2))
        to_do = work(seed)
        safe = to_do.outcomes if behind else to_do.first(acknowledged(notes))
        check_now(findings, store, safe)
        after = Recording(str(store), seed, "next", str(folder / "later"), behind=behind)
        check_completed(findings, store, lambda: setting.ran(after.arguments, home), values_of(to_do.outcomes))
    return findings.verdict()


def _run(setting: Setting, kind: str, drawn: random.Random, folder: Path) -> Verdict:
    """Run `cornerstone run` onto a disk that becomes full, make room, and run it again."""
    findings = Findings(f"disk full, cornerstone {kind}")
    expected = setting.undisturbed(setting.model).outcomes
    home = Home.made(folder / "home", setting.home)
    with _disk(folder, drawn.randrange(_MOST_LEFT)) as disk:
        store = disk.folder / "s.duckdb"
        arguments = ["run", *setting.study(setting.model), "--store", str(store)]
        program = Program([*MAIN, *arguments], folder=folder, environment=home.environment)
        try:
            _until_stuck(program, lambda: store.exists() and store.stat().st_size)
            disk.make_room(program)
            done = program.wait(PATIENCE_S)
        finally:
            program.end()
        findings.ending("the run", ended_well(done, 1, 2))
        check_now(findings, store, expected if done.returncode == 0 else ())
        check_completed(findings, store, lambda: setting.cornerstone(home, *arguments), expected)
    return findings.verdict()


def _job(setting: Setting, kind: str, drawn: random.Random, folder: Path) -> Verdict:
    """Let an evaluator do a job on a disk that is full for a while: the job ends, and everything is written."""
    findings = Findings(f"disk full, evaluator's {kind}")
    expected = setting.undisturbed(setting.model).outcomes
    home = Home.made(folder / "home", setting.home)
    with _disk(folder, drawn.randrange(_MOST_LEFT)) as disk:
        store = disk.folder / "s.duckdb"
        with evaluator(store, home, whole=False) as program:

            def make_room() -> None:
                time.sleep(drawn.uniform(1, 2 * _FULL_FOR_S))
                disk.make_room(program)

            try:
                view = study(store, setting.study_config(setting.model), make_room)
            except (AssertionError, TimeoutError) as error:
                findings.ending("the job", f"{type(error).__name__}: {error}")
            else:
                findings.ending("the job", None if view.state == "finished" else f"{view.state}: {view.error}")
        check_now(findings, store, expected)
        arguments = ["run", *setting.study(setting.model), "--store", str(store)]
        check_completed(findings, store, lambda: setting.cornerstone(home, *arguments), expected)
    return findings.verdict()


def _cache(setting: Setting, kind: str, drawn: random.Random, folder: Path) -> Verdict:
    """Fill the disk of the cache, where digests of weights are kept: each model still has its own results."""
    findings = Findings(f"disk full, {kind} of digests")
    home = Home.made(folder / "home")
    store = folder / "s.duckdb"
    models = (setting.model, setting.other_model)
    with _disk(folder, drawn.choice((0, drawn.randrange(2 * 4096)))) as disk:
        home.folder.joinpath("cache").rmdir()
        disk.folder.joinpath("cache").mkdir()
        home.folder.joinpath("cache").symlink_to(disk.folder / "cache")
        for at, model in enumerate(models):
            arguments = ["run", *setting.study(model), "--store", str(store)]
            findings.ending(f"run {at + 1}", ended_well(setting.cornerstone(home, *arguments), 2))
        if not disk.limit:
            disk.fill(_DISK // 2)
        expected = {
            identity: value for model in models for identity, value in setting.undisturbed(model).outcomes.items()
        }
        for model in models:
            arguments = ["run", *setting.study(model), "--store", str(store)]
            findings.ending("a run with room", ended_well(setting.cornerstone(home, *arguments)))
        check_now(findings, store, expected)
        check_completed(findings, store, lambda: setting.cornerstone(home, *arguments), expected)
    return findings.verdict()


def _until_stuck(program: Program, progress: Callable[[], object]) -> None:
    """Wait until a program has ended or made no progress for a while."""
    last, since = progress(), time.monotonic()
    while program.runs() and time.monotonic() - since < _FULL_FOR_S:
        time.sleep(_LOOK_EVERY_S)
        if (now := progress()) != last:
            last, since = now, time.monotonic()
