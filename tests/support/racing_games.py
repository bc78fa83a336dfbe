"""Games with known values, raced: whether verdicts err, and how many outcomes a race evaluates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from core.estimators.windows import WindowFirst
from core.statistics.costs import CostRace
from core.statistics.verdicts import Race
from tests.support.drawn_contributions import Drawn, either_way, gaussian, lognormal, rare, windows_like

_K: Final = 3
_LOOKS: Final = (16, 32, 48, 64, 96, 128, 192, 256, 400)
_CHUNK: Final = 16
_MOST: Final = 4000


@dataclass(frozen=True, slots=True)
class Drawing:
    """A way to draw contributions of units of known worth; ``span`` bounds them if that is known."""

    draw: Callable[[Sequence[float], int, np.random.Generator], Drawn]
    worth: tuple[float, ...]
    span: float | None = None


_NONE: Final = (0.0,) * 16
ERRORS: Final[Mapping[str, Drawing]] = MappingProxyType({
    "Gaussian, gaps of .2, .2 and .1": Drawing(gaussian, (1.0, 0.8, 0.6, 0.5, *_NONE)),
    "Gaussian, four tie for the first three": Drawing(gaussian, (1.0, 1.0, 1.0, 1.0, *_NONE)),
    "accuracy, 2% of documents, all tie": Drawing(rare, (0.02,) * 20, 1.0),
    "accuracy, three of 4%, the others of 2%": Drawing(rare, (*[0.04] * 3, *[0.02] * 17), 1.0),
    "accuracy, three of 50%, the others of 2%": Drawing(rare, (*[0.5] * 3, *[0.02] * 17), 1.0),
    "nats, lognormal tails, four tie": Drawing(lognormal, (1.0, 1.0, 1.0, 1.0, *_NONE)),
    "nats, lognormal tails to both sides, all tie": Drawing(lognormal, (0.0,) * 20),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Errors:
    """The part of games with any wrong verdict at any look, and the mean numbers of units in and out at the last."""

    wrong: float
    inside: float
    out: float


def error_rate(game: Drawing, games: int, seed: int = 0) -> Errors:
    """Play games, and look at each again and again."""
    rng = np.random.default_rng(seed)
    worth = np.array(game.worth)
    # Where units tie for the last place, any verdict on one of them counts as wrong.
    above = (worth[None] > worth[:, None]).sum(axis=1)
    beside = (worth[None] >= worth[:, None]).sum(axis=1) - 1
    wrong, inside, out = 0, 0, 0
    for _ in range(games):
        drawn, race = game.draw(game.worth, _LOOKS[-1], rng), Race(_K, span=game.span)
        for look in _LOOKS:
            found = race.look(drawn[:, :look])
        wrong += any(beside[unit] >= _K for unit in found.units("in")) or any(
            above[unit] < _K for unit in found.units("out")
        )
        inside += len(found.units("in"))
        out += len(found.units("out"))
    return Errors(wrong / games, inside / games, out / games)


@dataclass(frozen=True, slots=True)
class Costs:
    """A drawing whose units are compared with a cost."""

    drawing: Drawing
    cost: float


_AROUND: Final = (1.0, 0.8, 0.6, 0.5, 0.5, 0.4, 0.2, *(0.0,) * 13)
COSTS: Final[Mapping[str, Costs]] = MappingProxyType({
    "Gaussian, gaps of .1 and more, two tie": Costs(Drawing(gaussian, _AROUND), 0.5),
    "Gaussian, all cost exactly as much": Costs(Drawing(gaussian, (0.5,) * 20), 0.5),
    "accuracy, 2% of documents, exactly as much": Costs(Drawing(rare, (0.02,) * 20, 1.0), 0.02),
    "accuracy, 2% of documents, asked about 1%": Costs(Drawing(rare, (0.02,) * 20, 1.0), 0.01),
    "accuracy, 2% of documents, asked about 0": Costs(Drawing(either_way, (0.0,) * 20, 1.0), 0.0),
    "accuracy, half of documents, exactly as much": Costs(Drawing(rare, (0.5,) * 20, 1.0), 0.5),
    "accuracy, 2% to 50%, asked about 5%": Costs(Drawing(rare, (0.5, 0.2, 0.1, *[0.05] * 4, *[0.02] * 13), 1.0), 0.05),
    "nats, lognormal tails, gaps and ties": Costs(Drawing(lognormal, _AROUND), 0.5),
    "nats, lognormal tails, exactly as much": Costs(Drawing(lognormal, (0.5,) * 20), 0.5),
})  # fmt: skip


def cost_errors(game: Costs, games: int, seed: int = 0) -> Errors:
    """Play games to their end. A decision is kept, so that this counts wrong ones at every look.

    Any verdict on a unit that costs exactly what was asked about is wrong.
    """
    rng, drawing = np.random.default_rng(seed), game.drawing
    worth = np.array(drawing.worth)
    wrong, above, below = 0, 0, 0
    for _ in range(games):
        drawn = drawing.draw(drawing.worth, _LOOKS[-1], rng)
        found = CostRace(game.cost, span=drawing.span).look(drawn)
        wrong += any(worth[unit] <= game.cost for unit in found.units("above")) or any(
            worth[unit] >= game.cost for unit in found.units("below")
        )
        above += len(found.units("above"))
        below += len(found.units("below"))
    return Errors(wrong / games, above / games, below / games)


RACES: Final[Mapping[str, Drawing]] = MappingProxyType({
    "the third .1 above the fourth": Drawing(windows_like, (0.8, 0.7, 0.5, 0.4, *[0.05] * 56), 1.0),
    "the third .19 above the fourth": Drawing(windows_like, (0.8, 0.7, 0.5, 0.31, *[0.05] * 56), 1.0),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """What races took: documents until all was decided, on average, and outcomes, as a part of all windows'."""

    documents: float
    outcomes: float


def racing_part(game: Drawing, games: int, seed: int = 0) -> Part:
    """Race until all is decided; a run without elimination evaluates every window until it knows the same."""
    rng, windows, units = np.random.default_rng(seed), WindowFirst(4), len(game.worth)
    needs = [set(windows.needs(unit, units)) for unit in range(units)]
    every = len(windows.coalitions(units))
    documents, evaluated, full = 0, 0, 0
    for _ in range(games):
        drawn, race = game.draw(game.worth, _MOST, rng), Race(_K, span=game.span)
        unsettled = tuple(range(units))
        for look in range(_CHUNK, _MOST + 1, _CHUNK):
            evaluated += _CHUNK * len(set().union(*(needs[unit] for unit in unsettled)))
            unsettled = race.look(drawn[:, :look]).units("open")
            if not unsettled:
                break
        documents += look
        full += every * look
    return Part(documents / games, evaluated / full)
