"""A machine of the cluster is lost while it evaluates: the study goes on without it, or on one that joins later."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.core.workers.test_ray import ray_is_there, same
from tests.faults.stored import stored
from tests.support.programs import Program
from tests.support.ray_cluster import Nodes, nodes_of

pytestmark = pytest.mark.slow

_PATIENCE_S = 240.0
_STUDY = ("--limit", "120", "--max-removed", "5")
_OUTCOMES = 120 * (1 + 8 + 7 + 6 + 5 + 4)


@pytest.fixture
def nodes(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    ray_is_there()
    with nodes_of(tiny_model_folder, tmp_path_factory.mktemp("nodes"), ("first", "second", "third")) as found:
        yield found


@pytest.fixture
def stopped() -> Iterator[list[psutil.Process]]:
    """Keep workers that were stopped; they end with the test."""
    kept: list[psutil.Process] = []
    yield kept
    for worker in kept:
        _kill(worker)


@pytest.mark.parametrize("joins", [False, True], ids=["nobody joins", "another joins"])
def test_a_lost_machine_costs_its_chunk_in_hand_and_the_study_goes_on(
    joins: bool, nodes: Nodes, stopped: list[psutil.Process], tmp_path: Path
) -> None:
    run = nodes.begin(tmp_path / "s.duckdb", *_STUDY, "--ray", nodes.address)
    try:
        # Both stand still with a chunk in hand, so that neither ends it before its machine is lost.
        for name in ("first", "second"):
            stopped += _stopped_at_work(nodes, name, run)
        nodes.tell("lose", "second")
        _wait(lambda: "was lost" in run.said(), run)
        _kill(stopped.pop())
        if joins:
            nodes.tell("add", "third")
            _wait(lambda: bool(nodes.busy("third")), run)
        stopped.pop().resume()
        done = run.wait(_PATIENCE_S)
    finally:
        run.end()
    assert done.returncode == 0, done.stderr
    # Ray may tell of the process before it tells of its machine.
    why = r"\((its machine is gone|its process ended)\)"
    assert re.search(rf"worker \d on \S+ was lost {why}; its chunk is done again", done.stderr)
    rates = re.findall(r"^worker \d.*outcomes.*$", done.stderr, re.MULTILINE)
    assert len(rates) == 2 if joins else len(rates) >= 1
    alone = nodes.begin(tmp_path / "alone.duckdb", *_STUDY)
    try:
        assert alone.wait(_PATIENCE_S).returncode == 0
    finally:
        alone.end()
    assert len(stored(tmp_path / "alone.duckdb").outcomes) == _OUTCOMES
    same(tmp_path / "s.duckdb", tmp_path / "alone.duckdb")


def _kill(worker: psutil.Process) -> None:
    """End a worker, which may have ended with its node."""
    with suppress(psutil.NoSuchProcess):
        worker.kill()


def _stopped_at_work(nodes: Nodes, name: str, run: Program) -> list[psutil.Process]:
    """Stop the worker of a node while it evaluates a chunk, and return it."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline and run.runs():
        for worker in nodes.busy(name):
            worker.suspend()
            if nodes.busy(name) == [worker]:
                return [worker]
            worker.resume()
        time.sleep(0.01)
    pytest.fail(f"no worker of the {name} node was seen at work; the run said: {run.said()}")


def _wait(until: Callable[[], bool], run: Program) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not until():
        if time.monotonic() > deadline or not run.runs():
            pytest.fail(f"it did not come to that; the run said: {run.said()}")
        time.sleep(0.01)
