"""Workers by a real Ray on this machine: equal stores whoever is killed, nothing left behind, nobody let in."""

from __future__ import annotations

import importlib.util
import json
import random
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.machine.runtime_folder import runtime_folder
from store.results import Results
from tests.faults.stored import changed, lost, stored, unexpected
from tests.support.programs import MAIN, Program
from tests.support.ray_processes import busy_workers, family, listening, survivors, workers

pytestmark = pytest.mark.slow

_START_S = 600.0
_END_S = 240.0
_KILLED_END_S = 300.0
"""Ray's agents first try to tell those that are gone already, for a minute and more."""
_NO_START = "Ray cannot be started on this machine"
LIMIT = 120
LONGEST = 5
OUTCOMES = LIMIT * (1 + 8 + 7 + 6 + 5 + 4)
"""Seconds of work, so that a worker is seen at it and struck before it has ended."""
# Ends the process of whoever really evaluates the document, and not of those who try its scoring with -1.
_DEADLY = """
import os


def scored(doc, results):
    if doc["question"].startswith("DEADLY") and all(logprob != -1.0 for logprob, _ in results):
        os._exit(9)
    best = max(range(len(results)), key=lambda at: results[at][0])
    return {"acc": float(best == doc["answer"])}
"""
_TASK = """
task: deadly
dataset_path: json
dataset_kwargs:
  data_files: {data}
test_split: train
output_type: multiple_choice
doc_to_text: "{{{{question}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: answer
process_results: !function deadly.scored
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
"""


def ray_is_there() -> None:
    """Skip where it is not."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed (pip install 'cornerstone[ray]')")


@pytest.fixture(autouse=True)
def _with_ray() -> None:
    ray_is_there()


class Run:
    """A `cornerstone run` of its own, on a store of its own."""

    def __init__(self, model: Path, store: Path, *more: str, task: str = "agreement") -> None:
        asked = ["run", "--model", str(model), "--task", task, "--limit", str(LIMIT), "--schedule", "windows"]
        self.program = Program(
            [*MAIN, *asked, "--max-removed", str(LONGEST), "--store", str(store), *more],
            folder=store.parent,
            whole=True,
        )
        self.store = store

    def at_work(self) -> list[psutil.Process]:
        """Wait until a worker evaluates, and return those that do."""
        if not (found := busy_workers(self.program.pid, _START_S)):
            pytest.fail(f"no worker was seen at work; the run said: {self.done()}")
        return found

    def done(self, code: int = 0, seconds: float = _START_S) -> str:
        """Wait for its end, and return what it said."""
        done = self.program.wait(seconds)
        if _NO_START in done.stderr:
            pytest.skip(f"this machine is too busy for Ray's own programs: {done.stderr.splitlines()[-1]}")
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr


@pytest.fixture
def runs() -> Iterator[list[Run]]:
    begun: list[Run] = []
    yield begun
    for run in begun:
        below = family(run.program.pid)
        run.program.end()
        assert survivors(below, _END_S) == []


def same(found: Path, expected: Path) -> None:
    one, other = stored(found), stored(expected)
    assert one.repeated == lost(other.outcomes, one) == changed(other.outcomes, one) == 0
    assert unexpected(other.outcomes, one) == 0


@pytest.fixture(scope="module")
def alone(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("alone") / "s.duckdb"
    Run(tiny_model_folder, store).done()
    assert len(stored(store).outcomes) == OUTCOMES
    return store


def test_three_workers_store_what_one_process_does_on_loopback_alone(
    tiny_model_folder: Path, tmp_path: Path, alone: Path, runs: list[Run]
) -> None:
    runs.append(run := Run(tiny_model_folder, tmp_path / "s.duckdb", "--workers", "3"))
    pid = run.program.pid
    assert run.at_work()
    assert len(workers(pid)) == 3
    below = family(pid)
    assert {address.removeprefix("::ffff:") for address in listening(below)} == {"127.0.0.1"}
    folder = runtime_folder() / f"ray-{pid}"
    assert folder.exists()
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700  # Ray widens the mode of its own
    said = run.done()
    assert "3 workers on this machine" in said
    assert "(raylet)" not in said
    same(run.store, alone)
    (row,) = Results(run.store).runs().rows
    assert row.state == "finished"
    assert survivors(below, _END_S) == []
    assert not folder.exists()


def test_a_killed_worker_costs_its_chunk_in_hand_and_nothing_else(
    tiny_model_folder: Path, tmp_path: Path, alone: Path, runs: list[Run]
) -> None:
    runs.append(run := Run(tiny_model_folder, tmp_path / "s.duckdb", "--workers", "2"))
    random.Random(0).choice(run.at_work()).kill()
    said = run.done()
    assert "was lost (its process ended)" in said
    same(run.store, alone)


def test_a_killed_driver_leaves_no_process_and_the_next_run_completes_the_store(
    tiny_model_folder: Path, tmp_path: Path, alone: Path, runs: list[Run]
) -> None:
    runs.append(run := Run(tiny_model_folder, tmp_path / "s.duckdb", "--workers", "2"))
    assert run.at_work()
    below = family(run.program.pid)
    run.program.signal(signal.SIGKILL)
    assert survivors(below, _KILLED_END_S) == []
    left = runtime_folder() / f"ray-{run.program.pid}"
    runs.append(again := Run(tiny_model_folder, run.store, "--workers", "2"))
    again.done()
    same(run.store, alone)
    assert not left.exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_says_so_and_leaves_no_process(
    tiny_model_folder: Path, tmp_path: Path, runs: list[Run], number: signal.Signals, code: int
) -> None:
    runs.append(run := Run(tiny_model_folder, tmp_path / "s.duckdb", "--workers", "2"))
    assert run.at_work()
    below = family(run.program.pid)
    run.program.signal(number)
    assert "stopped by" in run.done(code, _END_S)
    assert survivors(below, _END_S) == []
    (row,) = Results(run.store).runs().rows
    assert row.state == "stopped"


def test_a_document_that_ends_every_worker_is_named_and_skipped(
    tiny_model_folder: Path, tmp_path: Path, runs: list[Run]
) -> None:
    rows = [
        {"question": f"{'DEADLY' if number == 3 else 'How many'} {number}?", "choices": ["one", "two"], "answer": 0}
        for number in range(LIMIT)
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "deadly.py").write_text(_DEADLY)
    task = tmp_path / "deadly.yaml"
    task.write_text(_TASK.format(data=tmp_path / "rows.jsonl"))
    runs.append(
        run := Run(tiny_model_folder, tmp_path / "s.duckdb", "--workers", "2", "--trust-task-code", task=str(task))
    )
    said = run.done(1)
    assert "cornerstone: incomplete, " in said
    (name,) = {row.task for row in Results(run.store).coalitions().rows}
    assert name == "deadly"
    documents = {document for _, _, document, _ in stored(run.store).outcomes}
    (count,) = {int(word) for word in said.split("incomplete, ")[1].split()[:1]}
    assert len(documents) == LIMIT - count
    assert 0 < count < LIMIT / 2
