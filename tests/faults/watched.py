"""Run a program under a bound on time and memory, and say if it went beyond."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from tests.faults.home import Home
from tests.support.programs import Program

MOST_S: Final = 10.0
_MOST_BYTES = 10**9
_LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Watched:
    """How a program ended, and what was wrong on the way; None if it kept the bounds."""

    ended: subprocess.CompletedProcess[str]
    problem: str | None


def watched(arguments: list[str], home: Home, environment: Mapping[str, str], *, whole: bool) -> Watched:
    """Run a Python in a home until it ends; kill it at a bound on time or memory."""
    begun = time.monotonic()
    program = Program(arguments, folder=home.folder, environment={**home.environment, **environment}, whole=whole)
    problem = None
    queued = 0.0
    try:
        while program.runs() and problem is None:
            time.sleep(_LOOK_EVERY_S)
            queued = max(queued, _queued_s(program.pid))
            if (size := _size(program.pid)) > _MOST_BYTES:
                problem = f"more than {size / 1e9:.1f} GB"
            elif (took := time.monotonic() - begun - queued) > MOST_S:
                problem = f"more than {took:.0f} s"
        if problem is not None:
            _end_children(program.pid)
            program.signal(9)
        return Watched(program.wait(), problem)
    finally:
        program.end()


def _queued_s(pid: int) -> float:
    """Return how long a process has waited for a free core, which is the fault of other programs (0 if unknown)."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except OSError:
        return 0.0


def _size(pid: int) -> int:
    """Return the bytes that a process and its children have for themselves: what forks share counts for none."""
    try:
        family = [process := psutil.Process(pid), *process.children(recursive=True)]
        return sum(int(one.memory_full_info().uss) for one in family)
    except psutil.Error:
        return 0


def _end_children(pid: int) -> None:
    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return
    for child in children:
        child.kill()
