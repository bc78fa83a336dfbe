"""Groupings of players that are removed together, so that layers, blocks or kinds are the units of a game."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.coalitions.expert_layers import EXPERTS
from core.coalitions.players import Player, PlayerKind, Removed, players_of, removed_set
from core.errors import CornerstoneError
from core.machine.plain_text import short_repr

SUBLAYERS = "sublayers"
GROUPINGS = (SUBLAYERS, "layers", "blocks:K", "kinds")

_BLOCKS = re.compile(r"blocks:0*([1-9]\d{0,5})", re.ASCII)
_KINDS: dict[PlayerKind, str] = {
    "attn": "All attention",
    "ssm": "All SSM",
    "linear": "All linear attention",
    "conv": "All convolutions",
    "mixer": "All mixers",
    "ffn": "All FFN",
    "moe": "All MoE",
    "expert": "All experts",
}


@dataclass(frozen=True, slots=True)
class Unit:
    """Players that are removed together. ``members`` are their numbers, sorted.

    ``layer`` and ``kind`` are those of all members, and None where members differ.
    """

    label: str
    members: Removed
    layer: int | None = None
    kind: PlayerKind | None = None


@dataclass(frozen=True, slots=True)
class Grouping:
    """A partition of a model's players into units. Units are numbered from 0 in the order of their first players."""

    name: str
    units: tuple[Unit, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(unit.label for unit in self.units)

    def removed(self, units: Removed) -> Removed:
        """Return the players that are removed when these units are."""
        return removed_set(number for unit in units for number in self.units[unit].members)


def grouping(name: str, players: Sequence[Player]) -> Grouping:
    """Return the grouping of that name.

    Args:
        name: ``sublayers`` (each player is a unit), ``layers``, ``blocks:K`` (K consecutive layers; the last block may
            have fewer) or ``kinds`` (all attention, all FFN, ...).
        players: all players of a model, in the order of their numbers.

    Raises:
        CornerstoneError: there is no such grouping.
    """
    blocks = _BLOCKS.fullmatch(name)
    if name == SUBLAYERS:
        return Grouping(name, tuple(_unit(player.label, [player]) for player in players))
    if name == "layers":
        return Grouping(name, _blocks(players, 1))
    if blocks:
        return Grouping(f"blocks:{blocks[1]}", _blocks(players, int(blocks[1])))
    if name == "kinds":
        kinds = dict.fromkeys(player.kind for player in players)
        return Grouping(name, tuple(_unit(_KINDS[k], [p for p in players if p.kind == k]) for k in kinds))
    if name == EXPERTS:
        raise CornerstoneError(
            "experts are no grouping of players: they are players of a model of their own, whose name ends in "
            "+experts and their layers"
        )
    raise CornerstoneError(
        f"no grouping of players {short_repr(name)}; use one of {', '.join(GROUPINGS)} "
        "(K layers each, a number from 1 to 999999, such as blocks:4)"
    )


def grouping_name(name: str) -> str:
    """Return the normalized name of a grouping, as in ``Grouping.name``; no model is needed.

    Raises:
        CornerstoneError: there is no such grouping.
    """
    return grouping(name, players_of([("attn", "ffn")])).name


def _blocks(players: Sequence[Player], size: int) -> tuple[Unit, ...]:
    """Return units of ``size`` consecutive layers."""
    last = max(player.layer for player in players)
    units = []
    for first in range(0, last + 1, size):
        end = min(first + size - 1, last)
        label = f"Layer {first}" if first == end else f"Layers {first}-{end}"
        units.append(_unit(label, [player for player in players if first <= player.layer <= end]))
    return tuple(unit for unit in units if unit.members)


def _unit(label: str, players: Sequence[Player]) -> Unit:
    layers, kinds = {player.layer for player in players}, {player.kind for player in players}
    return Unit(
        label,
        removed_set(player.number for player in players),
        layers.pop() if len(layers) == 1 else None,
        kinds.pop() if len(kinds) == 1 else None,
    )
