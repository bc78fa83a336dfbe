"""Bad inputs of the generators: each is one sentence and exit code 2, at once, and changes nothing."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from core.tasks.index import lm_eval_tasks
from tests.support.bad_input import BadInput
from tests.support.bad_inputs import bad_inputs
from tests.support.programs import MAIN, Program

SAMPLE = 45
LONGEST_S = 240.0
"""A guard against hanging; an idle machine takes less than a second."""


def contents(folder: Path) -> dict[str, int]:
    return {str(path): path.lstat().st_size for path in folder.rglob("*")}


def faults_of(one: BadInput, folder: Path) -> list[str]:
    """Run a bad input, and return what is wrong with the way in which it is refused."""
    before = contents(folder)
    program = Program([*MAIN, *one.argv], folder=folder, environment={**os.environ, **one.environment})
    try:
        done = program.wait(LONGEST_S)
    finally:
        program.end()
    lines = done.stderr.splitlines()
    found = []
    if done.returncode != 2:
        found.append(f"exit code {done.returncode}")
    if done.stdout or len(lines) != 1 or not lines[0].startswith("cornerstone: ") or not lines[0].isprintable():
        found.append("no single sentence")
    if len(done.stderr) > 4100:
        found.append("a sentence without end")
    if contents(folder) != before:
        found.append("something was changed")
    return [f"{one.name}: {', '.join(found)}: {done.stderr[-300:]}"] if found else []


def refused(inputs: list[BadInput], folder: Path) -> None:
    found = [fault for one in inputs for fault in faults_of(one, folder)]
    assert not found, "\n".join(found)


@pytest.fixture(scope="module")
def _known_tasks() -> None:
    """Read lm-eval's tasks, which is done once, and said by whoever does it."""
    lm_eval_tasks()


@pytest.fixture
def folder(_known_tasks: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "inputs").mkdir()
    monkeypatch.chdir(tmp_path / "inputs")
    return tmp_path / "inputs"


@pytest.mark.slow
def test_a_sample_of_bad_inputs_is_refused(folder: Path) -> None:
    inputs = list(bad_inputs(0, folder))
    assert len({one.name for one in inputs}) > 250
    refused(random.Random(0).sample(inputs, SAMPLE), folder)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_all_bad_inputs_are_refused(seed: int, folder: Path) -> None:
    refused(list(bad_inputs(seed, folder)), folder)


def test_the_same_seed_gives_the_same_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def made(seed: int, name: str) -> list[tuple[str, ...]]:
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        return [tuple(part.replace(name, "") for part in one.argv) for one in bad_inputs(seed, tmp_path / name)]

    first = made(5, "first")
    assert made(5, "again") == first
    assert made(6, "other") != first
