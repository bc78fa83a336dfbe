"""A program gives way by its own niceness and, where Linux shares processors out among sessions, by its session's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_SAY = """
import os
from pathlib import Path
from core.machine.priority import give_way
before = os.nice(0)
give_way(3)
group = Path("/proc/self/autogroup")
print(os.nice(0) - before, *(group.read_text().split()[-1:] if group.exists() else []))
"""


LOWER = str(min(3, 19 - os.nice(0)))
"""By how much: these tests may have the lowest priority already."""


def said(*, own_session: bool) -> list[str]:
    command = [sys.executable, "-c", _SAY]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, start_new_session=own_session
    ).stdout.split()


def test_a_process_gives_way() -> None:
    assert said(own_session=False)[0] == LOWER


def test_a_session_of_its_own_gives_way_too() -> None:
    if not Path("/proc/self/autogroup").exists():
        pytest.skip("this kernel has no autogroups")
    assert said(own_session=True) == [LOWER, "3"]


def test_the_session_of_somebody_else_stays_as_it_is() -> None:
    if not Path("/proc/self/autogroup").exists():
        pytest.skip("this kernel has no autogroups")
    before = Path("/proc/self/autogroup").read_text(encoding="ascii")
    said(own_session=False)
    assert Path("/proc/self/autogroup").read_text(encoding="ascii") == before
