"""The state of the explorer as one value. Every event of the evaluator and every key makes a new one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from core.coalitions.players import Player, Removed
from core.evaluator.protocol import (
    BenchTask,
    Charts,
    Event,
    Goodbye,
    Hello,
    Jobs,
    JobView,
    MemoryWasShort,
    Narration,
    Opened,
    Refusal,
    Scored,
)
from core.evaluator.silence import Silence
from core.records.records import Writer
from tui.drawing.event_text import MEMORY_SHORT
from tui.drawing.mends import explorer_sentence
from tui.explorer.session import Session

Connection = Literal["starting", "connected", "lost"]


@dataclass(frozen=True, slots=True)
class State:
    """Everything on the screens that came from the evaluator or was chosen with a key.

    ``task`` is the key of the shown task. ``removed`` are the players that are removed in the layer grid. ``scored`` is
    the latest score of a coalition that was toggled here, maybe of an earlier one. ``notice`` is the latest refusal.
    ``silence`` describes the evaluator while it does not answer, ``ended_by`` says who has ended it, if it said so, and
    ``store`` is the file that it writes to.
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
    store: Path | None = None
    ended_by: Literal["explorer", "signal"] | None = None

    @property
    def players(self) -> tuple[Player, ...]:
        return () if self.bench is None else self.bench.model.players

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
    def unfinished(self) -> tuple[JobView, ...]:
        """The jobs that run or wait."""
        return tuple(job for job in self.jobs if job.state in {"running", "paused", "queued"})

    @property
    def current_job(self) -> JobView | None:
        """The job that runs or is paused, else the first that waits."""
        for states in ({"running", "paused"}, {"queued"}):
            for job in self.jobs:
                if job.state in states:
                    return job
        return None


def after(state: State, event: Event) -> State:  # noqa: PLR0911 one line an event
    """Return the state after an event."""
    match event:
        case Hello(store=store):
            return replace(state, connection="connected", notice="", store=Path(store), ended_by=None)
        case Narration(text=text):
            return replace(state, narration=text)
        case Refusal(text=text, mend=mend):
            return replace(state, notice=explorer_sentence(text, mend, state.store))
        case Goodbye(by=by):
            return replace(state, ended_by=by)
        case MemoryWasShort():
            return replace(state, notice=MEMORY_SHORT)
        case Jobs(jobs=jobs, unsaved=unsaved):
            return replace(state, jobs=jobs, unsaved=unsaved)
        case Opened():
            return _opened(state, event)
        case Charts(task=task):
            return replace(state, charts=MappingProxyType({**state.charts, task: event}))
        case Scored():
            # What another explorer has toggled is not what is looked at here.
            return replace(state, scored=event) if is_shown(state, event) else state


def is_shown(state: State, scored: Scored) -> bool:
    """Return whether a score is of exactly the removed coalition, on the shown task."""
    return scored.task == state.task and scored.point.removed == state.removed


def lost(state: State, notice: str) -> State:
    """Return the state without the evaluator: its results stay, and its jobs no longer run."""
    return replace(state, connection="lost", silence=None, narration="", notice=notice, jobs=(), unsaved=0)


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
    same_model = state.bench is not None and state.bench.model.fingerprint == event.model.fingerprint
    return replace(
        state,
        bench=event,
        notice="",
        charts=MappingProxyType({key: charts for key, charts in state.charts.items() if key in keys}),
        task=state.task if state.task in keys else next(iter(keys), None),
        removed=state.removed if same_model else (),
        scored=state.scored if same_model else None,
    )
