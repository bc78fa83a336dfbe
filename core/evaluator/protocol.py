"""The messages between explorer and evaluator, as JSON that both sides check.

An explorer sends requests. The evaluator sends events to every connected explorer. A new connection first gets the
whole state: ``Hello``, the jobs, and the open workbench with its charts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

import pydantic

from core.coalitions.players import Removed
from core.config.limit import Limit, checked_limit
from core.config.run_config import RunConfig
from core.cost.open_work import OpenWork
from core.cost.rates import Rate
from core.errors import Mend
from core.evaluator.bench_task import BenchTask
from core.proxies.request import MeasureProxies
from core.records.records import ModelRecord, Writer
from core.removal_path.request import PathRequest
from core.say.said import Ask, Dialogue
from core.study.events import CostVerdict, TopVerdict
from core.study.worker_view import WorkerView
from core.summaries.points import AblationPoint, CoalitionPoint, ShapleyPoint

PROTOCOL_VERSION = 15

JobState = Literal["queued", "running", "paused", "finished", "cancelled", "failed", "interrupted"]
"""``interrupted``: its evaluator ended before the job did, and no explorer has had it go on."""

UNFINISHED: Final = frozenset[JobState]({"queued", "running", "paused"})


class _Message(pydantic.BaseModel):
    """One message. ``type`` says which."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


class Open(_Message):
    """Open this model and these tasks, to chart and toggle them. Schedules are not run.

    ``by_hand`` limits the documents of a coalition that is toggled, where those are fewer than are open; None for all
    of these. ``asked`` names this request in its answer, which is an ``Opened`` or a ``Refusal``.
    """

    type: Literal["open"] = "open"
    config: RunConfig
    by_hand: Annotated[Limit, pydantic.BeforeValidator(checked_limit)] = None
    asked: str = ""


class GiveUp(_Message):
    """Give up opening what was asked for. It is refused, unless it is open already."""

    type: Literal["give up"] = "give up"
    asked: str


Special = Annotated[PathRequest | MeasureProxies, pydantic.Field(discriminator="type")]
"""Work of a job other than to run schedules."""


class StartJob(_Message):
    """Open ``config`` and run its schedules, after the jobs before it; or do the ``special`` work instead."""

    type: Literal["start job"] = "start job"
    config: RunConfig
    command: str
    special: Special | None = None


class Toggle(_Message):
    """Evaluate a hand-picked coalition on one open task, before anything else and instead of the last one.

    It is evaluated on as many documents as ``Opened.by_hand`` says. What is known of more counts too.
    """

    type: Literal["toggle"] = "toggle"
    task: str
    removed: Removed


class Pause(_Message):
    """Hold a running job between two layer batches. Its hidden states stay in memory."""

    type: Literal["pause"] = "pause"
    job: int


class Resume(_Message):
    """Continue a paused job."""

    type: Literal["resume"] = "resume"
    job: int


class Cancel(_Message):
    """End a job. Its recorded outcomes stay."""

    type: Literal["cancel"] = "cancel"
    job: int


class Say(_Message):
    """Continue a prompt with the open model, and with players removed, instead of the last prompt.

    It goes on between the batches of jobs and toggles. ``ident`` names it in ``Said`` and ``StopSaying``. ``model_id``
    is that of the model that it is for, as in ``Opened``.
    """

    type: Literal["say"] = "say"
    ident: str
    model_id: str
    removed: Removed
    ask: Ask


class StopSaying(_Message):
    """End a ``Say``. What was said stays."""

    type: Literal["stop saying"] = "stop saying"
    ident: str


class Move(_Message):
    """Move a job that waits one place, among those that wait: to run earlier (-1) or later (1)."""

    type: Literal["move"] = "move"
    job: int
    by: Literal[-1, 1]


class ShutDown(_Message):
    """End the evaluator. The chunk in flight is dropped; evaluated outcomes are written."""

    type: Literal["shut down"] = "shut down"


class Hello(_Message):
    """The first event of every connection. ``busy`` says whether something is open or being opened."""

    type: Literal["hello"] = "hello"
    protocol: int
    version: str
    pid: int
    store: str
    busy: bool


class Narration(_Message):
    """The evaluator's present work while no job is running, such as loading a model; empty while it waits."""

    type: Literal["narration"] = "narration"
    text: str


class Refusal(_Message):
    """A sentence on a request that failed, or on another problem. ``mend`` names the way to mend it, as in an error.

    ``asked`` names the ``Open`` that it answers; it is empty if it answers none. ``toggle`` is the request that it
    answers, if that was for a coalition.
    """

    type: Literal["refusal"] = "refusal"
    text: str
    mend: Mend | None = None
    asked: str = ""
    toggle: Toggle | None = None


class Goodbye(_Message):
    """The evaluator ends now, because an explorer has asked for it, or because of a signal."""

    type: Literal["goodbye"] = "goodbye"
    by: Literal["explorer", "signal"]


class MemoryWasShort(_Message):
    """Memory ran out for a chunk of the running job, which goes on in smaller chunks."""

    type: Literal["memory was short"] = "memory was short"


class Opened(_Message):
    """The open model and tasks. ``model_id`` and ``task_id`` tell apart models and tasks of the same name in the store.

    Its charts show the outcomes stored when it was opened. ``writers`` are runs that were still writing at that time.
    ``asked`` names the ``Open`` that it answers; it is empty if a job has opened it. A job may open more documents than
    were chosen: ``by_hand`` is the limit that was chosen, which holds for coalitions that are toggled.
    """

    type: Literal["opened"] = "opened"
    config: RunConfig
    by_hand: Annotated[Limit, pydantic.BeforeValidator(checked_limit)] = None
    model: ModelRecord
    model_id: str
    device: str
    tasks: tuple[BenchTask, ...]
    writers: tuple[Writer, ...] = ()
    asked: str = ""


class JobView(pydantic.BaseModel, frozen=True):
    """The state of a job. ``done`` and ``total`` count the outcomes of all its phases, also within a chunk.

    ``total`` is a bound while a phase is ``open_ended``, and the real number afterwards.

    ``evaluated`` counts those that were not stored before. ``seconds_left`` is None while unknown. ``started`` and
    ``ended`` are times in UTC, and ``elapsed`` is how many seconds it worked, without pauses. ``error`` is the whole
    text of an error, and ``mend`` the way to mend it. ``notes`` are findings on the way, such as whether the top is
    decided.
    """

    job: int
    title: str
    command: str
    config: RunConfig
    special: Special | None = None
    state: JobState
    phase: str = ""
    done: float = 0.0
    total: int = 0
    evaluated: float = 0.0
    rate: float = 0.0
    seconds_left: float | None = None
    started: datetime | None = None
    ended: datetime | None = None
    elapsed: float = 0.0
    error: str = ""
    mend: Mend | None = None
    notes: tuple[TopVerdict | CostVerdict, ...] = ()

    @property
    def open_ended(self) -> bool:
        """Whether it may end before ``total``, because its coalitions are chosen as it runs or a decision stops it."""
        may = self.config.decides or self.config.in_rounds
        return may and self.state in UNFINISHED


class Jobs(_Message):
    """Every job since the evaluator started, in the order in which they run.

    ``unsaved`` outcomes wait until the store is free.
    """

    type: Literal["jobs"] = "jobs"
    jobs: tuple[JobView, ...]
    unsaved: int = 0


class Workers(_Message):
    """What each worker of the running job does; none of a job that has ended."""

    type: Literal["workers"] = "workers"
    job: int
    workers: tuple[WorkerView, ...] = ()


class PastJobs(_Message):
    """The jobs of earlier evaluators of this store, the oldest first."""

    type: Literal["past jobs"] = "past jobs"
    jobs: tuple[JobView, ...]


class Rates(_Message):
    """The rates that were measured with the open model on this device, in this or earlier programs.

    ``work`` has the sizes of the open model and tasks, by which the time of a run is told that was not measured yet.
    """

    type: Literal["rates"] = "rates"
    model_id: str
    rates: tuple[Rate, ...]
    work: OpenWork | None = None


class Writers(_Message):
    """The runs of other programs that write to the store now."""

    type: Literal["writers"] = "writers"
    writers: tuple[Writer, ...]


class Charts(_Message):
    """The charts of one open task, from its outcomes so far.

    ``shapley`` answers the question of the open schedule, if that is not about windows of sublayers. Otherwise, and
    until that question can be answered, it comes from windows of sublayers. It is empty until all coalitions that
    ``estimator`` needs have a document in common. ``settings`` are the estimator's settings in words.
    """

    type: Literal["charts"] = "charts"
    task: str
    intact: CoalitionPoint | None
    ablation: tuple[AblationPoint, ...]
    shapley: tuple[ShapleyPoint, ...]
    estimator: str
    settings: tuple[str, ...]


class Scored(_Message):
    """The score of a toggled coalition so far, of ``wanted`` documents; ``final`` if no more will come."""

    type: Literal["scored"] = "scored"
    task: str
    point: CoalitionPoint
    wanted: int
    final: bool


class Said(_Message):
    """All that was said so far for the ``Say`` with this ``ident``, which one explorer has asked for.

    ``ended`` if no more will come. ``fault`` is why it ended before both models had finished; empty if they have, or if
    its explorer ended it.
    """

    type: Literal["said"] = "said"
    ident: str
    dialogue: Dialogue = Dialogue()
    ended: bool = False
    fault: str = ""


Request = Annotated[
    Open | GiveUp | StartJob | Toggle | Pause | Resume | Cancel | Move | Say | StopSaying | ShutDown,
    pydantic.Field(discriminator="type"),
]
Event = Annotated[
    Hello
    | Goodbye
    | Narration
    | Refusal
    | MemoryWasShort
    | Opened
    | Jobs
    | Workers
    | PastJobs
    | Rates
    | Writers
    | Charts
    | Scored
    | Said,
    pydantic.Field(discriminator="type"),
]

_REQUESTS: pydantic.TypeAdapter[Request] = pydantic.TypeAdapter(Request)
_EVENTS: pydantic.TypeAdapter[Event] = pydantic.TypeAdapter(Event)


def parse_request(text: str | bytes) -> Request:
    """Parse a request.

    Raises:
        pydantic.ValidationError: the text is no request.
    """
    return _REQUESTS.validate_json(text)


def parse_event(text: str | bytes) -> Event:
    """Parse an event.

    Raises:
        pydantic.ValidationError: the text is no event.
    """
    return _EVENTS.validate_json(text)
