"""Paths and proxies as jobs: they find what the commands find, their progress is counted, and they can be ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.config.run_config import RunConfig
from core.evaluator.protocol import Cancel, Event, Jobs, Open, Opened, Scored, StartJob, Toggle
from core.findings.files import read_findings
from core.proxies.request import MeasureProxies
from core.removal_path.request import PathRequest
from store.recorder import StoreRecorder
from store.results import Results
from tests.core.evaluator.test_engine import Running


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "s.duckdb"


@pytest.fixture
def running(store: Path) -> Iterator[Running]:
    one = Running(store)
    one.start()
    yield one
    one.stop()


@pytest.fixture
def config(tiny_model_folder: Path) -> RunConfig:
    return RunConfig.model_validate({"model": str(tiny_model_folder), "tasks": ["agreement", "capitals"], "limit": 4})


class Silent:
    def narrate(self, text: str) -> None: ...

    def on_batch(self, done: float) -> None: ...

    def on_bytes(self, what: str, done: int, total: int) -> None: ...

    def on_event(self, event: object) -> None: ...

    def on_step(self, rows: object) -> None: ...


@pytest.mark.slow
def test_a_path_is_the_one_that_the_command_finds(
    running: Running, store: Path, config: RunConfig, tmp_path: Path
) -> None:
    from core.removal_path.study import find_path

    request = PathRequest(steps=2)
    running.ask(StartJob(config=config, command="c", special=request))
    job = running.job(1, "finished", "failed")
    assert job.error == ""
    assert (job.state, job.error, job.title) == ("finished", "", "removal path of 2 x agreement, capitals")
    assert job.done == job.total == (1 + 8 + 7 + 3) * 8
    (found,) = read_findings(store).paths
    wanted = find_path(config, request, "c", StoreRecorder(tmp_path / "own.duckdb", 5.0), Silent())
    assert found.complete
    assert found.rows == wanted.rows
    assert len(found.tasks) == 2

    running.ask(StartJob(config=config, command="c", special=request))
    again = running.job(2, "finished", "failed")
    assert again.done == again.total == job.total
    assert len(read_findings(store).paths) == 1


@pytest.mark.slow
def test_a_path_and_proxies_on_fewer_documents_than_are_open_are_of_those(running: Running, config: RunConfig) -> None:
    running.ask(Open(config=config.model_copy(update={"limit": 9})))
    opened = running.expect(Opened)
    for number, special in enumerate((PathRequest(steps=1), MeasureProxies()), 1):
        running.ask(StartJob(config=config, command="c", special=special))
        job = running.job(number, "finished", "failed")
        assert (job.error, job.total) == ("", 8 if number == 2 else (1 + 8 + 2) * 8)
        assert job.done == job.total
        running.ask(Toggle(task=opened.tasks[0].key, removed=(0, number)))
        assert running.expect(Scored, lambda scored: scored.final).point.n == 9


@pytest.mark.slow
def test_proxies_are_those_that_the_command_finds(
    running: Running, store: Path, config: RunConfig, tmp_path: Path
) -> None:
    from core.proxies.study import check_proxies

    running.ask(StartJob(config=config, command="c", special=MeasureProxies()))
    job = running.job(1, "finished", "failed")
    assert (job.state, job.error, job.done, job.total) == ("finished", "", 8, 8)
    found = sorted(read_findings(store).proxies, key=lambda each: each.rows[0].task)
    wanted = check_proxies(config, None, StoreRecorder(tmp_path / "own.duckdb", 5.0), Silent())
    assert tuple(row for each in found for row in each.rows) == wanted.proxies
    assert tuple(gap.what for each in found for gap in each.gaps) == tuple(gap.what for gap in wanted.gaps)


@pytest.mark.slow
def test_a_path_that_is_cancelled_keeps_its_steps(
    running: Running, store: Path, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.evaluator.announcer._JOBS_EVERY_S", 0.0)

    def steps_are_kept(event: Event) -> bool:
        return isinstance(event, Jobs) and bool(event.jobs) and bool(read_findings(store).paths)

    running.ask_at(steps_are_kept, Cancel(job=1))
    running.ask(StartJob(config=config, command="c", special=PathRequest(steps=8, held_out=False)))
    assert running.job(1, "cancelled", "finished").state == "cancelled"
    (found,) = read_findings(store).paths
    assert not found.complete
    assert 0 < len(found.overall) < 9
    running.stop()
    assert [run.state for run in Results(store).runs().rows] == ["cancelled"]


def test_what_cannot_be_had_is_said(running: Running, config: RunConfig) -> None:
    running.ask(StartJob(config=config, command="c", special=PathRequest(value="f1")))
    job = running.job(1, "failed")
    assert "f1" in job.error
    running.ask(StartJob(config=config, command="c", special=MeasureProxies(value="nothing")))
    assert "nothing" in running.job(2, "failed").error
