"""What explorer and evaluator say to each other: one JSON message each, checked on both sides.

An explorer sends requests; the evaluator sends events, to every explorer that is connected. Whoever connects is told
everything first: ``Hello``, the jobs, the workbench if there is one, and its charts.
"""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic

from core.coalitions.players import Removed
from core.config.run_config import RunConfig
from core.records.records import ModelRecord, Writer
from core.summaries.points import AblationPoint, CoalitionPoint, ShapleyPoint

PROTOCOL_VERSION = 4

JobState = Literal["queued", "running", "paused", "finished", "cancelled", "failed"]


class _Message(pydantic.BaseModel):
    """One message; ``type`` tells which."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


class Open(_Message):
    """Make this model and these tasks the workbench: what is charted and toggled. Schedules are not run."""

    type: Literal["open"] = "open"
    config: RunConfig


class StartJob(_Message):
    """Make ``config`` the workbench and run its schedules, after the jobs before it."""

    type: Literal["start job"] = "start job"
    config: RunConfig
    command: str


class Toggle(_Message):
    """Evaluate a hand-picked coalition on one task of the workbench, before anything else and in place of the last."""

    type: Literal["toggle"] = "toggle"
    task: str
    removed: Removed


class Pause(_Message):
    """Hold a running job between two layer batches; its hidden states stay."""

    type: Literal["pause"] = "pause"
    job: int


class Resume(_Message):
    """Let a paused job go on."""

    type: Literal["resume"] = "resume"
    job: int


class Cancel(_Message):
    """End a job. What it has recorded stays."""

    type: Literal["cancel"] = "cancel"
    job: int


class ShutDown(_Message):
    """End the evaluator: the chunk in flight is dropped, what was evaluated is written."""

    type: Literal["shut down"] = "shut down"


class Hello(_Message):
    """The first event on every connection. ``busy`` tells whether something is open or being opened."""

    type: Literal["hello"] = "hello"
    protocol: int
    version: str
    pid: int
    store: str
    busy: bool


class Narration(_Message):
    """What the evaluator is doing when no job is running, such as loading a model; empty when it waits."""

    type: Literal["narration"] = "narration"
    text: str


class Refusal(_Message):
    """A request could not be done, and why. It changed nothing."""

    type: Literal["refusal"] = "refusal"
    text: str


class BenchTask(pydantic.BaseModel, frozen=True):
    """A task of the workbench. ``key`` names it in other messages; ``value`` is the one of ``values`` that is charted.

    ``chance`` is the mean of 1/choices over the documents, None where nothing is chosen from or the value
    is no accuracy. ``documents`` are open, of the ``size`` that its data set has.
    """

    key: str
    name: str
    task_id: str
    documents: int
    size: int
    value: str
    chance: float | None
    values: tuple[str, ...] = ()


class Opened(_Message):
    """The workbench now. ``model_id`` and ``task_id`` tell apart in the store what shares a name.

    Its charts have what was stored when it was opened; ``writers`` were adding to that.
    """

    type: Literal["opened"] = "opened"
    config: RunConfig
    model: ModelRecord
    model_id: str
    device: str
    tasks: tuple[BenchTask, ...]
    writers: tuple[Writer, ...] = ()


class JobView(pydantic.BaseModel, frozen=True):
    """A job as it stands. ``done`` and ``total`` count outcomes of all its phases, part of a chunk included.

    ``total`` is a bound while a phase that may end before it is ``open_ended``, and what it came to afterwards.

    ``seconds_left`` is None while unknown. ``error`` is the whole text of what went wrong; ``notes`` say what was found
    on the way, as that the top is decided.
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
    notes: tuple[str, ...] = ()

    @property
    def open_ended(self) -> bool:
        """Whether it may end before ``total``: its coalitions are chosen on the way, or a decision stops it."""
        may = self.config.until_top is not None or "permutation" in self.config.schedules
        return may and self.state in {"queued", "running", "paused"}


class Jobs(_Message):
    """Every job since the evaluator started, oldest first; ``unsaved`` outcomes wait for the store to be free."""

    type: Literal["jobs"] = "jobs"
    jobs: tuple[JobView, ...]
    unsaved: int = 0


class Charts(_Message):
    """What is known of one task of the workbench.

    ``shapley`` is of the units of the workbench's schedule, where that answers another question than the windows of
    sublayers do; else, and until it is answered, of those windows. It is empty until all coalitions that ``estimator``
    needs have a document in common.
    """

    type: Literal["charts"] = "charts"
    task: str
    intact: CoalitionPoint | None
    ablation: tuple[AblationPoint, ...]
    shapley: tuple[ShapleyPoint, ...]
    estimator: str
    max_removed: int


class Scored(_Message):
    """A toggled coalition as far as it is evaluated; ``wanted`` documents in all, ``final`` when no more will come."""

    type: Literal["scored"] = "scored"
    task: str
    point: CoalitionPoint
    wanted: int
    final: bool


Request = Annotated[Open | StartJob | Toggle | Pause | Resume | Cancel | ShutDown, pydantic.Field(discriminator="type")]
Event = Annotated[Hello | Narration | Refusal | Opened | Jobs | Charts | Scored, pydantic.Field(discriminator="type")]

_REQUESTS: pydantic.TypeAdapter[Request] = pydantic.TypeAdapter(Request)
_EVENTS: pydantic.TypeAdapter[Event] = pydantic.TypeAdapter(Event)


def parse_request(text: str | bytes) -> Request:
    """A request from its JSON.

    Raises:
        pydantic.ValidationError: it is none.
    """
    return _REQUESTS.validate_json(text)


def parse_event(text: str | bytes) -> Event:
    """An event from its JSON.

    Raises:
        pydantic.ValidationError: it is none.
    """
    return _EVENTS.validate_json(text)
