"""Output that is full, closed, read in part, or of an encoding that lacks characters."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.programs import PROGRAM, REPOSITORY

COMMANDS = ("models", "--help", "keys", "--version")


def shell(command: str, redirected: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of ours in a shell, with redirections."""
    line = f'"$@" {command} {redirected}; exit ${{PIPESTATUS[0]}}'
    return subprocess.run(
        ["bash", "-c", line, "bash", *PROGRAM],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
        timeout=240,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("redirected", "reason"), [("> /dev/full", "No space left"), (">&-", "it is closed")])
def test_output_that_cannot_be_written_is_one_sentence(command: str, redirected: str, reason: str) -> None:
    done = shell(command, redirected)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == done.stderr.splitlines()[-1]
    assert done.stderr.startswith("cornerstone: cannot write to stdout: ")
    assert reason in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_that_goes_ends_the_program_quietly(command: str) -> None:
    done = shell(command, "| true")
    assert done.returncode in {0, 141}  # a short text may be written before the reader is gone
    assert "Error" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.slow
def test_a_long_output_ends_as_by_sigpipe() -> None:
    done = shell("keys", "2>/dev/null | (exec <&-; sleep 3)")
    assert (done.returncode, done.stderr) == (141, "")


def test_closed_stderr_and_stdin_do_not_matter() -> None:
    done = shell("models", "<&- 2>&-")
    assert done.returncode == 0
    assert "smollm2-135m-instruct" in done.stdout


def test_no_file_of_ours_gets_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    code = "from tui.streams import safe_streams; safe_streams(); print(open('f', 'w').fileno())"
    done = subprocess.run(
        ["bash", "-c", 'exec "$0" -c "$1" <&- 2>&-', PROGRAM[0], code],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        timeout=240,
    )
    assert int(done.stdout) > 2


@pytest.mark.slow
def test_characters_that_the_encoding_lacks_are_replaced() -> None:
    done = shell("results runs --help", "", PYTHONIOENCODING="ascii", LANG="C")
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "store" in done.stdout
    done = shell("run --task 'café'", "", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr.isascii()) == (2, True)


@pytest.mark.parametrize("size", ["²", "0", "-3", "x", "9" * 20, ""])
def test_no_size_of_a_terminal_is_too_odd(size: str) -> None:
    done = shell("--help", "", COLUMNS=size, LINES=size)
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 100
