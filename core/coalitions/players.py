"""Players: the sublayers of a decoder that can be removed, in the order in which they run.

A layer has one player or several: Attn 0, FFN 0, Attn 1, FFN 1, ... in most models; SSM 0, FFN 1, Attn 2, ... in some.
In chosen layers each routed expert of an MoE is a player in its place: Attn 5, Expert 5.0, Expert 5.1, ...
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from string import ascii_lowercase
from types import MappingProxyType
from typing import Final, Literal

from core.errors import CornerstoneError, Mend
from core.machine.plain_text import short_repr

PlayerKind = Literal["attn", "ssm", "linear", "conv", "mixer", "ffn", "moe", "expert"]
"""What a player is. The first five mix tokens: attention, a state-space model, linear attention, a short convolution,
and several of these in one. The others work on each token by itself: an FFN, a mixture of experts, and one expert.
"""

Kinds = tuple[tuple[PlayerKind, ...], ...]
"""The kinds of a model's players: by layer, and in each layer in the order in which they run."""

Removed = tuple[int, ...]
"""A coalition, written as the numbers of its removed players: sorted, each once. () is the intact model."""

EXPERT: Final = "expert"
KIND_LABELS: Final[Mapping[PlayerKind, str]] = MappingProxyType(
    {
        "attn": "Attn",
        "ssm": "SSM",
        "linear": "Linear",
        "conv": "Conv",
        "mixer": "Mixer",
        "ffn": "FFN",
        "moe": "MoE",
        "expert": "Expert",
    }
)
LAYERS_BOUND: Final = 10_000
"""No model has as many layers, so that such a number is a mistake or damage."""

_EXPERTS_AS: Final = ("moe", "ffn", "expert")
"""A user may write these kinds for all experts of a layer, where each is a player."""

_LABEL = re.compile(r"\s*([A-Za-z]+)\s*(\d{1,9})\s*([A-Za-z]?|\.\d{1,9})\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Player:
    """A sublayer that can be removed.

    ``number`` counts all players of a model from 0, in the order in which they run. ``twin`` is the letter of a player
    whose layer has several of its kind, a point and the number of an expert, and empty for any other.
    """

    number: int
    layer: int
    kind: PlayerKind
    twin: str = ""

    @property
    def label(self) -> str:
        """Return the displayed name, such as ``Attn 0``, ``FFN 3``, ``MoE 1``, ``Attn 2b`` or ``Expert 5.12``."""
        return f"{KIND_LABELS[self.kind]} {self.layer}{self.twin}"


def players_of(kinds: Sequence[Sequence[PlayerKind]]) -> tuple[Player, ...]:
    """Return the players of a model with these kinds of sublayers, by layer, in the order in which they run."""
    named = (
        (layer, kind, _twin(at, of_layer)) for layer, of_layer in enumerate(kinds) for at, kind in enumerate(of_layer)
    )
    return tuple(Player(number, *name) for number, name in enumerate(named))


def _twin(at: int, kinds: Sequence[PlayerKind]) -> str:
    """Return what tells a layer's player from others of its kind: an expert's number, a letter, or nothing if alone."""
    if kinds[at] == EXPERT:
        return f".{kinds[:at].count(EXPERT)}"
    return ascii_lowercase[kinds[:at].count(kinds[at])] if kinds.count(kinds[at]) > 1 else ""


def kinds_by_layer(kinds: Sequence[PlayerKind], layers: Sequence[int]) -> Kinds:
    """Return the kinds of players by layer, from the kind and the layer of each player in the order of their numbers.

    Raises:
        ValueError: these are no such layers, or more than any model has.
    """
    if list(layers) != sorted(layers) or (layers and not 0 <= layers[0] <= layers[-1] < LAYERS_BOUND):
        raise ValueError("players are not in the order of their layers")
    found: list[list[PlayerKind]] = [[] for _ in range(layers[-1] + 1)] if layers else []
    for kind, layer in zip(kinds, layers, strict=True):
        found[layer].append(kind)
    return tuple(map(tuple, found))


def in_pairs(kinds: Sequence[PlayerKind]) -> Kinds:
    """Return by layer the kinds of a model with two players in each, which all had when they were kept in one row."""
    return kinds_by_layer(kinds, [number // 2 for number in range(len(kinds))])


def layers_of_experts(kinds: Sequence[Sequence[PlayerKind]]) -> tuple[int, ...]:
    """Return the layers whose experts are players."""
    return tuple(layer for layer, of_layer in enumerate(kinds) if EXPERT in of_layer)


def removed_set(numbers: Iterable[int]) -> Removed:
    """Return player numbers as a coalition: sorted, each once."""
    return tuple(sorted(set(numbers)))


def parse_removed(text: str, players: Sequence[Player]) -> Removed:
    """Read a coalition such as ``"Attn 0,FFN 3"``.

    Case and spaces do not matter. FFN also names an MoE player, where a layer has no FFN.

    Raises:
        CornerstoneError: the model has no player of that name.
    """
    dense = {player.layer for player in players if player.kind == "ffn"}
    by_label = {f"ffn {p.layer}{p.twin}": p.number for p in players if p.kind == "moe" and p.layer not in dense}
    by_label |= {player.label.lower(): player.number for player in players}
    numbers = []
    for part in filter(str.strip, text.split(",")):
        match = _LABEL.fullmatch(part)
        label = _normal(match) if match else part.strip().lower()
        if label not in by_label:
            mend = Mend.CHOOSE_EXPERTS if _is_expert_of_a_mixture(label, players) else None
            raise CornerstoneError(_unknown_player(part.strip(), label, players), mend)
        numbers.append(by_label[label])
    return removed_set(numbers)


def _normal(match: re.Match[str]) -> str:
    """Return a name in small letters, its numbers without zeros at their beginning."""
    twin = f".{int(match[3][1:])}" if match[3].startswith(".") else match[3]
    return f"{match[1]} {int(match[2])}{twin}".lower()


def refuse_no_names(text: str) -> None:
    """Refuse names that no model can have, before the model is known.

    Raises:
        CornerstoneError: a name is not a kind of player followed by a number.
    """
    labels = list(KIND_LABELS.values())
    for part in filter(str.strip, text.split(",")):
        match = _LABEL.fullmatch(part)
        if match is None or match[1].lower() not in map(str.lower, labels):
            raise CornerstoneError(
                f"no layer of any model is named {short_repr(part.strip())}; write {', '.join(labels[:-1])} or "
                f"{labels[-1]} and the layer's number, such as 'Attn 0'"
            )


def _is_expert_of_a_mixture(label: str, players: Sequence[Player]) -> bool:
    """Return whether a name is that of an expert in a layer whose mixture is one player."""
    mixtures = {player.layer for player in players if player.kind == "moe"}
    return any(label.startswith(f"{KIND_LABELS[EXPERT].lower()} {layer}.") for layer in mixtures)


def _unknown_player(written: str, label: str, players: Sequence[Player]) -> str:
    """Return the error sentence for an unknown player, with its twins or the closest name."""
    labels = {player.label.lower(): player.label for player in players}
    twins = [p.label for p in players if p.twin and p.label.lower() == label + p.twin]
    experts = [p.label for p in players if p.kind == EXPERT and label in {f"{kind} {p.layer}" for kind in _EXPERTS_AS}]
    if experts:
        close = [f"{experts[0]} to {experts[-1][experts[-1].index('.') + 1 :]}"]
    else:
        close = twins or [labels[name] for name in get_close_matches(label, labels, n=1)]
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    span = f"{players[0].label} to {players[-1].label}"
    return f"no layer named {short_repr(written)} in this model, whose players are {span}{hint}"


def format_removed(removed: Removed, players: Sequence[Player]) -> str:
    """Return the names of the removed players, such as ``Attn 0, FFN 3``, or ``intact`` for the empty set."""
    return ", ".join(players[number].label for number in removed) or "intact"
