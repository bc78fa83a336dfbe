"""Jobs: what they count, and which requests change their state."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.config.run_config import RunConfig
from core.errors import Mend
from core.evaluator.jobs import Job
from core.evaluator.protocol import Cancel, JobState, JobView, Pause, Resume
from core.study.events import (
    ChunkRecorded,
    CostLooked,
    CostVerdict,
    Phase,
    PhaseFinished,
    PhaseStarted,
    TopLooked,
    TopVerdict,
)
from core.study.meter import Meter
from tests.support.clock import Clock
from tests.support.store_records import assignment
from tests.support.store_records import documents as documents_of


def job_of(state: JobState = "queued", clock: Clock | None = None) -> Job:
    config = RunConfig.model_validate({"tasks": ["agreement", "capitals"], "schedule": "windows"})
    return Job(1, config, "command", state, meter=Meter(clock or Clock()))


def test_time_left_is_told_while_there_is_some() -> None:
    clock = Clock()
    job = job_of("running", clock)
    assert job.view().seconds_left is None
    job.total = 100
    clock.now += 10
    job.meter.reach(20)
    assert job.view().seconds_left == 40
    job.state = "finished"
    assert job.view().seconds_left is None


def test_its_phases_add_up_and_what_was_stored_is_not_speed() -> None:
    clock = Clock()
    job = job_of("running", clock)
    first, second = phase(100), phase(50)
    job.begin(150)
    job.follow(PhaseStarted(first, 40))
    assert (job.phase, job.meter.done) == ("windows on agreement", 40)
    clock.now += 10
    job.follow(ChunkRecorded(first, 100))
    assert (job.meter.done, job.meter.rate) == (100, 6)
    job.follow(PhaseFinished(first))
    job.follow(PhaseStarted(second, 0))
    job.meter.advance(20)
    clock.now += 10
    assert (job.view().done, job.view().total, job.view().rate, job.view().seconds_left) == (120, 150, 4, 7.5)
    job.follow(ChunkRecorded(second, 50))
    job.follow(PhaseFinished(second))
    assert job.view().done == job.view().total


def test_phases_that_take_turns_add_up() -> None:
    job = job_of("running")
    first, second = phase(100), phase(50, "capitals")
    job.begin(150)
    job.follow(PhaseStarted(first, 0))
    job.follow(ChunkRecorded(first, 20))
    job.follow(PhaseStarted(second, 10))
    assert (job.phase, job.meter.done) == ("windows on agreement, capitals", 30)
    job.follow(ChunkRecorded(second, 30))
    job.follow(ChunkRecorded(first, 60))
    assert job.meter.done == 90
    job.follow(PhaseFinished(second))
    assert job.view().total == 130
    job.follow(ChunkRecorded(first, 100))
    assert job.phase == "windows on agreement"
    job.follow(PhaseFinished(first))
    assert (job.view().done, job.view().total) == (130, 130)


def test_a_rate_over_a_moment_tells_nothing_of_the_time_left() -> None:
    clock = Clock()
    job = job_of("running", clock)
    job.begin(1000)
    clock.now += 1
    job.meter.advance(1)
    assert job.view().seconds_left is None


def test_a_few_outcomes_tell_nothing_of_the_time_left() -> None:
    """A first chunk is small, and a model's first batches are slow."""
    clock = Clock()
    job = job_of("running", clock)
    job.begin(1000)
    clock.now += 60
    job.meter.advance(15)
    assert job.view().seconds_left is None
    job.meter.advance(20)
    assert job.view().seconds_left == 980 * 3


def test_what_two_schedules_share_counts_once() -> None:
    job = job_of("running")
    first, second = replace(phase(10), coalitions=4), replace(phase(10), schedule="both", coalitions=9)
    job.begin(10 * 10, {"windows": 0, "both": 3})
    for event in (PhaseStarted(first, 0), ChunkRecorded(first, 40), PhaseFinished(first), PhaseStarted(second, 30)):
        job.follow(event)
    assert (job.view().done, job.view().total) == (40, 100)
    for event in (ChunkRecorded(second, 90), PhaseFinished(second)):
        job.follow(event)
    assert (job.view().done, job.view().total, job.view().evaluated) == (100, 100, 100)


def test_what_was_stored_of_both_schedules_is_done_and_not_evaluated() -> None:
    job = job_of("running")
    first, second = replace(phase(10), coalitions=4), replace(phase(10), schedule="both", coalitions=9)
    job.begin(10 * 10, {"windows": 0, "both": 3})
    for event in (PhaseStarted(first, 40), PhaseFinished(first), PhaseStarted(second, 90), PhaseFinished(second)):
        job.follow(event)
    assert (job.view().done, job.view().total, job.view().evaluated) == (100, 100, 0)


def test_a_first_schedule_that_stopped_early_leaves_more_to_the_second() -> None:
    job = job_of("running")
    first, second = replace(phase(10), coalitions=4), replace(phase(10), schedule="both", coalitions=9)
    job.begin(10 * 10, {"windows": 0, "both": 3})
    for event in (PhaseStarted(first, 0), ChunkRecorded(first, 20), PhaseFinished(first), PhaseStarted(second, 15)):
        job.follow(event)
    assert (job.view().done, job.view().total) == (20, 95)
    for event in (ChunkRecorded(second, 90), PhaseFinished(second)):
        job.follow(event)
    assert (job.view().done, job.view().total) == (95, 95)


def test_phases_that_take_turns_have_their_own_speeds() -> None:
    clock = Clock()
    job = job_of("running", clock)
    one, other = phase(1000), phase(1000, "capitals")
    job.begin(2000)
    job.follow(PhaseStarted(one, 500))
    clock.now += 1
    job.follow(ChunkRecorded(one, 510))
    assert job.speeds == (), "too soon"
    job.follow(PhaseStarted(other, 0))
    clock.now += 10
    job.follow(ChunkRecorded(other, 500))
    clock.now += 9
    job.follow(ChunkRecorded(one, 700))
    assert [(speed.schedule, speed.per_second) for speed in job.speeds] == [("windows", 20), ("windows", 50)]
    job.follow(PhaseFinished(one))
    assert [speed.per_second for speed in job.speeds] == [50]
    job.end()
    assert job.speeds == ()


def test_a_job_tells_when_it_was_at_work_and_for_how_long() -> None:
    clock = Clock()
    job = job_of(clock=clock)
    clock.now += 100
    assert (job.view().started, job.view().ended, job.view().elapsed) == (None, None, 0)
    job.start()
    clock.now += 5
    assert (job.view().state, job.view().elapsed) == ("running", 5), "without the time in the queue"
    job.begin(10)
    clock.now += 10
    with job.meter.held():
        clock.now += 1000
        assert job.view().elapsed == 15
    job.end()
    clock.now += 100
    assert job.view().elapsed == 15
    assert job.view().ended is not None


def phase(documents: int, task: str = "agreement") -> Phase:
    asked = assignment(documents_of(range(documents)), [()])
    return Phase("run", asked.model, replace(asked.task, name=task), asked.data, "windows", documents, 1)


@pytest.mark.parametrize(
    ("before", "request_type", "after"),
    [
        ("queued", Pause, "queued"),
        ("queued", Resume, "queued"),
        ("queued", Cancel, "cancelled"),
        ("running", Pause, "paused"),
        ("running", Resume, "running"),
        ("running", Cancel, "cancelled"),
        ("paused", Pause, "paused"),
        ("paused", Resume, "running"),
        ("paused", Cancel, "cancelled"),
        *((state, kind, state) for state in ("finished", "cancelled", "failed") for kind in (Pause, Resume, Cancel)),
    ],
)
def test_a_request_that_fits_a_jobs_state_changes_it(
    before: JobState, request_type: type[Pause | Resume | Cancel], after: JobState
) -> None:
    job = job_of(before)
    job.apply(request_type(job=1))
    assert job.state == after


def test_a_job_is_named_by_what_it_runs() -> None:
    assert job_of().title == "windows x agreement, capitals"
    picked = RunConfig.model_validate({"tasks": "agreement", "remove": "Attn 0"})
    assert Job(1, picked, "").title == "hand-picked sets x agreement"


def test_a_failed_job_says_what_happened_and_what_would_help() -> None:
    job = job_of("failed")
    job.error, job.mend = "no task 'x'", Mend.LIST_TASKS
    assert (job.view().error, job.view().mend) == ("no task 'x'", Mend.LIST_TASKS)


def test_a_phase_that_ends_before_its_documents_do_is_done_and_says_why() -> None:
    job = job_of("running")
    phase = Phase("run1", assignment((), ()).model, assignment((), ()).task, assignment((), ()).data, "windows", 10, 4)
    job.begin(80)
    verdict = TopVerdict("windows", "capitals", 1, 0.95, 3, 10, 100, ("a",), (), 1, 0)
    before = replace(verdict, inside=(), undecided=("a", "b"), out=0, final=False)
    for event in (PhaseStarted(phase, 0), ChunkRecorded(phase, 12), TopLooked(phase, before)):
        job.follow(event)
    assert job.view().notes == (before,)
    for event in (ChunkRecorded(phase, 12), TopLooked(phase, verdict)):
        job.follow(event)
    assert job.view().notes == (verdict,)
    cost = CostVerdict("ablation", "capitals", 0.05, 0.95, 3, 10, 100, ("a",), (), 1, 0)
    job.follow(CostLooked(phase, cost))
    assert JobView.model_validate_json(job.view().model_dump_json()).notes == (verdict, cost)
    job.follow(PhaseFinished(phase))
    assert (job.view().done, job.view().total) == (12, 52)


@pytest.mark.parametrize(
    ("asked", "open_ended"),
    [
        ({"schedule": "windows"}, False),
        ({"schedule": "windows", "until_top": 3}, True),
        ({"until_cost": 0.05}, True),
        ({"schedule": "permutation"}, True),
        ({"schedule": "exact", "players": "kinds"}, False),
    ],
)
def test_a_total_that_may_not_be_reached_is_a_bound_until_the_end(asked: dict[str, object], open_ended: bool) -> None:
    job = Job(1, RunConfig.model_validate({"tasks": "agreement", **asked}), "", "running")
    assert job.view().open_ended == open_ended
    job.state = "finished"
    assert not job.view().open_ended
