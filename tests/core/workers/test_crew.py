"""A crew: who is taken, refused by name, replaced or given up, and what becomes of the chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from core.engine.sweep_sizes import SweepSizes
from core.errors import CornerstoneError, Mend
from core.records.records import Outcome
from core.study.listener import Callbacks
from core.study.worker_view import WorkerView
from core.workers.crew import Crew, Wanted
from core.workers.link import LostError
from core.workers.messages import Done, Dropped, Failed, Opened, Progress, Refused, Work
from tests.core.workers.scripted import ScriptedLink

SIZES = SweepSizes(64, 1024, 64, 4096, laid_out=True)
DOCUMENTS = {("task", "data"): "digest"}
OPENED = Opened("north", 17, "cpu", "f1" * 32, DOCUMENTS, SIZES)
WANTED = Wanted("small-llama", "f1" * 32, DOCUMENTS)
LOST = "its process ended"
EIGHT = Done([Outcome("a", (), (), (), {}, {})] * 8)


class Scene:
    """A crew of scripted workers, and what it says."""

    def __init__(self, count: int) -> None:
        self.link = ScriptedLink()
        self.said: list[str] = []
        self.told: list[Sequence[WorkerView]] = []
        self.crew = Crew(self.link, count, WANTED, Callbacks(self.said.append, on_workers=self.told.append))

    def open_all(self) -> None:
        for worker in self.link.hired:
            worker.last.reply = OPENED
        self.crew.wait_until_ready(lambda: None)


def work(number: int) -> Work:
    return Work(number, ("task", "data"), ("a", "b"), ((), (1,)))


def test_those_with_the_same_model_and_documents_are_ready_and_the_smallest_sizes_count() -> None:
    scene = Scene(3)
    small = replace(SIZES, state_tokens=512)
    for worker, sizes in zip(scene.link.hired, (SIZES, small, SIZES), strict=True):
        worker.last.reply = replace(OPENED, sizes=sizes)
    scene.crew.wait_until_ready(lambda: None)
    assert (scene.crew.at_work, scene.crew.count, scene.crew.sizes, scene.said) == (3, 3, small, [])


@pytest.mark.parametrize(
    ("opened", "words"),
    [
        (replace(OPENED, host="south", model="0a" * 32), ["worker 2", "south", "0a0a0a", "f1f1f1", "small-llama"]),
        (replace(OPENED, host="south", documents={("task", "data"): "other"}), ["worker 2", "south", "documents"]),
        (replace(OPENED, host="south", documents={}), ["worker 2", "south", "documents"]),
        (Refused("there is no folder /models/x", None, "south"), ["worker 2", "south", "/models/x"]),
        (Failed("KeyError: 'x'", "south"), ["worker 2", "south", "KeyError"]),
    ],
)
def test_one_that_has_something_else_is_refused_by_name_and_the_others_go_on(
    opened: Opened | Refused | Failed, words: list[str]
) -> None:
    scene = Scene(2)
    scene.link.hired[0].last.reply = OPENED
    scene.link.hired[1].last.reply = opened
    scene.crew.wait_until_ready(lambda: None)
    assert scene.crew.at_work == 1
    (sentence,) = scene.said
    assert all(word in sentence for word in words)
    assert [worker.left for worker in scene.link.hired] == [False, True]


def test_where_all_are_refused_the_error_says_why_and_keeps_its_mend() -> None:
    scene = Scene(2)
    for worker in scene.link.hired:
        worker.last.reply = Refused("small-llama is not here", Mend.GO_ONLINE, "south")
    with pytest.raises(CornerstoneError, match=r"no worker is left .*on south: small-llama is not here") as caught:
        scene.crew.wait_until_ready(lambda: None)
    assert caught.value.mend == Mend.GO_ONLINE


def test_a_chunk_of_a_lost_worker_comes_back_and_another_worker_takes_its_place() -> None:
    scene = Scene(1)
    scene.open_all()
    scene.crew.give(work(5))
    assert not scene.crew.idle
    scene.link.hired[0].last.reply = LostError(LOST)
    (ended,) = scene.crew.step(0)
    assert (ended.work.number, ended.reply) == (5, f"worker 1 on north was lost: {LOST}")
    assert (scene.crew.at_work, len(scene.link.hired)) == (0, 2)
    assert "its chunk is done again" in scene.said[0]
    scene.link.hired[1].last.reply = OPENED
    scene.crew.step(0)
    scene.crew.give(work(5))
    scene.link.hired[1].last.reply = Done([])
    assert [one.reply for one in scene.crew.step(0)] == [Done([])]


def test_one_that_is_lost_again_and_again_before_it_is_ready_is_given_up() -> None:
    scene = Scene(1)
    for _ in range(3):
        scene.crew.refuse_none_left()
        scene.link.hired[-1].last.reply = LostError(LOST)
        scene.crew.step(0)
    with pytest.raises(CornerstoneError, match=r"no worker is left .*lost 3 times before it was ready"):
        scene.crew.refuse_none_left()
    assert len(scene.link.hired) == 3
    assert all(worker.left for worker in scene.link.hired)


def test_many_losses_with_chunks_in_between_are_no_reason_to_give_up() -> None:
    scene = Scene(1)
    scene.open_all()
    for number in range(7):
        scene.crew.give(work(number))
        scene.link.hired[-1].last.reply = LostError(LOST)
        assert [ended.work.number for ended in scene.crew.step(0)] == [number]
        scene.link.hired[-1].last.reply = OPENED
        scene.crew.step(0)
    assert scene.crew.at_work == 1


def test_a_fault_comes_back_with_the_chunk_and_so_does_what_a_person_can_mend() -> None:
    scene = Scene(2)
    scene.open_all()
    for number in range(2):
        scene.crew.give(work(number))
    scene.link.hired[0].last.reply = Failed("ZeroDivisionError", "north")
    (ended,) = scene.crew.step(0)
    assert ended.reply == "on north: ZeroDivisionError"
    refused = Refused("the memory does not suffice", None, "north")
    scene.link.hired[1].last.reply = refused
    assert [one.reply for one in scene.crew.step(0)] == [refused]


def test_only_the_chunks_that_are_not_wanted_are_dropped() -> None:
    scene = Scene(2)
    scene.open_all()
    scene.crew.give(work(1))
    scene.crew.give(work(2))
    scene.crew.drop(lambda one: one.number == 2)
    assert [worker.dropped for worker in scene.link.hired] == [[1], []]
    scene.link.hired[0].last.reply = Dropped()
    assert [(one.work.number, one.reply) for one in scene.crew.step(0)] == [(1, Dropped())]
    assert scene.crew.idle


def test_progress_is_asked_for_now_and_then_and_a_lost_answer_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("core.workers.crew.time.monotonic", lambda: now)
    scene = Scene(1)
    scene.open_all()
    scene.crew.give(work(1))
    (worker,) = scene.link.hired
    scene.crew.step(0)
    assert worker.last.what == "evaluate"
    now += 1
    scene.crew.step(0)
    assert worker.last.what == "progress"
    worker.last.reply = Progress(3.5, "north")
    scene.crew.step(0)
    assert scene.crew.part == 3.5
    now += 1
    scene.crew.step(0)
    worker.last.reply = LostError(LOST)
    assert scene.crew.step(0) == []
    assert scene.crew.part == 3.5


def test_a_worker_whose_chunk_and_progress_are_lost_at_once_is_replaced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("core.workers.crew.time.monotonic", lambda: now)
    scene = Scene(1)
    scene.open_all()
    scene.crew.give(work(1))
    now += 1
    scene.crew.step(0)
    evaluating, asking = scene.link.hired[0].calls[-2:]
    assert (evaluating.what, asking.what) == ("evaluate", "progress")
    evaluating.reply = asking.reply = LostError(LOST)
    (ended,) = scene.crew.step(0)
    assert (ended.work.number, len(scene.link.hired)) == (1, 2)
    scene.link.hired[1].last.reply = OPENED
    scene.crew.step(0)
    assert scene.crew.idle


def test_the_first_that_is_ready_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter(float(second) for second in range(0, 10_000, 5))
    monkeypatch.setattr("core.workers.crew.time.monotonic", lambda: next(times))
    scene = Scene(3)
    scene.link.hired[1].last.reply = OPENED
    scene.crew.wait_until_ready(lambda: None)
    assert scene.crew.at_work == 1
    assert "1 of 3 workers" in scene.said[0]
    scene.crew.leave()
    assert all(worker.left for worker in scene.link.hired)


def test_it_tells_what_each_worker_does_and_how_fast_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("core.workers.crew.time.monotonic", lambda: now)
    scene = Scene(2)
    scene.crew.step(0)
    assert scene.told == [(WorkerView(1), WorkerView(2))]
    now += 1
    scene.crew.step(0)
    first, second = scene.link.hired
    assert [call.what for call in first.calls] == ["open", "progress"]
    first.last.reply = Progress(0.0, "north")
    scene.crew.step(0)
    assert scene.told[-1] == (WorkerView(1, "loading", "north"), WorkerView(2))
    first.calls[0].reply = OPENED
    second.calls[0].reply = Refused("the model is not here", None, "south")
    scene.crew.step(0)
    assert scene.told[-1] == (WorkerView(1, "idle", "north"), WorkerView(2, "refused", "south"))
    scene.crew.give(work(1))
    count = len(scene.told)
    scene.crew.step(0)
    assert len(scene.told) == count, "who has a chunk changes all the time, and is told with the rates"
    now += 2
    scene.crew.step(0)
    first.last.reply = Progress(3.0, "north")
    scene.crew.step(0)
    now += 2
    scene.crew.step(0)
    assert scene.told[-1][0] == WorkerView(1, "evaluating", "north", 0, 1.5)
    evaluating = next(call for call in first.calls if call.what == "evaluate")
    evaluating.reply = EIGHT
    scene.crew.step(0)
    now += 50
    scene.crew.step(0)
    assert scene.told[-1][0] == WorkerView(1, "idle", "north", 8, 2.0), "time without a chunk does not count"


def test_a_lost_worker_is_told_as_starting_again_and_keeps_what_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("core.workers.crew.time.monotonic", lambda: now)
    scene = Scene(1)
    scene.open_all()
    scene.crew.give(work(1))
    now += 4
    scene.link.hired[0].last.reply = EIGHT
    scene.crew.step(0)
    scene.crew.give(work(2))
    now += 4
    scene.link.hired[0].last.reply = LostError(LOST)
    scene.crew.step(0)
    assert scene.told[-1] == (WorkerView(1, "starting", "", 8, 2.0, 1),)
    for _ in range(3):
        scene.link.hired[-1].last.reply = LostError(LOST)
        scene.crew.step(0)
    assert scene.told[-1] == (WorkerView(1, "lost", "", 8, 2.0, 4),)


def test_what_comes_aside_goes_to_one_that_has_no_chunk_and_else_to_one_that_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr("core.workers.crew.time.monotonic", lambda: now)
    scene = Scene(2)
    scene.open_all()
    scene.crew.give(work(1))
    scene.crew.give_aside(work(2))
    scene.crew.give_aside(work(3))
    assert not scene.crew.takes_aside
    first, second = scene.link.hired
    assert [(call.what, call.work) for call in (first.last, second.last)] == [("aside", work(3)), ("aside", work(2))]
    now += 10
    first.last.reply = EIGHT
    assert [(one.work.number, one.reply) for one in scene.crew.step(0)] == [(3, EIGHT)]
    assert scene.crew.takes_aside
    now += 4
    next(call for call in first.calls if call.what == "evaluate").reply = EIGHT
    assert [one.work.number for one in scene.crew.step(0)] == [1]
    view = scene.crew.views[0]
    assert (view.outcomes, view.rate) == (8, 2.0), "the time of what came aside is none of the chunk's"


def test_what_comes_aside_is_dropped_by_its_number_and_the_chunk_stays() -> None:
    scene = Scene(1)
    scene.open_all()
    scene.crew.give(work(1))
    scene.crew.give_aside(work(2))
    scene.crew.drop(lambda one: one.number == 1)
    assert scene.link.hired[0].dropped == [2]


@pytest.mark.parametrize("has_chunk", [True, False])
@pytest.mark.parametrize("both", [True, False])
def test_a_worker_that_is_lost_with_what_came_aside_is_replaced_once(*, has_chunk: bool, both: bool) -> None:
    scene = Scene(1)
    scene.open_all()
    if has_chunk:
        scene.crew.give(work(1))
    scene.crew.give_aside(work(2))
    (lost,) = scene.link.hired
    for call in lost.calls:
        if call.what == "aside" or (both and call.what == "evaluate"):
            call.reply = LostError(LOST)
    assert {one.work.number for one in scene.crew.step(0)} == ({1, 2} if has_chunk else {2})
    assert len(scene.link.hired) == 2
    assert (scene.crew.views[0].doing, scene.crew.views[0].losses) == ("starting", 1)


@pytest.mark.parametrize(("given", "answered"), [(1, 30), (1, 110), (50, 70), (50, 110)])
def test_what_is_evaluated_aside_of_a_held_chunk_does_not_count_twice(
    monkeypatch: pytest.MonkeyPatch, given: int, answered: int
) -> None:
    """Of 120 seconds the chunk has those in which it is neither held, from 10 to 100, nor waits for the other one."""
    now = 0.0
    monkeypatch.setattr("core.workers.crew.time.monotonic", lambda: now)
    scene = Scene(1)
    scene.open_all()
    scene.crew.give(work(1))
    (worker,) = scene.link.hired
    own = worker.last
    computes = 120 - 90 - sum(at not in range(10, 100) for at in range(given, answered))
    for now in map(float, range(1, 121)):
        if now == given:
            scene.crew.give_aside(work(2))
        if now == answered:
            worker.last.reply = EIGHT
            scene.crew.step(0)
        if now in (10, 100):
            scene.crew.hold(now == 10)
    own.reply = EIGHT
    scene.crew.step(0)
    assert scene.crew.views[0].rate == pytest.approx(8 / computes)


def test_held_workers_are_told_so_and_that_time_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("core.workers.crew.time.monotonic", lambda: now)
    scene = Scene(1)
    scene.open_all()
    scene.crew.give(work(1))
    now += 2
    scene.crew.hold(True)
    assert scene.crew.held
    now += 100
    scene.crew.hold(False)
    assert scene.link.hired[0].held == [True, False]
    now += 2
    scene.link.hired[0].last.reply = EIGHT
    scene.crew.step(0)
    assert scene.crew.views[0].rate == 2.0
