"""A low limit on memory is told as what it is, and not as a broken installation or a damaged store."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import CornerstoneError
from core.machine.fault_log import in_words
from core.machine.memory_limit import limit_in_words, memory_limit, refuse_less
from tests.support.damaged_store import make_store
from tests.support.programs import PROGRAM, REPOSITORY


def _limited(megabytes: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command under a limit on memory, as ``ulimit -v`` sets it."""
    program = [*PROGRAM, *map(str, arguments)]
    code = f"import os, resource; resource.setrlimit(resource.RLIMIT_AS, ({megabytes * 10**6},) * 2); os.execv(*{{}})"
    started = [sys.executable, "-c", code.format((program[0], program))]
    return subprocess.run(started, capture_output=True, text=True, check=False, cwd=REPOSITORY)


def test_without_a_limit_nothing_is_refused() -> None:
    assert memory_limit() is None
    assert limit_in_words() == ""
    refuse_less(1e18, "anything")


def test_a_limit_is_worded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.machine.memory_limit.memory_limit", lambda: 600_000_000)
    assert limit_in_words() == "the memory limit of this process (ulimit -v, 0.60 GB)"
    refuse_less(5e8, "torch")
    with pytest.raises(CornerstoneError, match=r"0\.60 GB\) is too low: torch alone takes about 2 GB; raise it"):
        refuse_less(2e9, "torch")
    for error in (
        MemoryError(),
        ImportError("x.so: failed to map segment from shared object"),
        OSError(12, "Cannot allocate memory"),
        SystemError("returned NULL without setting an exception"),
        RuntimeError("can't start new thread"),
    ):
        assert "(ulimit -v, 0.60 GB) leaves too little" in in_words(error)
    assert "installation is broken" in in_words(ImportError("no module named 'torch'"))


@pytest.mark.parametrize("megabytes", [250, 400, 600, 1500])
def test_a_sound_store_is_never_called_damaged_for_lack_of_memory(tmp_path: Path, megabytes: int) -> None:
    store = make_store(tmp_path / "results.duckdb")
    done = _limited(megabytes, "store", "check", store)
    assert "is damaged" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if done.returncode:
        assert "(ulimit -v, " in done.stderr
    else:
        assert done.stdout == f"{store} is sound: 240 outcomes\n"


def test_a_run_that_could_not_load_its_libraries_is_refused(tmp_path: Path) -> None:
    arguments = ("run", "--task", "agreement", "--limit", 4, "--store", tmp_path / "s.duckdb", "--offline")
    done = _limited(1200, *arguments)
    assert done.returncode == 2, done.stderr
    said = done.stderr.splitlines()[-1]
    assert "(ulimit -v, 1.20 GB) is too low" in said
    assert not (tmp_path / "s.duckdb").exists()
