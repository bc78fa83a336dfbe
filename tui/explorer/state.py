"""The state of the explorer as one value. Every event of the evaluator and every key makes a new one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from core.coalitions.players import Player, Removed
from core.cost.run_time import NOTHING, Known
from core.evaluator.bench_task import BenchTask
from core.evaluator.protocol import (
    UNFINISHED,
    Cancel,
    Charts,
    Event,
    Goodbye,
    Hello,
    Jobs,
    JobView,
    MemoryWasShort,
    Narration,
    Opened,
    PastJobs,
    Rates,
    Refusal,
    Request,
    Said,
    Scored,
    Toggle,
    Workers,
    Writers,
)
from core.evaluator.silence import Silence
from core.records.records import Writer
from core.study.worker_view import WorkerView
from tui.drawing.event_text import MEMORY_SHORT
from tui.drawing.mends import explorer_sentence
from tui.explorer.session import Session

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)

Connection = Literal["starting", "connected", "lost"]


@dataclass(frozen=True, slots=True)
class State:
    """Everything on the screens that came from the evaluator or was chosen with a key.

    ``task`` is the key of the shown task. ``removed`` are the players that are removed in the layer grid. ``scored`` is
    the latest score of a coalition that was toggled here, maybe of an earlier one. ``said`` is what was said last,
    maybe for another explorer. ``notice`` is the latest refusal. ``silence`` describes the evaluator while it does not
    answer, ``ended_by`` says who has ended it, if it said so, and ``store`` is the file that it writes to. ``stored``
    says that ``bench`` and ``charts`` were read from the store, before the evaluator has opened the model. ``past``
    are jobs of earlier evaluators, ``rates`` what is known of a model's speed, and ``pid`` is the evaluator's process.
    ``resuming`` counts the jobs that go on once it has started. ``left`` has what was removed from models that were
    open before, by their ids. ``refused`` says why the evaluator has not evaluated the removed coalition.
    ``cancelled`` has the numbers of the jobs that this explorer has had cancelled. A job ends after its batch in hand.
    ``crew`` says what the workers of a job do.
    """

    connection: Connection = "starting"
    silence: Silence | None = None
    narration: str = ""
    notice: str = ""
    bench: Opened | None = None
    jobs: tuple[JobView, ...] = ()
    unsaved: int = 0
    charts: Mapping[str, Charts] = field(default_factory=lambda: MappingProxyType({}))
    task: str | None = None
    removed: Removed = ()
    scored: Scored | None = None
    said: Said | None = None
    store: Path | None = None
    ended_by: Literal["explorer", "signal"] | None = None
    stored: bool = False
    past: tuple[JobView, ...] = ()
    rates: Rates | None = None
    pid: int | None = None
    resuming: int = 0
    left: Mapping[str, Removed] = field(default_factory=lambda: MappingProxyType({}))
    refused: str = ""
    cancelled: frozenset[int] = frozenset()
    crew: Workers | None = None

    @property
    def players(self) -> tuple[Player, ...]:
        return () if self.bench is None else self.bench.model.players

    @property
    def not_open(self) -> str:
        """Why nothing can be asked of a model where none is open."""
        if self.connection == "starting" or self.narration:
            return f"{self.narration or 'the evaluator is starting'}; this needs the model"
        return "nothing is open yet; m on the explorer chooses a model and tasks"

    @property
    def writers(self) -> tuple[Writer, ...]:
        """The runs elsewhere that were writing to the store when it was last read."""
        return () if self.bench is None else self.bench.writers

    @property
    def bench_task(self) -> BenchTask | None:
        """The shown task."""
        tasks = () if self.bench is None else self.bench.tasks
        return next((task for task in tasks if task.key == self.task), None)

    @property
    def shown_charts(self) -> Charts | None:
        return None if self.task is None else self.charts.get(self.task)

    @property
    def shown_score(self) -> Scored | None:
        """The score of exactly the removed coalition, on the shown task."""
        return self.scored if self.scored is not None and is_shown(self, self.scored) else None

    @property
    def is_empty(self) -> bool:
        """Whether the model is open, nothing is removed, and not even the intact model has a score."""
        task, charts = self.bench_task, self.shown_charts
        there = task is not None and task.values and charts is not None and not self.stored and not self.removed
        return bool(there) and charts is not None and charts.intact is None

    def workers_of(self, job: JobView) -> tuple[WorkerView, ...]:
        """Return what each worker of a job does; () where it has none, or has ended."""
        return self.crew.workers if self.crew is not None and self.crew.job == job.job else ()

    @property
    def known_speed(self) -> Known:
        """What is known of how long runs with the open model take."""
        rates, bench = self.rates, self.bench
        if rates is None or bench is None or rates.model_id != bench.model_id:
            return NOTHING
        return Known(rates.rates, rates.work)

    @property
    def ended_jobs(self) -> tuple[JobView, ...]:
        """The jobs that have ended, also those of earlier evaluators; the latest first."""
        ended = [*self.past, *(job for job in self.jobs if job.state not in UNFINISHED)]
        return tuple(sorted(ended, key=_end_of, reverse=True))

    @property
    def unfinished(self) -> tuple[JobView, ...]:
        """The jobs that run or wait."""
        return tuple(job for job in self.jobs if job.state in UNFINISHED)

    @property
    def current_job(self) -> JobView | None:
        """The job that runs or is paused, else the first that waits."""
        for states in ({"running", "paused"}, {"queued"}):
            for job in self.jobs:
                if job.state in states:
                    return job
        return None


def after(state: State, event: Event) -> State:  # noqa: PLR0911, PLR0912 one line an event
    """Return the state after an event."""
    match event:
        case Hello(store=store, pid=pid):
            return replace(state, connection="connected", notice="", store=Path(store), ended_by=None, pid=pid)
        case Narration(text=text):
            return replace(state, narration=text)
        case Refusal(text=text, mend=mend, toggle=toggle):
            said = explorer_sentence(text, mend, state.store)
            return replace(state, notice=said, refused=state.refused if toggle is None else said)
        case Goodbye(by=by):
            return replace(state, ended_by=by)
        case MemoryWasShort():
            return replace(state, notice=MEMORY_SHORT)
        case Jobs(jobs=jobs, unsaved=unsaved):
            return replace(state, jobs=jobs, unsaved=unsaved, resuming=0 if jobs else state.resuming)
        case PastJobs(jobs=jobs):
            return replace(state, past=jobs)
        case Rates():
            return replace(state, rates=event)
        case Workers():
            return replace(state, crew=event)
        case Writers(writers=writers):
            bench = state.bench
            return replace(state, bench=None if bench is None else bench.model_copy(update={"writers": writers}))
        case Opened():
            return _opened(state, event)
        case Said():
            return replace(state, said=event)
        case Charts(task=task):
            return replace(state, charts=MappingProxyType({**state.charts, task: event}))
        case Scored():
            # What another explorer has toggled is not what is looked at here.
            return replace(state, scored=event, refused="") if is_shown(state, event) else state


def from_store(state: State, opened: Opened, charts: Iterable[Charts], session: Session) -> State:
    """Return the state that shows stored results, with the session's task and removed players. Its notice stays."""
    shown = replace(_opened(state, opened), stored=True, notice=state.notice)
    return resumed(replace(shown, charts=MappingProxyType({each.task: each for each in charts})), session)


def _end_of(job: JobView) -> tuple[datetime, int]:
    """Return when a job ended; one that was interrupted, when it began."""
    return job.ended or job.started or _LONG_AGO, job.job


def is_shown(state: State, answer: Scored | Toggle) -> bool:
    """Return whether a score, or a request for one, is of exactly the removed coalition, on the shown task."""
    removed = answer.removed if isinstance(answer, Toggle) else answer.point.removed
    return answer.task == state.task and removed == state.removed


def ends_another(state: State, event: Event) -> bool:
    """Return whether an event is the last answer to another coalition than is shown: one of another explorer."""
    if isinstance(event, Refusal):
        return event.toggle is not None and not is_shown(state, event.toggle)
    return isinstance(event, Scored) and event.final and not is_shown(state, event)


def sent(state: State, request: Request) -> State:
    """Return the state after a request was sent: a job that is cancelled is said to be at once."""
    return replace(state, cancelled=state.cancelled | {request.job}) if isinstance(request, Cancel) else state


def lost(state: State, notice: str) -> State:
    """Return the state without the evaluator: its results stay, and its jobs no longer run."""
    ended = tuple(job for job in state.jobs if job.state not in UNFINISHED)
    return replace(
        state,
        connection="lost",
        silence=None,
        narration="",
        notice=notice,
        jobs=(),
        unsaved=0,
        past=(*state.past, *ended),
        pid=None,
        resuming=0,
        cancelled=frozenset(),
        crew=None,
    )


def resumed(state: State, session: Session) -> State:
    """Return the state after opening, with the shown task and the removed players if they still exist."""
    if state.bench is None or state.bench.model_id != session.model_id:
        return state
    keys = [task.key for task in state.bench.tasks]
    known = range(len(state.players))
    removed = session.removed if all(number in known for number in session.removed) else ()
    return replace(state, task=session.task if session.task in keys else state.task, removed=removed)


def _opened(state: State, event: Opened) -> State:
    keys = [task.key for task in event.tasks]
    before = state.bench
    same_model = before is not None and before.model.fingerprint == event.model.fingerprint
    left = state.left if before is None else MappingProxyType({**state.left, before.model_id: state.removed})
    return replace(
        state,
        bench=event,
        stored=False,
        notice="",
        refused="",
        charts=MappingProxyType({key: charts for key, charts in state.charts.items() if key in keys}),
        task=state.task if state.task in keys else _same_task(state, event),
        removed=left.get(event.model_id, ()),
        left=left,
        scored=state.scored if same_model else None,
    )


def _same_task(state: State, event: Opened) -> str | None:
    """Return the key of the shown task with the documents that are open now; that of the first task if it is gone."""
    shown = state.bench_task
    same = [task.key for task in event.tasks if shown is not None and task.task_id == shown.task_id]
    return next(iter([*same, *(task.key for task in event.tasks)]), None)
