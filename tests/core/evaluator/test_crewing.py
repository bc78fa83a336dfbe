"""Jobs by workers in the evaluator: a toggle is evaluated by one of them meanwhile, and pauses and ends come soon."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.config.run_config import RunConfig
from core.evaluator.protocol import Cancel, Jobs, Pause, Resume, Scored, Toggle, Workers
from core.study.chunks import ChunkEvaluator
from core.workers.member import Member
from core.workers.messages import Done, Dropped, Failed, Refused, Work
from store.file.database import writing
from store.results import Results
from tests.core.evaluator.test_engine import PATIENCE_S, Running, open_task
from tests.support.evaluator_process import config_of, start
from tests.support.worker_threads import InThreads

pytestmark = pytest.mark.slow

LIMIT = 24
COALITIONS = 9


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "s.duckdb"
    with writing(path):
        return path


@pytest.fixture
def running(store: Path) -> Iterator[Running]:
    one = Running(store)
    one.start()
    yield one
    one.stop()


@pytest.fixture
def config(tiny_model_folder: Path) -> RunConfig:
    return config_of(tiny_model_folder, limit=LIMIT)


class Gate:
    """Has the workers wait before their chunks until it is opened, and notes what they evaluate aside."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.aside: list[tuple[str, ...]] = []
        self._open = threading.Event()
        aside = Member.aside

        def noted(member: Member, work: Work) -> Done | Refused | Failed | Dropped:
            self.aside.append(work.documents)
            return aside(member, work)

        monkeypatch.setattr(Member, "aside", noted)

    def wait(self) -> float:
        """Wait before a chunk until opened; as the pace of a worker."""
        assert self._open.wait(PATIENCE_S)
        return 0.0

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    one = Gate(monkeypatch)
    monkeypatch.setattr("core.evaluator.crewing.with_workers", InThreads(2, pace=one.wait))
    yield one
    one.open()


def at_work(running: Running) -> None:
    running.expect(Workers, lambda told: any(worker.doing == "evaluating" for worker in told.workers))


def completed(running: Running, store: Path) -> None:
    job = running.job(1, "finished", "failed")
    assert (job.state, job.done, job.error) == ("finished", LIMIT * COALITIONS, "")
    running.expect(Jobs, lambda jobs: jobs.unsaved == 0)
    assert all(row.n == LIMIT for row in Results(store).ablation().rows)


def test_a_toggle_during_a_job_is_evaluated_by_a_worker_while_the_chunks_wait(
    running: Running, config: RunConfig, store: Path, gate: Gate
) -> None:
    task = open_task(running, config)
    running.ask(start(config))
    at_work(running)
    running.ask(Toggle(task=task, removed=(0, 3)))
    scored = running.expect(Scored, lambda scored: scored.final)
    assert (scored.point.removed, scored.point.n) == ((0, 3), LIMIT)
    assert sum(map(len, gate.aside)) == LIMIT
    gate.open()
    assert running.expect(Workers, lambda told: told.workers == ()).job == 1
    completed(running, store)
    running.ask(Toggle(task=task, removed=(0, 4)))
    assert running.expect(Scored, lambda scored: scored.final and scored.point.removed == (0, 4)).point.n == LIMIT
    assert sum(map(len, gate.aside)) == LIMIT, "without workers the evaluator does it itself"


def test_documents_that_the_workers_do_not_have_are_toggled_here(
    running: Running, config: RunConfig, store: Path, gate: Gate
) -> None:
    running.ask(start(config))
    at_work(running)
    other = open_task(running, config_of(config.model, "capitals"))
    running.ask(Toggle(task=other, removed=(0, 3)))
    assert running.expect(Scored, lambda scored: scored.final).task == other
    assert gate.aside == []
    gate.open()
    completed(running, store)


def test_a_paused_job_stands_still_answers_toggles_and_loses_nothing(
    running: Running, config: RunConfig, store: Path, gate: Gate
) -> None:
    task = open_task(running, config)
    running.ask(start(config))
    at_work(running)
    running.ask(Pause(job=1))
    assert running.job(1, "paused").done == 0
    running.ask(Toggle(task=task, removed=(1, 2)))
    gate.open()
    assert running.expect(Scored, lambda scored: scored.final).point.n == LIMIT
    assert running.job(1, "paused").done == 0
    running.ask(Resume(job=1))
    completed(running, store)


def test_a_cancelled_job_ends_while_its_chunks_are_in_hand(running: Running, config: RunConfig, gate: Gate) -> None:
    running.ask(start(config))
    at_work(running)
    running.ask(Cancel(job=1))
    assert running.expect(Workers, lambda told: told.workers == ()).job == 1
    assert running.job(1, "cancelled").ended is not None


def test_with_a_real_ray_a_toggle_is_evaluated_by_a_worker(
    running: Running, config: RunConfig, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed (pip install 'cornerstone[ray]')")
    monkeypatch.setattr("tests.core.evaluator.test_engine.PATIENCE_S", 600.0)
    here: list[int] = []
    missing = ChunkEvaluator.missing

    def noted(evaluator: ChunkEvaluator, *args: object, **kwargs: object) -> object:
        here.append(1)
        return missing(evaluator, *args, **kwargs)  # type: ignore[arg-type]

    many = config.model_copy(update={"limit": 120, "schedule": ("windows",), "workers": 1})
    task = open_task(running, many)
    monkeypatch.setattr(ChunkEvaluator, "missing", noted)
    running.ask(start(many))
    running.expect(Workers, lambda told: any(worker.doing == "evaluating" for worker in told.workers))
    running.ask(Pause(job=1), Toggle(task=task, removed=(0, 3)))
    scored = running.expect(Scored, lambda scored: scored.final)
    assert (scored.point.removed, scored.point.n, here) == ((0, 3), 120, [])
    running.ask(Resume(job=1))
    job = running.job(1, "finished", "failed")
    assert (job.state, job.error, job.done) == ("finished", "", job.total)
