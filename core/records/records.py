"""The plain records that a study hands to a recorder, and the protocol of a recorder.

A number belongs to (model, task, document, coalition). A fingerprint names each of the first three, so results of
different weights, prompt settings or data can never be confused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

from core.coalitions.players import Kinds, Player, Removed, players_of
from core.errors import CornerstoneError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Metric = float | int | str | bool | None | Sequence["Metric"]
RunState = Literal["running", "finished", "stopped", "cancelled", "failed"]
"""A person has cancelled a run, or it was stopped by a signal, by its caller or by the end of its program."""

WRITTEN: Final = "written"
"""The name, among an outcome's ``other`` values, of the text that the model wrote."""

HIGHEST_LOGPROB: Final = 0.1
"""The highest log-probability that rounding explains, in nats: each token of a long text may add to it."""


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A model as evaluated. ``fingerprint`` covers weights, configuration, tokenizer and dtype.

    ``kinds`` are those of its players, by layer.
    """

    fingerprint: str
    name: str
    source: str
    revision: str | None
    dtype: str
    family: str
    kinds: Kinds

    @property
    def players(self) -> tuple[Player, ...]:
        return players_of(self.kinds)


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task and its prompt settings. ``fingerprint`` covers all fields and the task's own definition.

    ``mean_metrics`` are those whose score is the mean over documents, and ``other_metrics`` the others. A
    value of a game is one of the first, or one of the second that ``core.values.corpus`` makes a value of.
    """

    fingerprint: str
    name: str
    version: str
    num_fewshot: int
    chat_template: bool
    output_type: str
    mean_metrics: tuple[str, ...]
    other_metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DataRecord:
    """The data set a task reads. ``fingerprint`` covers every document after the task's processing."""

    fingerprint: str
    source: str
    size: int


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """One document. ``key`` hashes its rendered requests and gold; ``doc_id`` is lm-eval's position in the data.

    ``gold`` holds the indices of the right choices (one, as a rule). ``choices`` are the texts to choose
    from: a single continuation, as in LAMBADA, is one choice. Where the model writes a text, the right one is the only
    choice.
    """

    key: str
    doc_id: int
    gold: tuple[int, ...]
    prompt: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One document's result under one coalition, as lm-eval's own scoring gives it.

    ``logprobs`` are natural logarithms, summed over each request's continuation; there are none where the model wrote
    a text. ``metrics`` are per-document values whose mean is the score; ``other`` are those that aggregate in another
    way, kept as given, and the text that the model wrote.
    """

    document: str
    removed: Removed
    logprobs: tuple[float, ...]
    is_greedy: tuple[bool, ...]
    metrics: Mapping[str, float]
    other: Mapping[str, Metric]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run: its command and configuration, and the versions of the software. ``config`` is JSON text."""

    run_id: str
    command: str
    config: str
    versions: str
    seed: int


@dataclass(frozen=True, slots=True)
class Writer:
    """A run of another process that is still going on, and the command that started it."""

    run_id: str
    command: str


class DocumentedTask(Protocol):
    """A task with its documents, as far as records need it; ``core.tasks.prepare.PreparedTask`` is one."""

    @property
    def record(self) -> TaskRecord: ...

    @property
    def data(self) -> DataRecord: ...

    @property
    def document_records(self) -> Sequence[DocumentRecord]: ...


@dataclass(frozen=True, slots=True)
class Assignment:
    """The part of a run that concerns one task: these documents, each under these coalitions."""

    model: ModelRecord
    task: TaskRecord
    data: DataRecord
    documents: Sequence[DocumentRecord]
    coalitions: Sequence[Removed]

    @classmethod
    def of(cls, model: ModelRecord, task: DocumentedTask, coalitions: Sequence[Removed] = ()) -> Assignment:
        """Assign all documents of a task, each under every one of the coalitions."""
        return cls(model, task.record, task.data, task.document_records, coalitions)

    def shares_outcomes(self, other: Assignment) -> bool:
        """Return whether an outcome of one holds for the other: both are of the same model and task."""
        return (self.model.fingerprint, self.task.fingerprint) == (other.model.fingerprint, other.task.fingerprint)


@dataclass(frozen=True, slots=True)
class StoredValues:
    """One value of the stored outcomes: ``values`` has shape (removed sets, documents), ``keys`` names the documents.

    An entry is NaN where the outcome is not stored or has no such value; ``there`` is true where it is stored.
    ``weights`` are those of the documents where the value is a ratio of sums (``core.values.corpus``), NaN where none
    is known.
    """

    removed: tuple[Removed, ...]
    keys: tuple[str, ...]
    values: NDArray[np.float64]
    there: NDArray[np.bool_]
    weights: NDArray[np.float64] | None = None

    @property
    def by_removed(self) -> dict[Removed, NDArray[np.float64]]:
        """The values of each removed set, shape (documents,)."""
        return dict(zip(self.removed, self.values, strict=True))

    def aligned(self, keys: Sequence[str]) -> StoredValues:
        """Return the same values for the documents ``keys``, in that order.

        A key may repeat. A document that is not among these has NaN, and false in ``there``.
        """
        import numpy as np

        place = {key: at for at, key in enumerate(self.keys)}
        columns = np.array([place.get(key, -1) for key in keys], dtype=np.intp)
        known = columns >= 0
        shape = (len(self.removed), len(keys))
        values, there = np.full(shape, np.nan), np.zeros(shape, dtype=np.bool_)
        values[:, known] = self.values[:, columns[known]]
        there[:, known] = self.there[:, columns[known]]
        weights = None
        if self.weights is not None:
            weights = np.full(len(keys), np.nan)
            weights[known] = self.weights[columns[known]]
        return StoredValues(self.removed, tuple(keys), values, there, weights)


class UnknownRunError(CornerstoneError):
    """A recorder does not know a run: what it had was removed or replaced since the run began."""


class Recorder(Protocol):
    """Keeps outcomes. A method returns once its effect is durable, or raises and leaves no part of it.

    A call that is made again adds nothing. ``assign``, ``record`` and ``finish`` may raise UnknownRunError.
    """

    def begin(self, run: RunRecord) -> None:
        """Note that a run has started."""

    def assign(self, run_id: str, assignment: Assignment) -> None:
        """Note the documents and coalitions of one task that a run asks for."""

    def stored(self, assignment: Assignment) -> Mapping[str, frozenset[Removed]]:
        """Return which of the assignment's coalitions are stored, by document key."""

    def values(self, assignment: Assignment, metric: str) -> StoredValues:
        """Return a value of all stored outcomes of an assignment's documents, under any coalition."""

    def record(self, run_id: str, assignment: Assignment, outcomes: Sequence[Outcome]) -> None:
        """Keep outcomes. One that is already stored stays as it is."""

    def finish(self, run_id: str, state: RunState) -> None:
        """Note how a run ended."""

    def writers(self) -> tuple[Writer, ...]:
        """Return the runs of other processes that record here now, the earliest first."""
