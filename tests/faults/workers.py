"""kill -9 of a run with three workers on a real Ray: of a worker, or of the driver, at a random moment."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import psutil

from core.config.model_config import DEFAULT_MODEL
from tests.faults.aftermath import check_completed, check_now
from tests.faults.endings import ended_well
from tests.faults.home import Home
from tests.faults.setting import PATIENCE_S, Setting
from tests.faults.stored import Stored, stored
from tests.faults.verdict import Case, Findings, Verdict
from tests.support.programs import MAIN, Program
from tests.support.ray_processes import busy_workers, family, survivors, workers

_WORKERS: Final = 3
_END_S: Final = 240.0
"""Ray's agents end a minute or two after a killed driver."""


@dataclass(frozen=True, slots=True)
class _Study:
    """What is evaluated while somebody is killed: long enough for a strike in the midst of it.

    Attributes:
        model: a model's folder or name.
        limit: how many documents.
        longest: the longest window.
        work_s: the strike comes within so many seconds after the first chunk was given to a worker.
    """

    model: str
    limit: int
    longest: int
    work_s: float

    def arguments(self, store: Path) -> list[str]:
        """Return what runs it into a store."""
        size = ["--limit", str(self.limit), "--schedule", "windows", "--max-removed", str(self.longest)]
        return ["run", "--model", self.model, "--task", "agreement", *size, "--store", str(store)]


def workers_killed(setting: Setting) -> Iterator[Case]:
    """Yield the kills of workers and of drivers in runs of a tiny model, then of workers with the default one."""
    tiny = _Study(str(setting.model), limit=120, longest=5, work_s=1.2)
    default = _Study(DEFAULT_MODEL, limit=16, longest=2, work_s=10.0)
    for number in range(setting.sizes.workers_killed):
        yield Case(f"worker {number}", _killed(setting, tiny, number, _kill_worker, "kill -9 of a worker of a run"))
    for number in range(setting.sizes.drivers_killed):
        yield Case(f"driver {number}", _killed(setting, tiny, number, _kill_driver, "kill -9 of a run with workers"))
    for number in range(setting.sizes.default_workers_killed):
        fault = "kill -9 of a worker of the default model"
        yield Case(f"default {number}", _killed(setting, default, number, _kill_worker, fault))


Strike = Callable[[Program, Findings, random.Random], None]
"""Kills somebody, and checks how the run ended."""


def _killed(setting: Setting, study: _Study, number: int, strike: Strike, fault: str) -> Callable[[Path], Verdict]:
    """Return a kill in the midst of a study."""

    def tried(folder: Path) -> Verdict:
        drawn = random.Random(f"{setting.seed} {fault} {number}")
        findings = Findings(fault)
        if find_spec("ray") is None:
            findings.missing.append("Ray is not installed")
            return findings.verdict()
        home, store = Home.made(folder / "home", setting.home), folder / "s.duckdb"
        arguments = [*study.arguments(store), "--workers", str(_WORKERS)]
        program = Program([*MAIN, *arguments], folder=home.folder, environment=home.environment, whole=True)
        below: list[psutil.Process] = []
        try:
            if busy_workers(program.pid, PATIENCE_S):
                time.sleep(drawn.uniform(0, study.work_s))
            below = family(program.pid)
            strike(program, findings, drawn)
        finally:
            program.end()
        findings.wrong += [f"{left} is still there" for left in survivors(below, _END_S)]
        check_now(findings, store, ())
        expected = _undisturbed(setting, study).outcomes
        check_completed(findings, store, lambda: setting.cornerstone(home, *arguments, whole=True), expected)
        return findings.verdict()

    return tried


_one_at_a_time: Final = threading.Lock()


def _undisturbed(setting: Setting, study: _Study) -> Stored:
    """Return the outcomes of a study by one process; it is run once."""
    store = setting.folder / f"alone-{Path(study.model).name}.duckdb"
    with _one_at_a_time:
        if not store.exists():
            made = store.with_suffix(".making.duckdb")
            done = setting.cornerstone(setting.home, *study.arguments(made))
            assert done.returncode == 0, done.stderr
            made.rename(store)
    return stored(store)


def _kill_worker(program: Program, findings: Findings, drawn: random.Random) -> None:
    """Kill a worker; the run goes on, or had ended."""
    found = workers(program.pid)
    if found:
        drawn.choice(found).kill()
    findings.ending("the run", ended_well(program.wait(PATIENCE_S)))


def _kill_driver(program: Program, _findings: Findings, _drawn: random.Random) -> None:
    program.signal(signal.SIGKILL)
    program.wait(_END_S)
