"""Plans: the schedules that a configuration asks for, as coalitions of a model's players."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.coalitions.grouping import SUBLAYERS
from core.coalitions.players import Player, Removed, parse_removed
from core.coalitions.schedules import ScheduleName, ablation, hand_picked, windows
from core.config.run_config import RunConfig
from core.errors import CornerstoneError
from core.estimators.question import Game, Question


@dataclass(frozen=True, slots=True)
class Until:
    """Stop before the documents run out, once the ``top`` units are decided with this ``confidence``."""

    top: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """Coalitions to evaluate, under the name that a person reads.

    ``most`` bounds how many coalitions it has, for one that comes in rounds: then the game's estimator asks for them
    by what it has seen, and ``coalitions`` is empty. ``question`` is what the game answers.
    """

    name: str
    coalitions: tuple[Removed, ...]
    question: Question | None = None
    game: Game | None = None
    until: Until | None = None
    most: int = 0

    @property
    def in_rounds(self) -> bool:
        return not self.coalitions

    @property
    def looks(self) -> bool:
        """Whether values are looked at while it goes on."""
        return self.in_rounds or self.until is not None

    @property
    def size(self) -> int:
        """How many coalitions it has, at most."""
        return len(self.coalitions) or self.most


def schedules_of(config: RunConfig, players: Sequence[Player]) -> list[Schedule]:
    """The schedules that a configuration asks for.

    Raises:
        CornerstoneError: it names a layer that the model does not have, or an estimate that cannot be made of so many
            units, or a top of as many.
    """
    return list(_schedules(config, players))


def _schedules(config: RunConfig, players: Sequence[Player]) -> Iterator[Schedule]:
    if config.remove:
        chosen = hand_picked(parse_removed(text, players) for text in config.remove)
        yield Schedule("hand-picked sets", tuple(chosen))
    until = None if config.until_top is None else Until(config.until_top, config.confidence)
    for name in config.schedules:
        question = question_of(name, config)
        game = question.of(players)
        if until is not None and until.top >= game.units:
            raise CornerstoneError(f"until_top: a top {until.top} of {game.units} units leaves nothing to decide")
        coalitions, most = _coalitions(name, config, game)
        yield Schedule(_title(name, config), tuple(map(game.grouping.removed, coalitions)), question, game, until, most)


def question_of(name: ScheduleName, config: RunConfig) -> Question:
    """What a schedule is evaluated for, first of all."""
    estimator = {"ablation": "leave-one-out", "windows": "window-first"}.get(name, name)
    return Question(estimator, config.players, config.max_removed, config.permutations, config.seed, config.tolerance)


def own_question(config: RunConfig) -> Question | None:
    """What a configuration's last schedule answers, where that is more than windows of sublayers tell anyway."""
    if not config.schedules:
        return None
    name = config.schedules[-1]
    told = config.players == SUBLAYERS and name in {"ablation", "leave-one-out", "windows"}
    return None if told else question_of(name, config)


def _coalitions(name: ScheduleName, config: RunConfig, game: Game) -> tuple[list[Removed], int]:
    """Removed units, and how many sets of them at most where they come in rounds."""
    match name:
        case "ablation" | "leave-one-out":
            return ablation(game.units), 0
        case "windows":
            return windows(game.units, config.max_removed), 0
        case "exact":
            # Neighbours share what lies below their first difference.
            return sorted(game.estimator.missing({}, game.units)), 0
        case "permutation":
            game.estimator.missing({}, game.units)
            return [], min(2**game.units, 2 + config.permutations * (game.units - 1))


def _title(name: ScheduleName, config: RunConfig) -> str:
    title = {
        "windows": f"windows of 1 to {config.max_removed}",
        "permutation": f"permutation of {config.permutations} walks",
    }.get(name, name)
    return title if config.players == SUBLAYERS else f"{title} over {config.players}"
