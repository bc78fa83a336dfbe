"""What a study hands to whoever keeps it: plain values, and the protocol of the keeper.

A number belongs to (model, task, document, coalition); each of the first three is named by a fingerprint, so
results of different weights, prompt settings or data can never be confused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from core.coalitions.players import PlayerKind, Removed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Metric = float | int | str | bool | None | Sequence["Metric"]
RunState = Literal["running", "finished", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A model as evaluated. ``fingerprint`` covers weights, configuration, tokenizer and dtype."""

    fingerprint: str
    name: str
    source: str
    revision: str | None
    dtype: str
    family: str
    kinds: tuple[PlayerKind, ...]


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task and its prompt settings. ``fingerprint`` covers all fields and the task's own definition.

    ``mean_metrics`` are those whose score is the mean over documents: only they may be values of a game.
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

    ``gold`` holds the indices of the right choices (one, as a rule). ``choices`` counts what is chosen from: a
    single continuation, as in LAMBADA, has one.
    """

    key: str
    doc_id: int
    gold: tuple[int, ...]
    prompt: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One document's result under one coalition, as lm-eval's own scoring gives it.

    ``logprobs`` are natural logarithms, summed over each request's continuation. ``metrics`` are per-document
    values whose mean is the score; ``other`` are those that aggregate in another way, kept as given.
    """

    document: str
    removed: Removed
    logprobs: tuple[float, ...]
    is_greedy: tuple[bool, ...]
    metrics: Mapping[str, float]
    other: Mapping[str, Metric]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One invocation: what was asked, by which versions. ``config`` is JSON text."""

    run_id: str
    command: str
    config: str
    versions: str
    seed: int


@dataclass(frozen=True, slots=True)
class Writer:
    """A run of another process that goes on, and how it was asked for."""

    run_id: str
    command: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """The part of a run that one task makes up: these documents, each under these coalitions."""

    model: ModelRecord
    task: TaskRecord
    data: DataRecord
    documents: Sequence[DocumentRecord]
    coalitions: Sequence[Removed]


@dataclass(frozen=True, slots=True)
class StoredValues:
    """One metric of what is stored: ``values`` has shape (removed sets, documents).

    It is NaN where the outcome has no such metric, or is not stored; ``there`` tells which.
    """

    removed: tuple[Removed, ...]
    keys: tuple[str, ...]
    values: NDArray[np.float64]
    there: NDArray[np.bool_]


class Recorder(Protocol):
    """Keeps outcomes. Every method returns with its effect durable, or raises and leaves no part of it."""

    def begin(self, run: RunRecord) -> None:
        """Note that a run has started."""

    def assign(self, run_id: str, assignment: Assignment) -> None:
        """Note what a run asks of one task."""

    def stored(self, assignment: Assignment) -> Mapping[str, frozenset[Removed]]:
        """Which coalitions are already stored, by document key."""

    def values(self, assignment: Assignment, metric: str) -> StoredValues:
        """Everything stored of an assignment's documents, whatever the coalition."""

    def record(self, run_id: str, assignment: Assignment, outcomes: Sequence[Outcome]) -> None:
        """Keep outcomes. One that is stored already is left as it was."""

    def finish(self, run_id: str, state: RunState) -> None:
        """Note how a run ended."""

    def writers(self) -> tuple[Writer, ...]:
        """Who else records here at present, the first to begin first."""
