"""Sets of layers that one often removes, made for the model, its charts and what is chosen on the grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.coalitions.grouping import grouping
from core.coalitions.players import Player, Removed, removed_set
from core.evaluator.protocol import Charts
from tui.drawing.coalition_name import coalition_name
from tui.drawing.plain import counted


@dataclass(frozen=True, slots=True)
class Preset:
    """A set of players to remove; ``removed`` is None while there is none, and ``detail`` then says why."""

    title: str
    detail: str
    removed: Removed | None


@dataclass(frozen=True, slots=True)
class Grid:
    """What the layer grid shows: the players, the removed ones, those that are chosen, and the charts."""

    players: Sequence[Player]
    removed: Removed
    chosen: Removed
    charts: Charts | None


def presets_of(grid: Grid, number: int) -> tuple[Preset, ...]:
    """Return the presets; ``number`` counts the players or layers of those that take some."""
    players, every = grid.players, {player.number for player in grid.players}
    depth = players[-1].layer + 1 if players else 0
    last = removed_set(player.number for player in players if player.layer >= depth - number)
    others, rest = removed_set(every - set(grid.chosen)), removed_set(every - set(grid.removed))
    return (
        Preset("intact", "puts every layer back", ()),
        _by_share(grid, number),
        _by_drop(grid, number),
        Preset(_last(min(number, depth)), _named(last, players), last),
        Preset(f"all but {_named(grid.chosen, players)}", counted(len(others), "player"), others),
        Preset("the reverse: remove all others, put these back", _named(rest, players), rest),
    )


def _by_share(grid: Grid, number: int) -> Preset:
    title = f"the {_first(number)} by Shapley share"
    points = [] if grid.charts is None else [point for point in grid.charts.shapley if point.share is not None]
    if not points:
        return Preset(title, "no shares yet: r runs the windows", None)
    best = sorted(points, key=lambda point: point.rank)[:number]
    units = grouping(points[0].players, grid.players)
    removed = units.removed(removed_set(point.player for point in best))
    return Preset(title, _named(removed, grid.players), removed)


def _by_drop(grid: Grid, number: int) -> Preset:
    title = f"the {_first(number)} by drop"
    if grid.charts is None or not grid.charts.ablation:
        return Preset(title, "nothing is removed alone yet: r runs the ablation", None)
    best = sorted(grid.charts.ablation, key=lambda point: -point.drop)[:number]
    removed = removed_set(point.player for point in best)
    return Preset(title, _named(removed, grid.players), removed)


def _last(number: int) -> str:
    return "the last layer" if number == 1 else f"the last {counted(number, 'layer')}"


def _first(number: int) -> str:
    return "first" if number == 1 else f"first {number}"


def _named(removed: Removed, players: Sequence[Player]) -> str:
    return coalition_name(removed, [players[number].label for number in removed]) or "nothing"
