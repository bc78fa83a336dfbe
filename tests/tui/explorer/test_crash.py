"""An explorer that fails gives the terminal back and says one sentence; the traceback and its values stay out of it."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.support.programs import REPOSITORY

LONGEST_S = 240.0
LEFT_SCREEN = b"\x1b[?1049l"

FAULTS = {
    "a screen": (
        "import tui.explorer.screens.explore as screen\n"
        "def compose(self):\n secret = 'hunter2'\n raise ValueError('no screen')\n"
        "screen.ExploreScreen.compose = compose"
    ),
    "a worker": (
        "from textual import work\nimport tui.explorer.app as app\n"
        "@work\nasync def listen(self):\n secret = 'hunter2'\n raise ValueError('no screen')\n"
        "app.Explorer.listen = listen"
    ),
}


def ended(code: str, store: Path) -> tuple[int, bytes, bool]:
    """Run the explorer in a terminal; return its exit code, what it printed, and whether the terminal is as before."""
    program = (
        f"import sys\n{code}\nsys.argv = ['cornerstone', '--store', {str(store)!r}]\nimport tui.cli\ntui.cli.main()"
    )
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=REPOSITORY,
        env={**os.environ, "TERM": "xterm-256color"},
        start_new_session=True,
    )
    printed, deadline = b"", time.monotonic() + LONGEST_S
    try:
        while (ready := select.select([ours], [], [], 0.2)[0]) or process.poll() is None:
            assert time.monotonic() < deadline, "it does not end"
            printed += os.read(ours, 65536) if ready else b""
        return process.wait(), printed, termios.tcgetattr(theirs) == before
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_explorer_is_one_sentence_on_a_terminal_that_works(fault: str, tmp_path: Path) -> None:
    code, printed, restored = ended(FAULTS[fault], tmp_path / "s.duckdb")
    screen, left, said = printed.rpartition(LEFT_SCREEN)
    assert (code, restored, left) == (1, True, LEFT_SCREEN)
    assert said.count(b"cornerstone: ") == said.count(b"\n") == 1
    assert b"(ValueError: no screen); the traceback is in " in said
    assert b"hunter2" not in screen + said
    (log,) = (tmp_path / "state" / "cornerstone" / "faults").iterdir()
    assert "Traceback" in log.read_text()
