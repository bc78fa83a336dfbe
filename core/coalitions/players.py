"""Players: the attention and FFN (MoE) sublayers of a decoder, in their natural order.

The order is Attn 0, FFN 0, Attn 1, FFN 1, ... Player ``p`` is in layer ``p // 2``; even players are attention.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from core.errors import CornerstoneError

PlayerKind = Literal["attn", "ssm", "linear", "conv", "mixer", "ffn", "moe"]

Removed = tuple[int, ...]
"""A coalition, written as the numbers of its removed players: sorted, each once. () is the intact model."""

_LABELS: dict[PlayerKind, str] = {"attn": "Attn", "ffn": "FFN", "moe": "MoE"}
_LABEL = re.compile(r"\s*([A-Za-z]+)\s*(\d+)\s*")


@dataclass(frozen=True, slots=True)
class Player:
    """A sublayer that can be removed. ``number`` counts from 0 in natural order."""

    number: int
    kind: PlayerKind

    @property
    def layer(self) -> int:
        return self.number // 2

    @property
    def label(self) -> str:
        """Return the displayed name, such as ``Attn 0``, ``FFN 3`` or ``MoE 1``."""
        return f"{_LABELS[self.kind]} {self.layer}"


def players_of(kinds: Sequence[PlayerKind]) -> tuple[Player, ...]:
    """Return the players of a model with these kinds of sublayers, in natural order."""
    return tuple(Player(number, kind) for number, kind in enumerate(kinds))


def removed_set(numbers: Iterable[int]) -> Removed:
    """Return player numbers as a coalition: sorted, each once."""
    return tuple(sorted(set(numbers)))


def parse_removed(text: str, players: Sequence[Player]) -> Removed:
    """Read a coalition such as ``"Attn 0,FFN 3"``. Case and spaces do not matter, and FFN also names an MoE player.

    Raises:
        CornerstoneError: the model has no player of that name.
    """
    by_label = {player.label.lower(): player.number for player in players}
    by_label |= {f"ffn {p.layer}": p.number for p in players if p.kind == "moe"}
    numbers = []
    for part in filter(str.strip, text.split(",")):
        match = _LABEL.fullmatch(part)
        label = f"{match[1].lower()} {int(match[2])}" if match else part.strip().lower()
        if label not in by_label:
            raise CornerstoneError(_unknown_player(part.strip(), label, players))
        numbers.append(by_label[label])
    return removed_set(numbers)


def refuse_no_names(text: str) -> None:
    """Refuse names that no model can have, before the model is known.

    Raises:
        CornerstoneError: a name is not a kind of player followed by a number.
    """
    kinds = {label.lower() for label in _LABELS.values()}
    for part in filter(str.strip, text.split(",")):
        match = _LABEL.fullmatch(part)
        if match is None or match[1].lower() not in kinds:
            raise CornerstoneError(
                f"no layer of any model is named {part.strip()!r}; write Attn, FFN or MoE and the layer's number, such "
                "as 'Attn 0'"
            )


def _unknown_player(written: str, label: str, players: Sequence[Player]) -> str:
    """Return the error sentence for an unknown player, with the closest name."""
    close = get_close_matches(label, [p.label.lower() for p in players], n=1)
    hint = next((f"; did you mean {p.label}?" for p in players if close and p.label.lower() == close[0]), "")
    return (
        f"no layer named {written!r} in this model, whose players are {players[0].label} to {players[-1].label}{hint}"
    )


def format_removed(removed: Removed, players: Sequence[Player]) -> str:
    """Return the names of the removed players, such as ``Attn 0, FFN 3``, or ``intact`` for the empty set."""
    return ", ".join(players[number].label for number in removed) or "intact"
