"""What the plot of single removals shows: a dot a player, and lines that are of the same documents as the dots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from core.coalitions.players import PlayerKind
from core.summaries.points import AblationPoint
from core.values.corpus import lower_is_better
from core.values.derived import bounds_of
from tui.drawing.numbers import cost_text, in_range, whole
from tui.drawing.slots import Slots

_DECIMALS: Final = 12
"""A rounding error must not take a score below 0 or above 1."""


@dataclass(frozen=True, slots=True)
class Dot:
    """The score without a player, between the ends of its interval; ``across`` is its place, 0 to 1.

    ``open`` says that it is not decided whether the player costs more than was asked about.
    """

    player: int
    kind: PlayerKind
    row: int
    across: float
    score: float
    low: float
    high: float
    open: bool = False


class Single(Protocol):
    """A player removed alone, as in a chart's points and in a table's rows; all of it is of ``n`` documents."""

    @property
    def n(self) -> int: ...
    @property
    def intact_acc(self) -> float: ...
    @property
    def chance(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Base:
    """The scores ``intact`` and ``chance`` of the documents that most of the removals drawn have.

    ``lower`` says that a lower score is better, so that a drop makes it larger. ``bounds`` are the lowest and the
    highest score that there can be, None where there is no end.
    ``counts`` has the numbers of documents, with how many removals have so many, the most frequent first.
    """

    intact: float
    chance: float | None
    counts: tuple[tuple[int, int], ...]
    lower: bool = False
    bounds: tuple[float, float] | None = None

    @property
    def documents(self) -> str:
        """Return how many documents the removals are of: ``n = 32``, or ``n = 32, 1 dot of 120``."""
        (most, _), *others = self.counts
        if not others:
            return f"n = {whole(most)}"
        rest = sum(times for _, times in others)
        of = in_range(number for number, _ in others)
        return f"n = {whole(most)}, {rest} {'dot' if rest == 1 else 'dots'} of {of}"

    def without(self, drop: float) -> float:
        """Return where a removal is drawn: as far from the intact score as its own paired drop.

        That of other documents may be further than a score can be; it is drawn at the end.
        """
        score = round(self.intact + drop if self.lower else self.intact - drop, _DECIMALS)
        return score if self.bounds is None else min(max(score, self.bounds[0]), self.bounds[1])


def base_of(points: Sequence[Single], value: str | None) -> Base:
    """Return what some removals are drawn against.

    Args:
        points: the removals, one at least.
        value: what their scores are; None if that is not known.
    """
    lower, bounds = (False, None) if value is None else (lower_is_better(value), bounds_of(value, ()))
    common, _ = Counter((point.n, point.intact_acc, point.chance) for point in points).most_common(1)[0]
    _, intact, chance = common
    if bounds is not None and not bounds[0] <= intact <= bounds[1]:
        bounds = None  # a task's own metric of that name
    return Base(intact, chance, tuple(Counter(point.n for point in points).most_common()), lower, bounds)


@dataclass(frozen=True, slots=True)
class Cost:
    """A cost that players were compared with, the score of a model that has lost it, and how many cost what."""

    cost: float
    score: float
    above: int
    below: int
    open: int

    @property
    def counts(self) -> str:
        """Return ``cost .05: 3 above, 50 below, 7 open``."""
        return f"cost {cost_text(self.cost)}: {self.above} above, {self.below} below, {self.open} open"


def cost_of(points: Sequence[AblationPoint], base: Base) -> Cost | None:
    """Return the cost that some points were compared with; None if they were not."""
    standings = Counter(point.verdict for point in points)
    cost = next((point.verdict_cost for point in points if point.verdict_cost is not None), None)
    if cost is None:
        return None
    return Cost(cost, base.without(cost), standings["above"], standings["below"], standings["open"])


@dataclass(frozen=True, slots=True)
class Dots:
    """Dots, and what they are drawn against."""

    dots: tuple[Dot, ...]
    base: Base
    cost: Cost | None = None

    @property
    def scores(self) -> list[float]:
        """Every score that is drawn, without the intervals."""
        chance = [] if self.base.chance is None else [self.base.chance]
        cost = [] if self.cost is None else [self.cost.score]
        return [self.base.intact, *(dot.score for dot in self.dots), *chance, *cost]


def dots_of(points: Sequence[AblationPoint], slots: Slots, value: str | None) -> Dots:
    """Return the dots of some points; there must be one at least. ``value`` is as for ``base_of``."""
    base = base_of(points, value)
    cost = cost_of(points, base)
    told = cost is not None and cost.above + cost.below > 0
    return Dots(tuple(_dot(point, slots, base, told=told) for point in points), base, cost)


def _dot(point: AblationPoint, slots: Slots, base: Base, *, told: bool) -> Dot:
    low, high = sorted((base.without(point.drop_high), base.without(point.drop_low)))
    return Dot(
        player=point.player,
        kind=point.kind,
        row=slots.cells[point.player][1],
        across=(point.layer + slots.aside(point.player, 0.5)) / slots.layers,
        score=base.without(point.drop),
        low=low,
        high=high,
        open=told and point.verdict == "open",
    )
