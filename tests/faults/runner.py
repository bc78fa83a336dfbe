"""Run the cases of the parts side by side, keep the verdicts, and report them."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from tests.faults.damage import damage
from tests.faults.full_disks import full_disks
from tests.faults.inputs import inputs
from tests.faults.journal import Journal
from tests.faults.kills import commits, kills
from tests.faults.programs_killed import programs_killed
from tests.faults.report import failures, table
from tests.faults.setting import Part, Setting
from tests.faults.verdict import Case, Verdict
from tests.faults.workers import workers_killed
from tests.faults.writers import writers
from tests.support.programs import end_fork_server

PARTS: dict[str, Part] = {
    "kills": kills,
    "programs": programs_killed,
    "commits": commits,
    "disks": full_disks,
    "damage": damage,
    "writers": writers,
    "inputs": inputs,
    "workers": workers_killed,
}
_OWN_FAULT = "faults of the harness itself"
_TELL_EVERY_S = 20.0


@dataclass(frozen=True, slots=True)
class Asked:
    """Which parts or case to try, whether to begin anew, and how many cases run side by side."""

    part: str | None = None
    case: str | None = None
    fresh: bool = False
    jobs: int = 2


def run(setting: Setting, asked: Asked) -> int:
    """Try what is asked for, print the table and what fell; return 1 if anything fell, else 0."""
    names = [asked.part] if asked.part else list(PARTS)
    if unknown := [name for name in names if name not in PARTS]:
        print(f"no part {unknown[0]!r}; there is {', '.join(PARTS)}")
        return 2
    told: list[str] = []
    verdicts: list[Verdict] = []
    with _surroundings(setting):
        for name in names:
            found, text = _part(name, setting, asked)
            verdicts += found.values()
            told += [text, failures(name, setting.seed, found, every=asked.case is not None)]
    print("\n".join(["", table(verdicts), "", *filter(None, told)]))
    return int(any(not verdict.held for verdict in verdicts))


def tried(name: str, setting: Setting, jobs: int = 1) -> dict[str, Verdict]:
    """Try all cases of a part in this process's own surroundings, without a journal; return the verdicts by name."""
    found: dict[str, Verdict] = {}
    assert setting.home
    _side_by_side(PARTS[name](setting), setting, jobs, lambda case, verdict, _: found.update({case: verdict}))
    return found


def _part(name: str, setting: Setting, asked: Asked) -> tuple[dict[str, Verdict], str]:
    path = setting.folder / "journals" / f"{name}-{setting.seed}.jsonl"
    if asked.case is not None:
        found: dict[str, Verdict] = {}
        alone = (case for case in PARTS[name](setting) if case.name == asked.case)
        _side_by_side(alone, setting, 1, lambda case, verdict, _: found.update({case: verdict}))
        return found, "" if found else f"{name} has no case {asked.case!r}"
    if asked.fresh:
        path.unlink(missing_ok=True)
    journal = Journal(path)
    known = {case for case, verdict in journal.verdicts.items() if verdict.fault != _OWN_FAULT}
    begun = time.monotonic()
    last = begun

    def keep(case: str, verdict: Verdict, seconds: float) -> None:
        nonlocal last
        journal.add(case, verdict, seconds)
        if time.monotonic() - last > _TELL_EVERY_S:
            last = time.monotonic()
            fell = sum(not one.held for one in journal.verdicts.values())
            print(f"{name}: {len(journal.verdicts)} tried, {fell} fell, {last - begun:.0f} s", flush=True)

    left = (case for case in PARTS[name](setting) if case.name not in known)
    verdicts = journal.verdicts
    try:
        _side_by_side(left, setting, asked.jobs, keep)
    except Exception:  # noqa: BLE001 a part that cannot be prepared must not end the others
        verdicts = {**verdicts, "all of it": _own_fault(name)}
    shutil.rmtree(setting.folder / "inputs", ignore_errors=True)
    return verdicts, f"{name}: {time.monotonic() - begun:.0f} s now, {journal.seconds:.0f} s of cases in all"


def _side_by_side(
    cases: Iterable[Case], setting: Setting, jobs: int, keep: Callable[[str, Verdict, float], object]
) -> None:
    """Run cases in threads: their work is done by other processes. A case is made only when a thread is free."""
    free = threading.Semaphore(jobs)

    def attempt(case: Case) -> None:
        begun = time.monotonic()
        try:
            with _scratch(setting) as folder:
                verdict = case.run(folder)
        except Exception:  # noqa: BLE001 a fault of the harness must not end the others
            verdict = _own_fault(case.name)
        finally:
            free.release()
        keep(case.name, verdict, time.monotonic() - begun)

    with ThreadPoolExecutor(jobs) as pool:
        free.acquire()
        for case in cases:
            pool.submit(attempt, case).add_done_callback(lambda done: done.result())
            free.acquire()
        free.release()


def _own_fault(what: str) -> Verdict:
    """Return the verdict on a case that raised."""
    return Verdict(_OWN_FAULT, wrong=(f"{what}: {' '.join(traceback.format_exc().splitlines()[-3:])}",))


@contextmanager
def _scratch(setting: Setting) -> Iterator[Path]:
    """Make an empty folder for one case, and remove it with all that is in it."""
    parent = setting.folder / "scratch"
    parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=parent, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def _surroundings(setting: Setting) -> Iterator[None]:
    """Keep the network and the user's settings out of this process and of the fork server that it starts."""
    setting.folder.mkdir(parents=True, exist_ok=True)
    changed = {
        "HF_HOME": str(setting.folder / "huggingface"),
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "CORNERSTONE_PLUGINS": "off",
    }
    before = {name: os.environ.get(name) for name in changed}
    os.environ |= changed
    end_fork_server()
    _clear(setting)
    try:
        assert setting.home  # models and what is known of them, before cases share it
        yield
    finally:
        end_fork_server()
        _clear(setting)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


def _clear(setting: Setting) -> None:
    """Remove what cases have left, also those of a harness that was killed."""
    scratch = setting.folder / "scratch"
    for mounted in psutil.disk_partitions(all=True):
        if mounted.mountpoint.startswith(f"{scratch}/"):
            subprocess.run(["umount", "--lazy", mounted.mountpoint], check=False)
    shutil.rmtree(scratch, ignore_errors=True)
