"""Made-up outcomes to record: the same seed gives the same ones, in every process."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from core.coalitions.players import Removed
from core.coalitions.schedules import windows
from core.records.records import Assignment, Outcome
from tests.support import store_records

Identity: TypeAlias = tuple[str, str, str, Removed]
"""What an outcome belongs to: fingerprints of model and task, a document's key, and the removed players."""

_CHUNKS = 10


@dataclass(frozen=True, slots=True)
class Work:
    """An assignment and its outcomes, in the chunks in which they are recorded."""

    assignment: Assignment
    chunks: Sequence[Sequence[Outcome]]

    def identity(self, outcome: Outcome) -> Identity:
        """Return what an outcome of this work belongs to."""
        asked = self.assignment
        return asked.model.fingerprint, asked.task.fingerprint, outcome.document, outcome.removed

    def first(self, chunks: int) -> Mapping[Identity, Outcome]:
        """Return the outcomes of the first chunks, by what they belong to."""
        return {self.identity(outcome): outcome for chunk in self.chunks[:chunks] for outcome in chunk}

    @property
    def outcomes(self) -> Mapping[Identity, Outcome]:
        """All outcomes, by what they belong to."""
        return self.first(len(self.chunks))


def work(seed: int, *, model: str = "tiny", documents: int = 40, chunks: int = _CHUNKS) -> Work:
    """Return the work of a seed: windows of up to three of six players, over ``documents`` documents."""
    drawn = random.Random(seed)
    docs = store_records.documents(range(documents), prefix=f"doc {seed}")
    coalitions = list(windows(store_records.PLAYERS, 3))
    asked = store_records.assignment(docs, coalitions, of_model=store_records.model(model))
    outcomes = list(_outcomes(asked, drawn))
    drawn.shuffle(outcomes)
    cuts = [0, *sorted(drawn.sample(range(1, len(outcomes)), chunks - 1)), len(outcomes)]
    return Work(asked, [outcomes[start:end] for start, end in itertools.pairwise(cuts)])


def _outcomes(asked: Assignment, drawn: random.Random) -> Iterator[Outcome]:
    for removed in asked.coalitions:
        for document in asked.documents:
            logprobs = [-drawn.random() * 9 for _ in document.choices]
            yield store_records.outcome(document.key, removed, float(drawn.random() < 0.5), logprobs=logprobs)
