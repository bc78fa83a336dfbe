"""The list of jobs: its order, the numbers of jobs, and what a later evaluator knows of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.evaluator.job_history import MOST_JOBS, history_path, keep_history, read_history
from core.evaluator.job_list import JobList
from core.evaluator.protocol import Cancel, Move, StartJob
from tests.support.evaluator_process import config_of, start


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "s.duckdb"


def asked(*commands: str) -> list[StartJob]:
    return [start(config_of("gpt2", limit=at + 1), command) for at, command in enumerate(commands)]


def filled(store: Path, *commands: str) -> JobList:
    jobs = JobList(store)
    for request in asked(*commands):
        jobs.add(request)
    return jobs


def order(jobs: JobList) -> list[str]:
    return [job.command for job in jobs.views]


def test_a_job_that_waits_moves_among_those_that_wait(store: Path) -> None:
    jobs = filled(store, "a", "b", "c", "d")
    running = jobs.next
    assert running is not None
    running.start()
    jobs.change(Cancel(job=3))
    jobs.change(Move(job=4, by=-1))
    assert order(jobs) == ["a", "d", "c", "b"], "past the one that has ended"
    for number, by in ((4, -1), (1, 1), (3, 1), (2, 1), (9, 1)):
        jobs.change(Move(job=number, by=by))  # type: ignore[arg-type]
        assert order(jobs) == ["a", "d", "c", "b"]
    assert jobs.next is not None
    assert jobs.next.command == "d"


def test_a_later_evaluator_knows_what_ended_and_what_did_not(store: Path) -> None:
    jobs = filled(store, "a", "b", "c")
    first = jobs.next
    assert first is not None
    first.start()
    first.begin(10)
    first.meter.reach(10)
    first.state = "finished"
    first.end()
    jobs.change(Cancel(job=2))
    assert jobs.keep() == ""
    later = JobList(store)
    assert [(job.job, job.state) for job in later.past] == [(1, "finished"), (2, "cancelled"), (3, "interrupted")]
    done = later.past[0]
    assert (done.done, done.evaluated, done.ended) == (10, 10, first.ended_at)
    later.add(asked("a", "b", "c")[2])
    assert [job.job for job in later.past] == [1, 2], "the interrupted one goes on"
    assert [job.job for job in later.views] == [4]
    later.keep()
    assert [job.job for job in JobList(store).past] == [1, 2, 4]


def test_the_oldest_are_forgotten(store: Path) -> None:
    jobs = filled(store, *map(str, range(MOST_JOBS + 5)))
    jobs.keep()
    assert [job.command for job in JobList(store).past][:2] == ["5", "6"]


@pytest.mark.parametrize("content", ["", "[", "{}", "[1]", '[{"job": 1}]', "\x00"])
def test_a_history_that_cannot_be_read_is_none(store: Path, content: str) -> None:
    keep_history(store, ())
    history_path(store).write_text(content)
    assert read_history(store) == ()


def test_one_bad_job_does_not_hide_the_others(store: Path) -> None:
    filled(store, "a", "b").keep()
    path = history_path(store)
    path.write_text(path.read_text().replace('"ablation"', '"of a plugin"', 1))
    assert [job.command for job in read_history(store)] == ["b"]


def test_a_history_that_cannot_be_written_is_told_once(store: Path) -> None:
    path = history_path(store)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir()
    jobs = filled(store, "a")
    assert "not kept" in jobs.keep()
    jobs.change(Cancel(job=1))
    assert jobs.keep() == ""
