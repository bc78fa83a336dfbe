"""Find a player by a short name: "FFN 11", "attn 3", "f11", or "11" for the layer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from core.coalitions.players import KIND_LABELS, Player, parse_removed
from core.errors import CornerstoneError

_NAME: Final = re.compile(r"\s*([a-z]*)\s*(\d{1,9})\s*([a-z]?|\.\d{1,9})\s*", re.ASCII | re.IGNORECASE)


def find_player(text: str, players: Sequence[Player], near: int) -> int:
    """Return the number of the player that a name means.

    Args:
        text: a kind of player or its first letters, which may be left out, and a layer.
        players: all players of the model.
        near: a player; of several that fit, one of its kind is meant, else the first.

    Raises:
        CornerstoneError: there is none.
    """
    match = _NAME.fullmatch(text)
    if match is None:
        raise CornerstoneError("write a layer's number, or its name such as FFN 11")
    written, layer, twin = match[1].lower(), int(match[2]), match[3].lower()
    of_layer = [player for player in players if player.layer == layer]
    if not of_layer:
        raise CornerstoneError(f"there is no layer {layer}: the last one is {players[-1].layer}")
    fitting = [player for player in of_layer if _is_named(player, written) and player.twin.startswith(twin)]
    if not fitting:
        return parse_removed(text, players)[0]
    alike = [player for player in fitting if player.kind == players[near].kind]
    return (alike or fitting)[0].number


def _is_named(player: Player, written: str) -> bool:
    """Return whether a kind may be meant by some letters; FFN also means a mixture."""
    names = [KIND_LABELS[player.kind], "FFN"] if player.kind == "moe" else [KIND_LABELS[player.kind]]
    return any(name.lower().startswith(written) for name in names)
