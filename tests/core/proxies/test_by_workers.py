"""Proxies by workers: the numbers of one process, whoever is lost, and documents that always fail are named."""

from __future__ import annotations

import importlib.util
import json
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from core.config.run_config import RunConfig, load_config
from core.proxies.rows import ProxyRow
from core.proxies.study import OfTask, check_proxies
from core.records.memory_recorder import MemoryRecorder
from core.study.listener import SILENT, Callbacks
from core.study.worker_view import WorkerView
from core.workers.messages import Work
from tests.support.programs import cornerstone
from tests.support.worker_threads import InThreads

LIMIT = 9


@pytest.fixture
def config(tiny_model_folder: Path) -> RunConfig:
    return load_config(None, {"model": str(tiny_model_folder), "tasks": ["agreement", "capitals"], "limit": LIMIT})


def same(found: Sequence[dict[str, Any]], expected: Sequence[dict[str, Any]]) -> bool:
    assert len(found) == len(expected) > 0
    for one, other in zip(found, expected, strict=True):
        assert one.keys() == other.keys()
        assert one == pytest.approx(other, abs=1e-6, nan_ok=True)
    return True


def test_they_are_those_of_one_process_though_workers_are_lost_and_end_out_of_order(config: RunConfig) -> None:
    draw, lost = random.Random(0), Counter[int]()
    done: list[float] = []
    told: list[Sequence[WorkerView]] = []

    def loses(work: Work) -> bool:
        lost[work.number] += work.number in {1, 4}
        return lost[work.number] == 1

    def rows(of: Sequence[ProxyRow]) -> list[dict[str, Any]]:
        return [asdict(row) for row in of]

    crew = InThreads(2, loses, lambda: draw.uniform(0, 0.05))
    listener = Callbacks(on_batch=done.append, on_workers=told.append)
    found = check_proxies(config, None, MemoryRecorder(), listener, crew)
    assert same(rows(found.proxies), rows(check_proxies(config, None, MemoryRecorder(), SILENT).proxies))
    assert [each.fill for each in found.gaps if isinstance(each.fill, RunConfig)]
    assert len(crew.said) == 2
    assert "its chunk is done again" in crew.said[0]
    assert max(done) == LIMIT
    assert sum(worker.outcomes for worker in told[-1]) == 2 * LIMIT
    assert {worker.counts for worker in told[-1]} == {"document"}


def test_documents_that_always_fail_are_named_and_left_out(config: RunConfig) -> None:
    tried = Counter[tuple[str, ...]]()

    bad: list[str] = []

    def loses(work: Work) -> bool:
        if len(tried) == 2 and work.documents not in tried:
            bad.extend(work.documents)
        tried[work.documents] += 1
        return bool(bad) and work.documents[0] == bad[0]

    kept: list[OfTask] = []
    found = check_proxies(config, None, MemoryRecorder(), SILENT, InThreads(1, loses), kept.append)
    assert tried[tuple(bad)] == 3
    assert not found.complete
    assert [task.skipped is None for task in kept] == [False, True]
    said = str(found.gaps[0])
    assert re.match(r"incomplete, 3 documents of agreement \(number .*\): every attempt to measure them failed", said)
    # The others are what one process finds of them.
    assert {(row.task, row.n) for row in found.proxies} == {("agreement", LIMIT - len(bad)), ("capitals", LIMIT)}
    alone = check_proxies(config, None, MemoryRecorder(), SILENT)
    assert same([asdict(row) for row in found.tasks[1].proxies], [asdict(row) for row in alone.tasks[1].proxies])
    of_bad = found.tasks[0].proxies[0].block_influence
    assert of_bad != pytest.approx(alone.tasks[0].proxies[0].block_influence, abs=1e-9)


@pytest.mark.slow
def test_with_a_real_ray_the_command_prints_the_same(tiny_model_folder: Path, tmp_path: Path) -> None:
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed (pip install 'cornerstone[ray]')")
    asked = ["proxies", "--model", tiny_model_folder, "--task", "agreement", "--limit", str(LIMIT)]
    asked += ["--store", tmp_path / "s.duckdb", "--format", "json"]
    alone = cornerstone(*asked)
    crewed = cornerstone(*asked, "--workers", "2")
    if "Ray cannot be started on this machine" in crewed.stderr:
        pytest.skip(f"this machine is too busy for Ray's own programs: {crewed.stderr.splitlines()[-1]}")
    assert (alone.returncode, crewed.returncode) == (0, 0), crewed.stderr
    assert same(json.loads(crewed.stdout), json.loads(alone.stdout))
    assert "starting 2 workers on this machine" in crewed.stderr
    assert " documents" in crewed.stderr.splitlines()[-1]
