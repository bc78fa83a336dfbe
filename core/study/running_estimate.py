"""The running estimate of a schedule: the coalitions that it still needs, and what is known of its largest units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.coalitions.players import Removed
from core.errors import CornerstoneError
from core.estimators.question import Game
from core.estimators.racing import race_contributions, single_drops
from core.records.records import DocumentRecord, Outcome, StoredValues, TaskRecord
from core.statistics.costs import CostRace, CostVerdicts
from core.statistics.verdicts import Race, Verdicts
from core.study.events import CostLooked, Phase, TopLooked
from core.study.looked import looked
from core.study.plan import Until, UntilCost
from core.values.raced import cost_race_by, race_by
from core.values.value_table import ValueTable


class RunningEstimate:
    """The values of one task's documents so far, and the estimate of a game from them."""

    def __init__(
        self,
        task: TaskRecord,
        documents: Sequence[DocumentRecord],
        game: Game,
        value: str,
        until: Until | UntilCost | None = None,
    ) -> None:
        """Begin without outcomes; the documents must have the value ``value``.

        Args:
            task: the task of the documents.
            documents: in random order, where ``until`` is given.
            game: the units, and the estimator of their values.
            value: the value that is looked at.
            until: what is to be decided.

        Raises:
            CornerstoneError: a cost is asked about that no unit can have.
        """
        self._task = task
        self._game = game
        self._table = ValueTable(documents, value, task.mean_metrics)
        self._race: Race | CostRace | None = None
        if isinstance(until, UntilCost):
            self._race = cost_race_by(value, task.mean_metrics, until.cost, until.confidence)
            self._game = single_drops(game.grouping)
        elif until is not None:
            self._race = race_by(value, task.mean_metrics, until.top, until.confidence)
        self.verdicts: Verdicts | CostVerdicts | None = None
        """The verdicts of the latest ``look``."""

    @property
    def value(self) -> str:
        return self._table.value

    def load(self, stored: StoredValues) -> None:
        """Take stored values."""
        self._table.load(stored)

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Take new outcomes."""
        self._table.add(outcomes)

    def look(self) -> bool:
        """Look at the documents so far, and return whether the verdicts are others than before."""
        if self._race is None:
            return False
        before = ("open",) * self._game.units if self.verdicts is None else self.verdicts.standings
        having = self._table.having()  # the others tell of no unit, in charts and tables neither
        scores = {removed: values[having] for removed, values in self._table.scores.items()}
        found = race_contributions(
            self._game, self._game.by_units(scores), lambda coalitions: int(having[: self._reached(coalitions)].sum())
        )
        if found.size:
            self.verdicts = self._race.look(found)
        return self.verdicts is not None and self.verdicts.standings != before

    def still_needed(self, coalitions: Sequence[Removed]) -> tuple[Removed, ...]:
        """Return those of some coalitions that further documents need; all before the first look, () after the last."""
        if self.verdicts is not None and self.verdicts.decided:
            return ()
        if self.verdicts is None or self._game.estimator.needs(0, self._game.units) is None:
            return tuple(coalitions)
        needed = {removed for unit in self.verdicts.units("open") for removed in self._needs(unit)}
        return tuple(removed for removed in coalitions if removed in needed)

    def _reached(self, coalitions: Sequence[Removed]) -> int:
        return self._table.reached([self._game.grouping.removed(units) for units in coalitions])

    def _needs(self, unit: int) -> list[Removed]:
        """Return the coalitions of players that a unit's contribution is made of."""
        needed = self._game.estimator.needs(unit, self._game.units)
        return [self._game.grouping.removed(removed) for removed in needed or ()]

    def rounds(self) -> Iterator[tuple[Removed, ...]]:
        """Yield the coalitions of players that the estimator reads, stored or not, round by round.

        Evaluate each round, and ``add`` its outcomes, before asking for the next.

        Raises:
            CornerstoneError: no document has the value under all of them.
            TooLargeError: a perplexity that the estimator reads is.
        """
        asked: set[Removed] = set()
        while True:
            complete, ratio = self._table.complete()
            if any(not len(values) for values in complete.values()):
                raise CornerstoneError(
                    f"no document of {self._task.name} has a {self.value} under every coalition evaluated so far; "
                    "choose another value"
                )
            known, lacking = self._game.read(self._game.by_units(complete), ratio)
            wanted = map(self._game.grouping.removed, (*known, *lacking))
            new = tuple(removed for removed in wanted if removed not in asked)
            assert new or not lacking
            if new:
                yield new
            if not lacking:
                return
            asked.update(new)

    def looked(self, phase: Phase, *, final: bool) -> TopLooked | CostLooked | None:
        """Return what the latest look found in a phase; None where nothing was looked at."""
        if self.verdicts is None:
            return None
        return looked(self.verdicts, self._game.grouping.labels, phase, final=final)
