"""Plans: the schedules that a configuration asks for, as coalitions of a model's players."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from core.coalitions.grouping import SUBLAYERS
from core.coalitions.players import Player, Removed, parse_removed
from core.coalitions.schedules import hand_picked
from core.config.run_config import RunConfig
from core.errors import CornerstoneError
from core.estimators.leave_one_out import LeaveOneOut
from core.estimators.question import Game, Question
from core.estimators.windows import WindowFirst
from core.machine.whole_number import whole

MOST_COALITIONS: Final = 10_000_000
"""The most coalitions of a schedule. Their list alone takes gigabytes beyond that."""


@dataclass(frozen=True, slots=True)
class Until:
    """Stop before the documents run out, once the ``top`` units are decided with this ``confidence``."""

    top: int
    confidence: float


@dataclass(frozen=True, slots=True)
class UntilCost:
    """Stop before the documents run out, once it is decided with this ``confidence`` which units cost above ``cost``.

    A unit's cost is by how much the value drops without it alone.
    """

    cost: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """Coalitions to evaluate, under the name that a person reads.

    If it comes in rounds, ``coalitions`` is empty, the game's estimator asks for coalitions as it sees values, and
    ``most`` bounds their number. ``question`` is the question that the game answers.
    """

    name: str
    coalitions: tuple[Removed, ...]
    question: Question | None = None
    game: Game | None = None
    until: Until | UntilCost | None = None
    most: int = 0

    @property
    def in_rounds(self) -> bool:
        return not self.coalitions

    @property
    def looks(self) -> bool:
        """Whether values are read while it runs, to choose coalitions or to stop early."""
        return self.in_rounds or self.until is not None

    @property
    def size(self) -> int:
        """The largest number of coalitions that it may have."""
        return len(self.coalitions) or self.most


def schedules_of(config: RunConfig, players: Sequence[Player]) -> list[Schedule]:
    """Return the schedules that a configuration asks for.

    Raises:
        CornerstoneError: it names a layer that the model does not have, an estimate that cannot be made of so many
            units, more coalitions than can be listed, or a top of all units or more.
    """
    return list(_schedules(config, players))


def _schedules(config: RunConfig, players: Sequence[Player]) -> Iterator[Schedule]:
    if config.remove:
        chosen = hand_picked(parse_removed(text, players) for text in config.remove)
        yield Schedule("hand-picked sets", tuple(chosen))
    until = until_of(config)
    for name in config.schedules:
        question = config.question(name)
        game = question.of(players)
        if isinstance(until, Until) and until.top >= game.units:
            raise CornerstoneError(f"until_top: a top {until.top} of {game.units} units leaves nothing to decide")
        most = game.estimator.most_coalitions(game.units) if game.estimator.in_rounds else 0
        if most > MOST_COALITIONS:
            raise CornerstoneError(
                f"{_title(name, question)} may need {whole(most)} coalitions of {game.units} units, and more than "
                f"{whole(MOST_COALITIONS)} are refused; ask for fewer, or group the units"
            )
        coalitions = game.estimator.coalitions(game.units)
        yield Schedule(
            _title(name, question), tuple(map(game.grouping.removed, coalitions)), question, game, until, most
        )


def until_of(config: RunConfig) -> Until | UntilCost | None:
    """Return what a configuration decides; None if it evaluates all documents."""
    if config.until_cost is not None:
        return UntilCost(config.until_cost, config.confidence)
    return None if config.until_top is None else Until(config.until_top, config.confidence)


def most_coalitions(schedules: Sequence[Schedule]) -> int:
    """Return the largest number of coalitions of some schedules; those that they share count once."""
    listed = {removed for schedule in schedules for removed in schedule.coalitions}
    return len(listed) + sum(schedule.most for schedule in schedules)


def shared_coalitions(schedules: Sequence[Schedule]) -> dict[str, int]:
    """Return by schedule how many of its coalitions a schedule before it has too."""
    seen: set[Removed] = set()
    shared = {}
    for schedule in schedules:
        shared[schedule.name] = len(seen.intersection(schedule.coalitions))
        seen.update(schedule.coalitions)
    return shared


def longest_window(config: RunConfig) -> int:
    """Return how many neighbours a configuration's windows remove at most."""
    return WindowFirst.of(config.settings).max_removed


def own_question(config: RunConfig) -> Question | None:
    """Return the question of a configuration's last schedule; None if windows of sublayers answer it too."""
    if not config.schedules:
        return None
    question = config.question(config.schedules[-1])
    told = question.players == SUBLAYERS and question.estimator.name in {LeaveOneOut.name, WindowFirst.name}
    return None if told else question


def charted(config: RunConfig) -> tuple[int, Question | None, UntilCost | None]:
    """Return what the charts of a configuration show: the longest window, its own question, the cost asked about."""
    until = until_of(config)
    return longest_window(config), own_question(config), until if isinstance(until, UntilCost) else None


def _title(name: str, question: Question) -> str:
    title = " ".join(filter(None, (name, question.estimator.extent)))
    return title if question.players == SUBLAYERS else f"{title} over {question.players}"
