"""Jobs by workers in the evaluator: a toggle is evaluated by one of them meanwhile, and pauses and ends come soon."""

from __future__ import annotations

import importlib.util
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.config.run_config import RunConfig
from core.evaluator import crewing
from core.evaluator.protocol import (
    Cancel,
    Event,
    Jobs,
    Open,
    Pause,
    Refusal,
    Resume,
    Scored,
    StartJob,
    Toggle,
    Workers,
)
from core.findings.files import read_findings
from core.proxies.request import MeasureProxies
from core.study.chunks import ChunkEvaluator
from core.study.listener import Listener
from core.study.workbench import Workbench
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
WORKERS = 2


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
    """Has the workers wait before their chunks until it is opened, and notes what they evaluate."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.aside: list[tuple[str, ...]] = []
        self._open = threading.Event()
        self.ended: list[int] = []
        self.holds = threading.Semaphore(0)
        aside, evaluate, hold = Member.aside, Member.evaluate, Member.hold

        def holding(member: Member, held: bool) -> None:
            hold(member, held)
            if held:
                self.holds.release()

        def evaluated(member: Member, work: Work) -> Done | Refused | Failed | Dropped:
            reply = evaluate(member, work)
            self.ended.append(work.number)
            return reply

        def noted(member: Member, work: Work) -> Done | Refused | Failed | Dropped:
            self.aside.append(work.documents)
            return aside(member, work)

        monkeypatch.setattr(Member, "aside", noted)
        monkeypatch.setattr(Member, "evaluate", evaluated)
        monkeypatch.setattr(Member, "hold", holding)

    def wait(self) -> float:
        """Wait before a chunk until opened; as the pace of a worker."""
        assert self._open.wait(PATIENCE_S)
        return 0.0

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    one = Gate(monkeypatch)
    monkeypatch.setattr("core.evaluator.crewing.with_workers", InThreads(WORKERS, pace=one.wait))
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


def test_proxies_are_measured_by_workers_of_which_one_evaluates_a_toggle_meanwhile(
    running: Running, config: RunConfig, store: Path, gate: Gate
) -> None:
    task = open_task(running, config)
    running.ask(StartJob(config=config, command="c", special=MeasureProxies()))
    at_work(running)
    running.ask(Toggle(task=task, removed=(0, 3)))
    assert running.expect(Scored, lambda scored: scored.final).point.n == LIMIT
    assert sum(map(len, gate.aside)) == LIMIT
    gate.open()
    assert running.expect(Workers, lambda told: told.workers == ()).job == 1
    job = running.job(1, "finished", "failed")
    assert (job.state, job.done, job.error) == ("finished", LIMIT, "")
    assert len(gate.ended) > 1
    (found,) = read_findings(store).proxies
    assert {row.n for row in found.rows} == {LIMIT}


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


def test_no_other_model_is_opened_while_the_workers_of_a_job_start(
    running: Running, config: RunConfig, store: Path, tiny_model_folder: Path, tmp_path: Path, gate: Gate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    other = shutil.copytree(tiny_model_folder, tmp_path / "other")
    hired = crewing.with_workers

    @contextmanager
    def late(bench: Workbench, asked: RunConfig, listener: Listener) -> Iterator[Workbench]:
        running.ask(Open(config=config_of(other, limit=LIMIT)))
        for _ in range(3):
            listener.on_batch(0.0)
        with hired(bench, asked, listener) as crewed:
            yield crewed

    monkeypatch.setattr(crewing, "with_workers", late)
    running.ask(start(config))
    assert "is being swept" in running.expect(Refusal).text
    gate.open()
    completed(running, store)


def test_a_paused_job_stands_still_answers_toggles_and_loses_nothing(
    running: Running, config: RunConfig, store: Path, gate: Gate
) -> None:
    task = open_task(running, config)
    running.ask(start(config))
    at_work(running)
    running.ask(Pause(job=1))
    assert all(gate.holds.acquire(timeout=PATIENCE_S) for _ in range(WORKERS))
    running.ask(Toggle(task=task, removed=(1, 2)))
    gate.open()
    assert running.expect(Scored, lambda scored: scored.final).point.n == LIMIT
    time.sleep(0.5)  # a chunk that is not held would end by then
    assert gate.ended == []
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

    many = config.model_copy(update={"limit": 120, "schedule": ("windows",), "max_removed": 8, "workers": 1})
    task = open_task(running, many)
    monkeypatch.setattr(ChunkEvaluator, "missing", noted)
    monkeypatch.setattr("core.evaluator.announcer._JOBS_EVERY_S", 0.0)

    def first_chunk_is_there(event: Event) -> bool:
        return isinstance(event, Jobs) and any(job.done for job in event.jobs)

    def is_failed(event: Event) -> bool:
        failed.extend(job.error for job in (event.jobs if isinstance(event, Jobs) else ()) if job.state == "failed")
        return any("Ray cannot be started" in error for error in failed)

    failed: list[str] = []
    running.ask_at(first_chunk_is_there, Pause(job=1), Toggle(task=task, removed=(0, 3)))
    running.ask_at(is_failed, Toggle(task="none", removed=()))
    running.ask(start(many))
    said = running.expect(Scored | Refusal, lambda event: isinstance(event, Refusal) or event.final)  # type: ignore[arg-type]
    if isinstance(said, Refusal):
        pytest.skip(f"this machine is too busy for Ray's own programs: {failed}")
    assert (said.point.removed, said.point.n, here) == ((0, 3), 120, [])
    running.ask(Resume(job=1))
    job = running.job(1, "finished", "failed")
    assert (job.state, job.error, job.done) == ("finished", "", job.total)
