"""Looking at outcomes while a schedule goes on: what an estimator asks for next, and whether the top is decided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.coalitions.players import Removed
from core.errors import CornerstoneError
from core.estimators.question import Game
from core.records.records import DocumentRecord, Outcome, StoredValues, TaskRecord
from core.statistics.sequential import Verdict, decide
from core.study.events import Phase, TopLooked
from core.values.of_task import checked_value
from core.values.value_table import Tally


class Watch:
    """The values of one task's documents, and what a game says of them.

    Raises:
        CornerstoneError: the task does not have the value.
    """

    def __init__(self, task: TaskRecord, documents: Sequence[DocumentRecord], game: Game, value: str | None) -> None:
        self._task = task
        self._game = game
        self._tally = Tally(documents, checked_value(task, documents, value), task.mean_metrics)

    @property
    def value(self) -> str:
        return self._tally.value

    def load(self, stored: StoredValues) -> None:
        """Take what is stored."""
        self._tally.load(stored)

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Take new outcomes."""
        self._tally.add(outcomes)

    def look(self, top: int, confidence: float) -> Look | None:
        """Whether the first units are decided by the documents that have every coalition; None where none has.

        A decision holds for documents in random order, so those count that come before the first that lacks one: what
        another run stored of later ones was not drawn at random.
        """
        wanted = [self._game.grouping.removed(units) for units in self._game.estimator.missing({}, self._game.units)]
        reached = self._tally.reached(wanted)
        scores = {removed: values[:reached] for removed, values in self._tally.scores.items()}
        outcomes, absent = self._game.read_complete(self._game.by_units(scores))
        if absent or not outcomes:
            return None
        contributions = self._game.estimator.contributions(outcomes, self._game.units)
        return Look(decide(contributions, top, confidence), contributions.shape[1], self._game.grouping.labels)

    def rounds(self) -> Iterator[tuple[Removed, ...]]:
        """The coalitions of players that the estimator reads, stored or not, as it comes to ask for them.

        Each round is to be evaluated, and ``add``-ed, before the next is asked for.

        Raises:
            CornerstoneError: no document has the value under all of them.
        """
        asked: set[Removed] = set()
        while True:
            complete = self._tally.complete()
            if any(not len(values) for values in complete.values()):
                raise CornerstoneError(
                    f"no document of {self._task.name} has a {self.value} under every coalition evaluated so far; "
                    "choose another with --value"
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
    """A verdict after so many documents; ``labels`` are of the units."""

    verdict: Verdict
    documents: int
    labels: tuple[str, ...]

    def told(self, phase: Phase, top: int, confidence: float) -> TopLooked:
        """The event that says it."""
        return TopLooked(
            phase=phase,
            k=top,
            confidence=confidence,
            documents=self.documents,
            top=tuple(self.labels[unit] for unit in self.verdict.top),
            undecided=tuple(self.labels[unit] for unit in self.verdict.undecided),
            more=self.verdict.more_documents,
        )
