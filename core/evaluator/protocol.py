"""The messages between explorer and evaluator, as JSON that both sides check.

An explorer sends requests. The evaluator sends events to every connected explorer. A new connection first gets the
whole state: ``Hello``, the jobs, and the open workbench with its charts.
"""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic

from core.coalitions.players import Removed
from core.config.run_config import RunConfig
from core.errors import Mend
from core.records.records import ModelRecord, Writer
from core.study.events import TopVerdict
from core.summaries.points import AblationPoint, CoalitionPoint, ShapleyPoint

PROTOCOL_VERSION = 6

JobState = Literal["queued", "running", "paused", "finished", "cancelled", "failed"]


class _Message(pydantic.BaseModel):
    """One message. ``type`` says which."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


class Open(_Message):
    """Open this model and these tasks, to chart and toggle them. Schedules are not run."""

    type: Literal["open"] = "open"
    config: RunConfig


class StartJob(_Message):
    """Open ``config`` and run its schedules, after the jobs before it."""

    type: Literal["start job"] = "start job"
    config: RunConfig
    command: str


class Toggle(_Message):
    """Evaluate a hand-picked coalition on one open task, before anything else and instead of the last one."""

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
    """A sentence on a request that failed, or on another problem. ``mend`` names the way to mend it, as in an error."""

    type: Literal["refusal"] = "refusal"
    text: str
    mend: Mend | None = None


class Goodbye(_Message):
    """The evaluator ends now, because an explorer has asked for it, or because of a signal."""

    type: Literal["goodbye"] = "goodbye"
    by: Literal["explorer", "signal"]


class MemoryWasShort(_Message):
    """Memory ran out for a chunk of the running job, which goes on in smaller chunks."""

    type: Literal["memory was short"] = "memory was short"


class BenchTask(pydantic.BaseModel, frozen=True):
    """An open task. ``key`` names it in other messages.

    ``value`` is the one of ``values`` that is charted. Without ``values`` it is "no value", and nothing is charted.

    ``chance`` is the mean of 1/choices over the documents, None if there are no choices or the value is no accuracy.
    ``documents`` counts the open documents, and ``size`` those of the data set. ``most_new`` is the most tokens of an
    answer that the model writes, 0 if it writes none.
    """

    key: str
    name: str
    task_id: str
    documents: int
    size: int
    value: str
    chance: float | None
    values: tuple[str, ...] = ()
    most_new: int = 0

    @property
    def charted(self) -> str | None:
        """The value that is charted, to ask a store for; None if the task has none."""
        return self.value if self.values else None


class Opened(_Message):
    """The open model and tasks. ``model_id`` and ``task_id`` tell apart models and tasks of the same name in the store.

    Its charts show the outcomes stored when it was opened. ``writers`` are runs that were still writing at that time.
    """

    type: Literal["opened"] = "opened"
    config: RunConfig
    model: ModelRecord
    model_id: str
    device: str
    tasks: tuple[BenchTask, ...]
    writers: tuple[Writer, ...] = ()


class JobView(pydantic.BaseModel, frozen=True):
    """The state of a job. ``done`` and ``total`` count the outcomes of all its phases, also within a chunk.

    ``total`` is a bound while a phase is ``open_ended``, and the real number afterwards.

    ``seconds_left`` is None while unknown. ``error`` is the whole text of an error, and ``mend`` the way to mend it.
    ``notes`` are findings on the way, such as whether the top is decided.
    """

    job: int
    title: str
    command: str
    config: RunConfig
    state: JobState
    phase: str = ""
    done: float = 0.0
    total: int = 0
    rate: float = 0.0
    seconds_left: float | None = None
    error: str = ""
    mend: Mend | None = None
    notes: tuple[TopVerdict, ...] = ()

    @property
    def open_ended(self) -> bool:
        """Whether it may end before ``total``, because its coalitions are chosen as it runs or a decision stops it."""
        may = self.config.until_top is not None or self.config.in_rounds
        return may and self.state in {"queued", "running", "paused"}


class Jobs(_Message):
    """Every job since the evaluator started, the oldest first. ``unsaved`` outcomes wait until the store is free."""

    type: Literal["jobs"] = "jobs"
    jobs: tuple[JobView, ...]
    unsaved: int = 0


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


Request = Annotated[Open | StartJob | Toggle | Pause | Resume | Cancel | ShutDown, pydantic.Field(discriminator="type")]
Event = Annotated[
    Hello | Goodbye | Narration | Refusal | MemoryWasShort | Opened | Jobs | Charts | Scored,
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
