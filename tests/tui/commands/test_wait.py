"""Commands wait for a store that another program holds, say so, and end in a sentence when the time is over."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.support.programs import MAIN, Program, cornerstone
from tests.support.store_holder import held
from tests.support.store_records import assignment, documents, keep, outcome
from tui.commands.app import app


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "s.duckdb"
    keep(path, assignment(documents([0]), [()]), [outcome("doc-0")])
    return path


@pytest.mark.parametrize("wait", ["inf", "-inf", "nan", "1e300", "-1", "604801", "soon", "", "1s"])
@pytest.mark.parametrize("command", ["run", "path", "proxies"])
def test_a_wait_that_is_no_time_is_refused(command: str, wait: str) -> None:
    done = CliRunner().invoke(app, [command, "--task", "agreement", f"--wait={wait}"])
    assert done.exit_code == 2
    assert "is no number of seconds from 0 to 604800" in " ".join(done.output.replace("│", " ").split())


@pytest.mark.slow
def test_a_run_does_not_wait_where_it_is_told_not_to(store: Path, tiny_model_folder: Path) -> None:
    with held(store):
        done = cornerstone(
            "run", "--model", tiny_model_folder, "--task", "agreement", "--limit", "2", "--store", store, "--wait", "0"
        )
    assert done.returncode == 2
    last = done.stderr.strip().splitlines()[-1]
    assert "in use by another program (process" in last
    assert "--wait SECONDS" in last
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["results", pytest.param("paper", marks=pytest.mark.slow)])
def test_a_command_that_reads_says_that_it_waits_and_for_whom(store: Path, command: str) -> None:
    arguments = ["results", "runs"] if command == "results" else ["paper", "--task", "capitals"]
    with held(store):
        program = Program([*MAIN, *arguments, "--store", str(store)])
        while "waiting for it" not in program.said():
            assert program.runs(), program.wait()
            time.sleep(0.05)
    try:
        done = program.wait(240)
    finally:
        program.end()
    assert "waiting for it, 30 s at most" in done.stderr
    assert "another program (process" in done.stderr
    assert done.stderr.count("waiting for it") == 1
