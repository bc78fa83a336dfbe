"""kill -9 of a run with three workers on a real Ray: of a worker, or of the driver, at a random moment."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import psutil

from tests.faults.aftermath import check_completed, check_now
from tests.faults.endings import ended_well
from tests.faults.home import Home
from tests.faults.setting import PATIENCE_S, Setting
from tests.faults.verdict import Case, Findings, Verdict
from tests.support.programs import MAIN, Program
from tests.support.ray_processes import busy_workers, family, survivors, workers

_WORKERS: Final = 3
_WORK_S: Final = 3.0
_END_S: Final = 240.0
"""Ray's agents end a minute or two after a killed driver."""


def workers_killed(setting: Setting) -> Iterator[Case]:
    """Yield the kills of workers and of drivers, in turns."""
    for number in range(setting.sizes.workers_killed):
        yield Case(f"worker {number}", _killed(setting, number, _kill_worker, "kill -9 of a worker of a run"))
    for number in range(setting.sizes.drivers_killed):
        yield Case(f"driver {number}", _killed(setting, number, _kill_driver, "kill -9 of a run with workers"))


Strike = Callable[[Program, Findings, random.Random], None]
"""Kills somebody, and checks how the run ended."""


def _killed(setting: Setting, number: int, strike: Strike, fault: str) -> Callable[[Path], Verdict]:
    """Return a kill within three seconds after the first chunk was given to a worker."""

    def tried(folder: Path) -> Verdict:
        drawn = random.Random(f"{setting.seed} {fault} {number}")
        findings = Findings(fault)
        if find_spec("ray") is None:
            findings.missing.append("Ray is not installed")
            return findings.verdict()
        home, store = Home.made(folder / "home", setting.home), folder / "s.duckdb"
        arguments = ["run", *setting.study(setting.model), "--store", str(store), "--workers", str(_WORKERS)]
        program = Program([*MAIN, *arguments], folder=home.folder, environment=home.environment, whole=True)
        below: list[psutil.Process] = []
        try:
            if busy_workers(program.pid, PATIENCE_S):
                time.sleep(drawn.uniform(0, _WORK_S))
            below = family(program.pid)
            strike(program, findings, drawn)
        finally:
            program.end()
        findings.wrong += [f"{left} is still there" for left in survivors(below, _END_S)]
        check_now(findings, store, ())
        expected = setting.undisturbed(setting.model).outcomes
        check_completed(findings, store, lambda: setting.cornerstone(home, *arguments, whole=True), expected)
        return findings.verdict()

    return tried


def _kill_worker(program: Program, findings: Findings, drawn: random.Random) -> None:
    """Kill a worker; the run goes on, or had ended."""
    found = workers(program.pid)
    if found:
        drawn.choice(found).kill()
    findings.ending("the run", ended_well(program.wait(PATIENCE_S)))


def _kill_driver(program: Program, _findings: Findings, _drawn: random.Random) -> None:
    program.signal(signal.SIGKILL)
    program.wait(_END_S)
