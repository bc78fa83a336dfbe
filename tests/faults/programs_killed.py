"""kill -9 of whole programs that talk to each other: the evaluator with a job, and the explorer on a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import random
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.faults.aftermath import check_completed, check_now
from tests.faults.evaluators import begun, clean, evaluator, study
from tests.faults.home import Home
from tests.faults.killing import kill
from tests.faults.setting import Setting
from tests.faults.verdict import Case, Findings, Verdict
from tests.support.programs import PROGRAM, REPOSITORY

_JOB_S = 1.0
_PATIENCE_S = 120.0


def programs_killed(setting: Setting) -> Iterator[Case]:
    """Yield the kills of evaluators and explorers, which are whole programs."""
    for number in range(setting.sizes.evaluators_killed):
        yield Case(f"evaluator {number}", _evaluator_killed(setting, number))
    for number in range(setting.sizes.explorers_killed):
        yield Case(f"explorer {number}", _explorer_killed(setting, number))


def _evaluator_killed(setting: Setting, number: int) -> Callable[[Path], Verdict]:
    """Return a kill of an evaluator up to a second after its job has begun."""

    def tried(folder: Path) -> Verdict:
        drawn = random.Random(f"{setting.seed} evaluator {number}")
        findings = Findings("kill -9 of the evaluator with a job, whole program")
        home, store = Home.made(folder / "home", setting.home), folder / "s.duckdb"
        with evaluator(store, home, whole=True) as program:

            def strike() -> None:
                time.sleep(drawn.uniform(0, _JOB_S))
                if not kill(program):
                    findings.wrong.append("the evaluator had ended before the kill")

            begun(store, setting.study_config(setting.model), strike)
        _look_after(findings, setting, home, store)
        return findings.verdict()

    return tried


def _explorer_killed(setting: Setting, number: int) -> Callable[[Path], Verdict]:
    """Return a kill of an explorer while its evaluator does a job: the evaluator goes on, or is killed as well."""

    def tried(folder: Path) -> Verdict:
        drawn = random.Random(f"{setting.seed} explorer {number}")
        findings = Findings("kill -9 of the explorer on a terminal, whole program")
        home, store = Home.made(folder / "home", setting.home), folder / "s.duckdb"
        config = setting.study_config(setting.model)
        arguments = ["explore", "--model", str(setting.model), "--task", "agreement", "--store", str(store)]
        try:
            with on_terminal(arguments, home) as terminal:

                def strike() -> None:
                    time.sleep(drawn.uniform(0, _JOB_S))
                    if terminal.program.poll() is not None:
                        findings.wrong.append("the explorer had ended before the kill")
                    terminal.program.send_signal(signal.SIGKILL)
                    terminal.program.wait(_PATIENCE_S)

                if drawn.random() < 0.5:
                    view = study(store, config, strike)
                    findings.ending("the job goes on", None if view.state == "finished" else view.error or view.state)
                else:
                    begun(store, config, strike)
        except TimeoutError as error:
            findings.wrong.append(f"no evaluator, or its job did not end: {error}")
        finally:
            clean(store)
        for session in home.folder.glob("state/cornerstone/session-*.json"):
            with suppress(ValueError):
                json.loads(session.read_text(encoding="utf-8"))
                continue
            findings.wrong.append(f"{session.name} is not whole")
        _look_after(findings, setting, home, store)
        return findings.verdict()

    return tried


def _look_after(findings: Findings, setting: Setting, home: Home, store: Path) -> None:
    """Check what is stored, and that `cornerstone run` completes the study."""
    check_now(findings, store, ())
    arguments = ["run", *setting.study(setting.model), "--store", str(store)]
    expected = setting.undisturbed(setting.model).outcomes
    check_completed(findings, store, lambda: setting.cornerstone(home, *arguments), expected)


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal, and the program that runs on it."""

    program: subprocess.Popen[bytes]
    descriptor: int

    def type(self, keys: bytes) -> None:
        """Press keys."""
        with suppress(OSError):  # the program has ended
            os.write(self.descriptor, keys)


@contextmanager
def on_terminal(
    arguments: list[str], home: Home, shown: bytearray | None = None, changes: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    """Run the command on a terminal of 100 columns within the block.

    Args:
        arguments: of the command.
        home: whose environment it gets.
        shown: gets what the program shows.
        changes: environment variables that differ.
    """
    descriptor, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    program = subprocess.Popen(
        [*PROGRAM, *arguments],
        stdin=inner,
        stdout=inner,
        stderr=inner,
        cwd=home.folder,
        env={**home.environment, **(changes or {}), "PYTHONPATH": str(REPOSITORY)},
        start_new_session=True,
    )
    os.close(inner)
    reader = threading.Thread(target=_read_all, args=(descriptor, shown), daemon=True)
    reader.start()
    try:
        yield Terminal(program, descriptor)
    finally:
        program.kill()
        program.wait(_PATIENCE_S)
        reader.join(_PATIENCE_S)
        os.close(descriptor)


def _read_all(descriptor: int, shown: bytearray | None) -> None:
    """Read a terminal until its other end is closed, so that nobody waits to write to it."""
    with suppress(OSError):  # how Linux says that the other end is closed
        while part := os.read(descriptor, 65536):
            if shown is not None:
                shown += part
