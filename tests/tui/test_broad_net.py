"""Whatever goes through all sentences ends in one, with exit code 1 and a log; nowhere is a traceback."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.programs import PROGRAM, REPOSITORY

SENTENCE = re.compile(
    r"cornerstone: .*\(ZeroDivisionError: division by zero\); the traceback is in (\S+), please report .*\n"
)
FAULTS = {
    "a fault of a command": "f = lambda: 1/0",
    "a fault of a thread": "def f():\n t = threading.Thread(target=lambda: 1/0); t.start(); t.join()",
    "a task that nobody awaits": (
        "async def bad(): 1/0\n"
        "async def go():\n asyncio.ensure_future(bad()); await asyncio.sleep(0.1); gc.collect()\n"
        "f = lambda: asyncio.run(go())"
    ),
}


def ended(code: str, *arguments: str, command: str = "models") -> subprocess.CompletedProcess[str]:
    """Run a command whose work is the function ``f`` of ``code``."""
    program = (
        f"import sys, threading, asyncio, gc, warnings\nsys.argv = {['cornerstone', command, *arguments]!r}\n{code}\n"
        "import tui.commands.models\ntui.commands.models.print_models = lambda **_: f()\n"
        "from tui.cli import main\nmain()"
    )
    return python(program)


def installed(code: str) -> subprocess.CompletedProcess[str]:
    """Run a command in an installation that ``code`` has changed."""
    return python(f"import sys\n{code}\nsys.argv = ['cornerstone', 'models']\nfrom tui.cli import main\nmain()")


def python(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
        timeout=240,
        env={**os.environ, "HF_TOKEN": "hf_secret"},
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_nobody_foresaw_is_one_sentence_and_a_log(fault: str) -> None:
    done = ended(FAULTS[fault])
    found = SENTENCE.fullmatch(done.stderr)
    assert found is not None, done.stderr
    log = Path(found[1]).read_text()
    assert "Traceback" in log
    assert "hf_secret" not in log
    assert done.returncode == (1 if fault == "a fault of a command" else 0)


def test_debug_shows_the_traceback_of_any_command() -> None:
    done = ended(FAULTS["a fault of a command"], "--debug")
    assert done.returncode == 1
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")
    assert "Traceback" in done.stderr


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def f(): return f()", "RecursionError: maximum recursion"),
        ("def f(): raise MemoryError", "there is not enough memory for this (MemoryError)"),
        ("sys.modules['typer'] = None", "the installation is broken (ModuleNotFoundError: import of typer"),
        ("sys.modules['numpy'] = None", "the installation is broken (ModuleNotFoundError"),
    ],
)
def test_the_net_holds_where_little_else_does(code: str, said: str) -> None:
    broken = code.startswith("sys.modules")
    done = installed(code) if broken else ended(code)
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.returncode == 1


@pytest.mark.parametrize(
    "code",
    ["class D:\n def __del__(self): 1/0\nf = D", "import atexit\nf = lambda: atexit.register(lambda: 1/0)"],
)
def test_a_fault_in_a_destructor_or_at_exit_is_only_logged(code: str, tmp_path: Path) -> None:
    done = ended(code)
    assert (done.returncode, done.stderr) == (0, "")
    (log,) = (tmp_path / "state" / "cornerstone" / "faults").iterdir()
    assert "ZeroDivisionError" in log.read_text()


def test_warnings_of_libraries_disturb_nobody() -> None:
    done = ended("def f(): warnings.warn('odd')")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_ctrl_c_at_any_moment_is_one_line() -> None:
    seen = []
    for delay in (0.3, 0.5, 0.7, 0.9):
        with subprocess.Popen(
            [*PROGRAM, "models"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY
        ) as program:
            time.sleep(delay)
            program.send_signal(signal.SIGINT)
            said = program.communicate(timeout=240)[1]
        seen.append((program.returncode, said))
    # One may come while Python itself starts, before any line of ours, or when all is done.
    ours = [one for one in seen if one[0] == 130]
    assert all(said == "cornerstone: stopped by Ctrl+C (SIGINT)\n" for _, said in ours), seen
    assert all("tui" not in said for code, said in seen if code not in {0, 130}), seen
