"""The engine in this process, on a real store and a tiny model: requests at awkward moments are answered too."""

from __future__ import annotations

import json
import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from core.config.run_config import RunConfig
from core.evaluator.announcer import Announcer
from core.evaluator.engine import Engine
from core.evaluator.protocol import (
    Cancel,
    Charts,
    Event,
    GiveUp,
    Jobs,
    JobView,
    Narration,
    Open,
    Opened,
    Pause,
    Refusal,
    Request,
    Resume,
    Scored,
    Toggle,
)
from core.records.records import StoredValues
from store.file.database import writing
from store.recorder import StoreRecorder
from store.results import Results
from tests.support.evaluator_process import config_of, start
from tests.support.other_values import BIASES, VALUELESS, biases, valueless
from tests.support.store_holder import held

EventT = TypeVar("EventT")

PATIENCE_S = 240.0


class Running:
    """An engine in a thread, and a queue of the events that it has published."""

    def __init__(self, store: Path) -> None:
        self.store = store
        self.told: queue.Queue[Event] = queue.Queue()
        self.engine = Engine(store, StoreRecorder(store, patience=0.3), self._publish)
        self._thread = threading.Thread(target=self.engine.run)
        self._moments: list[tuple[Callable[[Event], bool], tuple[Request, ...]]] = []

    def start(self) -> None:
        self._thread.start()

    def ask(self, *requests: Request) -> None:
        for request in requests:
            self.engine.submit(request)

    def ask_at(self, moment: Callable[[Event], bool], *requests: Request) -> None:
        """Ask as soon as such an event is published: what goes on then cannot have ended before it is asked."""
        self._moments.append((moment, requests))

    def _publish(self, event: Event) -> None:
        for one in [each for each in self._moments if each[0](event)]:
            self._moments.remove(one)
            self.ask(*one[1])
        self.told.put(event)

    def expect(self, kind: type[EventT], fits: Callable[[EventT], bool] = lambda _: True) -> EventT:
        """Return the next event of a kind that fits, skipping others."""
        deadline, skipped = time.monotonic() + PATIENCE_S, list[Event]()
        while True:
            try:
                event = self.told.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {kind} came that fits; the last of {len(skipped)}: {skipped[-5:]}") from None
            if isinstance(event, kind) and fits(event):
                return event
            skipped.append(event)

    def job(self, number: int, *states: str) -> JobView:
        jobs = self.expect(Jobs, lambda jobs: len(jobs.jobs) >= number and jobs.jobs[number - 1].state in states)
        return jobs.jobs[number - 1]

    def stop(self) -> None:
        self.engine.stop()
        if self._thread.ident is not None:
            self._thread.join(PATIENCE_S)
            assert not self._thread.is_alive()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "s.duckdb"
    with writing(path):
        return path


@pytest.fixture
def running(store: Path) -> Iterator[Running]:
    one = Running(store)
    yield one
    one.stop()


@pytest.fixture
def config(tiny_model_folder: Path) -> RunConfig:
    return config_of(tiny_model_folder)


def some_are_done(event: Event) -> bool:
    """Return whether the first job has evaluated something, and not all."""
    return isinstance(event, Jobs) and any(job.state == "running" and job.done > 0 for job in event.jobs[:1])


def open_task(running: Running, config: RunConfig) -> str:
    running.ask(Open(config=config))
    return running.expect(Opened).tasks[0].key


@pytest.mark.slow
def test_a_toggle_behind_a_refused_choice_is_answered(running: Running, config: RunConfig) -> None:
    running.start()
    task = open_task(running, config)
    running.ask(Open(config=config_of(config.model, "agrement")), Toggle(task=task, removed=(0,)))
    assert "did you mean agreement" in running.expect(Refusal).text
    assert running.expect(Scored, lambda scored: scored.final).point.n == 8


@pytest.mark.slow
def test_a_choice_during_a_toggle_is_opened_and_the_toggle_ends_after_it(running: Running, config: RunConfig) -> None:
    larger = config_of(config.model, limit=120)
    running.start()
    task = open_task(running, larger)
    both = Open(config=config_of(config.model, "agreement", "capitals", limit=120))
    running.ask_at(lambda event: isinstance(event, Scored), both)
    running.ask(Toggle(task=task, removed=(0, 1, 2)))
    assert not running.expect(Scored).final
    assert [task.name for task in running.expect(Opened).tasks] == ["agreement", "capitals"]
    assert running.expect(Scored, lambda scored: scored.final).point.n == 120


@pytest.mark.slow
def test_a_toggle_of_a_task_that_was_closed_meanwhile_is_dropped_in_silence(
    running: Running, config: RunConfig
) -> None:
    running.start()
    task = open_task(running, config_of(config.model, limit=120))
    other = config_of(config.model, "capitals")
    running.ask_at(lambda event: isinstance(event, Scored), Open(config=other))
    running.ask(Toggle(task=task, removed=(0, 1, 2)))
    assert not running.expect(Scored).final
    (capitals,) = running.expect(Opened).tasks
    running.ask(Toggle(task=capitals.key, removed=(0,)))
    seen = running.expect(Scored | Refusal)  # type: ignore[arg-type]
    assert isinstance(seen, Scored)
    assert seen.task == capitals.key


@pytest.mark.slow
def test_a_toggle_while_a_job_opens_what_is_stored_already_is_answered(running: Running, config: RunConfig) -> None:
    running.ask(start(config))
    running.start()
    running.job(1, "finished")
    task = open_task(running, config)
    running.ask(start(config), Toggle(task=task, removed=(1, 2)))
    assert running.expect(Scored, lambda scored: scored.final).point.removed == (1, 2)


@pytest.mark.parametrize(
    ("task", "removed", "reason"), [("nothing", (0,), "no longer open"), (None, (8,), "8 players")]
)
def test_a_toggle_of_what_is_not_there_is_refused(
    task: str | None, removed: tuple[int, ...], reason: str, running: Running, config: RunConfig
) -> None:
    running.start()
    key = open_task(running, config)
    asked = Toggle(task=task or key, removed=removed)
    running.ask(asked)
    refusal = running.expect(Refusal)
    assert reason in refusal.text
    assert refusal.toggle == asked


def test_a_queued_job_can_be_cancelled_and_the_next_one_runs(running: Running, config: RunConfig) -> None:
    running.ask(start(config), start(config_of(config.model, "capitals")), start(config), Cancel(job=2))
    running.start()
    running.job(3, "finished")
    running.ask(Pause(job=2), Resume(job=2), Cancel(job=1), Pause(job=77))
    jobs = running.expect(Jobs, lambda jobs: all(job.state in {"finished", "cancelled"} for job in jobs.jobs))
    assert [job.state for job in jobs.jobs] == ["finished", "cancelled", "finished"]


def scored(running: Running, task: str, *removed: int) -> Scored:
    running.ask(Toggle(task=task, removed=removed))
    return running.expect(Scored, lambda scored: scored.final and scored.point.removed == removed)


@pytest.mark.slow
def test_a_job_on_more_documents_leaves_a_toggle_those_that_were_chosen(
    running: Running, config: RunConfig, store: Path
) -> None:
    running.start()
    open_task(running, config_of(config.model, limit=6))
    running.ask(start(config_of(config.model, limit=12)))
    opened = running.expect(Opened)
    (task,) = opened.tasks
    assert (task.documents, opened.by_hand, opened.config.limit) == (12, 6, 12)
    during = scored(running, task.key, 0, 3)
    running.job(1, "finished")
    after = scored(running, task.key, 1, 4)
    swept = scored(running, task.key, 2)
    for each in (during, after):
        assert (each.point.n, each.wanted) == (6, 6)
        assert each.point.drop == pytest.approx(each.point.intact_acc - each.point.acc)
    assert (swept.point.n, swept.wanted) == (12, 6), "what is known of more documents is shown"
    running.ask(Open(config=opened.config, by_hand=opened.by_hand))  # as an explorer that was closed meanwhile
    again = running.expect(Opened)
    assert (again.tasks, again.by_hand) == (opened.tasks, 6)
    running.ask(Open(config=config_of(config.model, limit=9)))
    (nine,) = running.expect(Opened).tasks
    assert scored(running, nine.key, 1, 4).point.n == 9
    running.stop()
    rows = {row.removed: row for row in Results(store).coalitions().rows}
    assert [rows[removed].n for removed in ((), (2,), (0, 3), (1, 4))] == [12, 12, 6, 9]
    # Runs of other documents are other runs, so that each names its own.
    by_hand = [run for run in Results(store).runs().rows if run.command == "cornerstone"]
    assert sorted(run.documents for run in by_hand) == [6, 9]


@pytest.mark.slow
@pytest.mark.parametrize("tasks", [("agreement",), ("agreement", "capitals")])
def test_a_job_on_fewer_documents_leaves_all_that_are_open(
    tasks: tuple[str, ...], running: Running, config: RunConfig, store: Path
) -> None:
    running.start()
    task = open_task(running, config_of(config.model, *tasks, limit=9))
    running.ask(start(config_of(config.model, limit=4)))
    opened = running.expect(Opened)
    assert [each.documents for each in opened.tasks] == [9] * len(tasks)
    assert opened.tasks[0].key == task
    job = running.job(1, "finished")
    assert job.done == job.total == 4 * 9
    assert scored(running, task, 0, 3).point.n == 9
    running.stop()
    assert {row.n for row in Results(store).ablation().rows} == {4}


@pytest.mark.slow
def test_paused_then_toggled_then_cancelled(running: Running, config: RunConfig, store: Path) -> None:
    running.ask(start(config_of(config.model, limit=120, schedule=("windows",))))
    running.ask_at(some_are_done, Pause(job=1))
    running.start()
    task = running.expect(Opened).tasks[0].key
    paused = running.job(1, "paused")
    running.ask(Toggle(task=task, removed=(0, 7)))
    assert running.expect(Scored, lambda scored: scored.final).wanted == 120
    running.ask(Pause(job=1))
    still = running.job(1, "paused")
    running.ask(Pause(job=1))
    assert still == running.job(1, "paused")
    assert still.done == paused.done
    running.ask(Cancel(job=1))
    assert running.job(1, "cancelled").done < 120 * 27
    running.stop()
    assert {run.command: run.state for run in Results(store).runs().rows} == {
        "test": "cancelled",
        "cornerstone": "finished",
    }


def test_what_is_finished_no_longer_slows_down(running: Running, config: RunConfig) -> None:
    running.ask(start(config))
    running.start()
    rate = running.job(1, "finished").rate
    for _ in range(3):
        running.ask(Pause(job=1))
        assert running.job(1, "finished").rate == rate


@pytest.mark.slow
def test_another_model_is_refused_in_a_sweep_and_opened_after_it(
    running: Running, config: RunConfig, tiny_model_folder: Path, tmp_path: Path
) -> None:
    other = shutil.copytree(tiny_model_folder, tmp_path / "other")
    running.ask(start(config_of(config.model, limit=120, schedule=("windows",))), start(config_of(other)))
    running.ask_at(some_are_done, Pause(job=1), Open(config=config_of(other)))
    running.start()
    assert "is being swept" in running.expect(Refusal).text
    running.ask(Cancel(job=1))
    assert running.expect(Opened).model.name == "other"
    running.job(2, "finished")


@pytest.mark.slow
def test_every_outcome_is_written_at_last_and_it_is_told(running: Running, config: RunConfig, store: Path) -> None:
    running.start()
    open_task(running, config)
    with held(store):
        running.ask(start(config))
        assert "in use" in running.expect(Refusal).text  # before or after the job's end
        running.expect(Jobs, lambda jobs: jobs.jobs[0].state == "finished" and jobs.unsaved == 8 * 9)
    running.expect(Jobs, lambda jobs: jobs.unsaved == 0)
    assert sum(run.outcomes for run in Results(store).runs().rows) == 8 * 9


@pytest.mark.slow
def test_choosing_tasks_while_the_store_is_held_does_not_hold_up_a_sweep(
    running: Running, config: RunConfig, store: Path
) -> None:
    running.start()
    open_task(running, config_of(config.model, limit=120))
    with held(store):
        running.ask_at(some_are_done, Open(config=config_of(config.model, "capitals")))
        running.ask(start(config_of(config.model, limit=120, schedule=("windows",))))
        running.expect(Refusal, lambda refusal: "choose again" in refusal.text)
        running.ask(Cancel(job=1))
        running.job(1, "cancelled")


@pytest.mark.slow
def test_the_later_choice_counts_while_the_store_is_waited_for(
    running: Running, config: RunConfig, store: Path
) -> None:
    running.start()
    open_task(running, config)
    with held(store):
        running.ask(Open(config=config_of(config.model, "capitals")))
        running.expect(Narration, lambda narration: "waiting" in narration.text)
        running.ask(Open(config=config))
        assert [task.name for task in running.expect(Opened).tasks] == ["agreement"]
        assert running.expect(Charts).intact is None


@pytest.mark.slow
def test_an_answer_names_what_it_answers(running: Running, config: RunConfig, store: Path) -> None:
    running.start()
    running.ask(Open(config=config, asked="one"))
    running.expect(Narration, lambda narration: "loading tiny-llama, " in narration.text and " of " in narration.text)
    assert running.expect(Opened).asked == "one"
    running.ask(Open(config=config_of(config.model, "agrement"), asked="two"))
    assert running.expect(Refusal).asked == "two"
    running.ask(start(config))
    assert running.expect(Opened).asked == ""
    running.job(1, "finished")
    with held(store):
        running.ask(Open(config=config_of(config.model, "capitals"), asked="three"))
        running.expect(Narration, lambda narration: "waiting" in narration.text)
        running.ask(Open(config=config_of(config.model, "capitals", limit=4), asked="four"))
        refusal = running.expect(Refusal, lambda refusal: refusal.asked != "")
        assert (refusal.asked, refusal.text) == ("three", "another choice came before this one was open")
    assert running.expect(Opened).asked == "four"


@pytest.mark.slow
def test_a_choice_that_is_given_up_leaves_what_was_open(running: Running, config: RunConfig, store: Path) -> None:
    running.ask(Open(config=config, asked="never"), GiveUp(asked="never"))
    running.start()
    assert running.expect(Refusal).asked == "never"
    task = open_task(running, config)
    with held(store):
        running.ask(Open(config=config_of(config.model, "capitals"), asked="one"))
        running.expect(Narration, lambda narration: "waiting" in narration.text)
        running.ask(GiveUp(asked="another"), GiveUp(asked="one"))
        refusal = running.expect(Refusal, lambda refusal: refusal.asked != "")
        assert (refusal.asked, refusal.text) == ("one", "given up; what was open before is still open")
    running.ask(Toggle(task=task, removed=(0,)))
    assert running.expect(Scored, lambda scored: scored.final).point.n == 8


@pytest.mark.slow
def test_a_model_that_is_being_loaded_can_be_given_up(running: Running, config: RunConfig) -> None:
    def is_loading(event: Event) -> bool:
        return isinstance(event, Narration) and event.text.startswith("loading tiny-llama, ")

    running.ask_at(is_loading, GiveUp(asked="one"))
    running.start()
    running.ask(Open(config=config, asked="one"))
    assert "given up" in running.expect(Refusal).text
    open_task(running, config)


@pytest.mark.slow
def test_outcomes_that_still_wait_are_on_a_live_task_opened_meanwhile(
    running: Running, config: RunConfig, store: Path
) -> None:
    """Closed and opened again before its outcomes are written, a task still knows them."""
    running.start()
    open_task(running, config)
    with held(store):
        running.ask(start(config))
        running.job(1, "finished")
        running.ask(Open(config=config_of(config.model, limit=4)))
        running.expect(Narration, lambda narration: "waiting" in narration.text)
    (task,) = running.expect(Opened).tasks
    assert len(running.expect(Charts, lambda charts: charts.task == task.key).ablation) == 8


@pytest.mark.slow
def test_what_another_program_stored_meanwhile_is_known(running: Running, config: RunConfig, store: Path) -> None:
    running.start()
    open_task(running, config)
    other = Running(store)
    other.ask(start(config))
    other.start()
    other.job(1, "finished")
    other.stop()
    running.ask(Open(config=config))
    running.expect(Opened)
    assert len(running.expect(Charts).ablation) == 8
    running.ask(start(config))
    running.job(1, "finished")
    running.stop()
    assert [run.outcomes for run in Results(store).runs().rows] == [0, 8 * 9]


@pytest.mark.slow
def test_what_is_no_longer_stored_is_evaluated_again(running: Running, config: RunConfig, store: Path) -> None:
    running.ask(start(config))
    running.start()
    running.job(1, "finished")
    running.expect(Jobs, lambda jobs: jobs.unsaved == 0)
    time.sleep(0.5)  # that the run has ended is written too
    store.unlink()
    running.ask(start(config))
    running.job(2, "finished")
    running.stop()
    assert [run.outcomes for run in Results(store).runs().rows] == [8 * 9]


@pytest.mark.slow
def test_only_charts_that_changed_are_told_again(running: Running, config: RunConfig) -> None:
    running.start()
    running.ask(Open(config=config_of(config.model, "agreement", "capitals")))
    agreement, capitals = running.expect(Opened).tasks
    assert {running.expect(Charts).task for _ in range(2)} == {agreement.key, capitals.key}
    running.ask(Toggle(task=capitals.key, removed=(0,)))
    running.expect(Scored, lambda scored: scored.final)
    running.stop()
    told = list(running.told.queue)
    assert {event.task for event in told if isinstance(event, Charts)} == {capitals.key}


def test_told_to_end_while_it_opens_it_does_not_go_on_opening(running: Running, config: RunConfig) -> None:
    running.ask(Open(config=config))
    running.engine.stop()
    running.start()
    running.stop()
    assert not any(isinstance(event, Opened) for event in running.told.queue)


def test_a_fault_of_its_own_loses_no_outcome(
    running: Running, config: RunConfig, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    running.ask(start(config))
    with held(store):
        monkeypatch.setattr(
            StoreRecorder, "values", lambda *_: StoredValues((), (), np.empty((0, 0)), np.empty((0, 0)))
        )
        running.start()
        running.job(1, "running")
        running.expect(Jobs, lambda jobs: jobs.unsaved > 0)
        monkeypatch.setattr(Announcer, "charts", fail)
    running.stop()
    assert Results(store).runs().rows[0].outcomes > 0


def test_idle_is_said_only_with_nothing_to_do(running: Running, config: RunConfig) -> None:
    assert running.engine.idle
    running.ask(start(config))
    assert not running.engine.idle
    running.start()
    running.job(1, "finished")
    running.expect(Jobs, lambda jobs: jobs.unsaved == 0)
    deadline = time.monotonic() + PATIENCE_S
    while not running.engine.idle:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.slow
def test_documents_that_occur_twice_are_done_twice_at_once(
    running: Running, tiny_model_folder: Path, tmp_path: Path
) -> None:
    rows = [{"goal": goal, "sol1": "left", "sol2": "right", "label": 1} for goal in ("one", "two", "one", "one")]
    (tmp_path / "twice.jsonl").write_text("\n".join(map(json.dumps, rows)))
    task = {"name": "piqa", "data": str(tmp_path / "twice.jsonl")}
    config = RunConfig.model_validate({"model": str(tiny_model_folder), "tasks": [task]})
    running.ask(start(config))
    running.start()
    job = running.job(1, "finished")
    assert (job.done, job.total) == (4 * 9, 4 * 9)
    running.expect(Jobs, lambda jobs: jobs.unsaved == 0)


@pytest.mark.slow
def test_a_toggle_where_nothing_is_a_mean_over_documents_is_refused(
    running: Running, tiny_model_folder: Path, tmp_path: Path
) -> None:
    own = {"tasks": [VALUELESS], "include_path": [str(valueless(tmp_path))]}
    running.start()
    key = open_task(running, RunConfig.model_validate({"model": str(tiny_model_folder), **own}))
    running.ask(Toggle(task=key, removed=(0,)))
    assert "mean over documents" in running.expect(Refusal).text


@pytest.mark.slow
def test_a_task_that_lacks_the_value_asked_for_is_opened_with_its_own_and_that_is_said(
    running: Running, tiny_model_folder: Path, tmp_path: Path
) -> None:
    tasks = ["agreement", {"name": BIASES, "data": str(biases(tmp_path))}]
    config = RunConfig.model_validate({"model": str(tiny_model_folder), "tasks": tasks, "limit": 4, "value": "acc"})
    running.start()
    running.ask(Open(config=config))
    opened = running.expect(Opened)
    assert [task.value for task in opened.tasks] == ["acc", "likelihood_diff"]
    notice = running.expect(Refusal).text
    assert notice.startswith("crows_pairs_english has no value 'acc'; it has likelihood_diff, pct_stereotype, ")
    assert notice.endswith(", so it shows likelihood_diff")
    running.ask(Toggle(task=opened.tasks[1].key, removed=(0,)))
    assert running.expect(Scored, lambda scored: scored.final).point.n == 4
    running.ask(start(config))
    assert "crows_pairs_english has no value 'acc'" in running.job(1, "failed").error


@pytest.mark.slow
def test_rounds_over_groups_ask_by_what_waits_to_be_written(running: Running, config: RunConfig, store: Path) -> None:
    changes = {"schedule": ("permutation", "exact"), "players": "layers", "tolerance": 0.0, "value": "margin"}
    job = config.model_copy(update=changes)
    running.start()
    open_task(running, job)
    with held(store):
        running.ask(start(job))
        view = running.job(1, "finished", "failed")
        assert (view.state, view.error, view.done) == ("finished", "", view.total)
        assert view.title == "permutation and exact over layers x agreement"
    running.expect(Jobs, lambda jobs: jobs.unsaved == 0)
    results = Results(store)
    walked = results.shapley(value="margin", estimator="permutation", players="layers", tolerance=0.0)
    assert (walked.gaps, len(walked.rows)) == ((), 4)
    assert len(results.shapley(value="margin", estimator="exact", players="layers").rows) == 4
