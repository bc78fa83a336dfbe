"""The running estimate of a schedule: the coalitions that its estimator needs next, and whether the top is decided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.coalitions.players import Removed
from core.errors import CornerstoneError
from core.estimators.question import Game
from core.records.records import DocumentRecord, Outcome, StoredValues, TaskRecord
from core.statistics.sequential import Verdict, decide
from core.study.events import Phase, TopLooked, TopVerdict
from core.values.value_table import ValueTable


class RunningEstimate:
    """The values of one task's documents so far, and the estimate of a game from them."""

    def __init__(self, task: TaskRecord, documents: Sequence[DocumentRecord], game: Game, value: str) -> None:
        """Begin without outcomes; the documents must have the value ``value``."""
        self._task = task
        self._game = game
        self._table = ValueTable(documents, value, task.mean_metrics)

    @property
    def value(self) -> str:
        return self._table.value

    def load(self, stored: StoredValues) -> None:
        """Take stored values."""
        self._table.load(stored)

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Take new outcomes."""
        self._table.add(outcomes)

    def look(self, top: int, confidence: float) -> Look | None:
        """Return whether the first ``top`` units are decided by the documents that have every coalition.

        A decision holds for documents in random order, and later documents that another run stored were not drawn at
        random. So only documents before the first that lacks a coalition count. Returns None if none counts.
        """
        wanted = [self._game.grouping.removed(units) for units in self._game.estimator.missing({}, self._game.units)]
        reached = self._table.reached(wanted)
        scores = {removed: values[:reached] for removed, values in self._table.scores.items()}
        outcomes, absent = self._game.read_complete(self._game.by_units(scores))
        if absent or not outcomes:
            return None
        contributions = self._game.estimator.contributions(outcomes, self._game.units)
        return Look(decide(contributions, top, confidence), contributions.shape[1], self._game.grouping.labels)

    def rounds(self) -> Iterator[tuple[Removed, ...]]:
        """Yield the coalitions of players that the estimator reads, stored or not, round by round.

        Evaluate each round, and ``add`` its outcomes, before asking for the next.

        Raises:
            CornerstoneError: no document has the value under all of them.
        """
        asked: set[Removed] = set()
        while True:
            complete = self._table.complete()
            if any(not len(values) for values in complete.values()):
                raise CornerstoneError(
                    f"no document of {self._task.name} has a {self.value} under every coalition evaluated so far; "
                    "choose another value"
                )
            known, lacking = self._game.read(self._game.by_units(complete))
            wanted = map(self._game.grouping.removed, (*known, *lacking))
            new = tuple(removed for removed in wanted if removed not in asked)
            assert new or not lacking
            if new:
                yield new
            if not lacking:
                return
            asked.update(new)


@dataclass(frozen=True, slots=True)
class Look:
    """A verdict after ``documents`` documents; ``labels`` name the units."""

    verdict: Verdict
    documents: int
    labels: tuple[str, ...]

    def event(self, phase: Phase, top: int, confidence: float) -> TopLooked:
        """Return the event that reports the verdict."""
        verdict = TopVerdict(
            schedule=phase.schedule,
            task=phase.task.name,
            k=top,
            confidence=confidence,
            documents=self.documents,
            asked=phase.documents,
            size=phase.data.size,
            top=tuple(self.labels[unit] for unit in self.verdict.top),
            undecided=tuple(self.labels[unit] for unit in self.verdict.undecided),
            more=self.verdict.more_documents,
        )
        return TopLooked(phase, verdict)
