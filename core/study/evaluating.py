"""Declare what evaluates the chunks of a study: this process does, or workers in other processes do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.coalitions.players import Removed
from core.engine.sweep import OnBatch
from core.engine.sweep_sizes import SweepSizes
from core.records.records import DocumentRecord, ModelRecord, Outcome
from core.tasks.prepare import PreparedTask


@dataclass(frozen=True, slots=True)
class Skipped:
    """Documents that could not be evaluated under some coalitions, however often it was tried, and why."""

    documents: tuple[DocumentRecord, ...]
    coalitions: tuple[Removed, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Crew:
    """How many workers are at work, of those wanted."""

    ready: int
    wanted: int


Evaluated = list[Outcome] | SweepSizes | Skipped | Crew
"""A chunk's outcomes; sizes, once memory ran out for the first time; what is skipped; a change among the workers."""


class Evaluator(Protocol):
    """Evaluates documents under coalitions, chunk by chunk."""

    @property
    def record(self) -> ModelRecord:
        """The model that is evaluated."""

    def missing(
        self,
        task: PreparedTask,
        coalitions: Sequence[Removed],
        stored: Mapping[str, frozenset[Removed]],
        on_batch: OnBatch,
        *,
        small_first: bool = False,
        in_order: bool = True,
    ) -> Iterator[Evaluated]:
        """Yield missing outcomes chunk by chunk, each chunk under all coalitions that it lacks.

        Args:
            task: its documents are evaluated; a repeated document is evaluated once.
            coalitions: the coalitions to evaluate the documents under.
            stored: by document key, the coalitions whose outcomes are already there.
            on_batch: called now and then with how many outcomes of the chunks in flight are done; what it raises ends
                the work.
            small_first: begin with chunks of few documents.
            in_order: whether chunks have to come in the order of the documents.
        """
