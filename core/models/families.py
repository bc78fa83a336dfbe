"""What is better told than found of families of models: hints and exceptions, a line for each ``model_type``.

The layers of a model and their players are found on its loaded weights, and every law is checked there
(``core/engine/verified_layout.py``). So a family needs no line here. One with ``layers`` has its players known before
torch is loaded. Light to import.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.coalitions.expert_layers import chosen_layers
from core.coalitions.players import Kinds, Player, PlayerKind, players_of
from core.errors import CornerstoneError
from core.models.config_limits import MOST_LAYERS
from core.models.known_layout import known_kinds
from core.models.layout import Layer, Layout, Sublayer
from core.records.json_object import read_json_object


@dataclass(frozen=True, slots=True)
class Hint:
    """What a family's layers are, where that is better told than found.

    ``players`` are the players of a layer; those of which a layer lacks parts are not in it. Without any, they are
    found. ``stays`` are submodules of a layer that add to the residual stream, and are no players by decision.
    ``mixers`` are parts that mix tokens although it does not show in hidden states. ``layers`` is the path of the
    layers, from the model with its head, where all of them have all these players; ``depth`` is then the key of
    config.json that holds their number.
    """

    players: tuple[Sublayer, ...] = ()
    stays: tuple[str, ...] = ()
    mixers: tuple[str, ...] = ()
    layers: str | None = None
    depth: str = "num_hidden_layers"

    def players_in(self, modules: Container[str]) -> tuple[Sublayer, ...]:
        """Return the players of a layer with these submodules."""
        return tuple(player for player in self.players if all(part in modules for part in player.parts))


def _two(
    layers: str,
    attention: str,
    ffn: str,
    kind: PlayerKind = "ffn",
    feeds: tuple[str, ...] = (),
    depth: str | None = None,
) -> Hint:
    """Return the hint of a family whose layers all have an attention, then an FFN."""
    players = Sublayer("attn", (attention,)), Sublayer(kind, (ffn,), feeds)
    return Hint(players, layers=layers, depth=depth or "num_hidden_layers")


NO_HINT: Final = Hint()

HINTS: Final[dict[str, Hint]] = {
    **dict.fromkeys(
        ("llama", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text", "mistral"),
        _two("model.layers", "self_attn", "mlp"),
    ),
    "gemma3": _two("model.language_model.layers", "self_attn", "mlp"),
    "mixtral": _two("model.layers", "self_attn", "mlp", kind="moe"),
    "gpt2": _two("transformer.h", "attn", "mlp", depth="n_layer"),
    "gpt_neox": _two("gpt_neox.layers", "attention", "mlp"),
    "phi": _two("model.layers", "self_attn", "mlp"),
    # OPT has no FFN module: the layer itself calls fc1 and fc2, and adds the output of fc2, bias included.
    "opt": _two("model.decoder.layers", "self_attn", "fc2", feeds=("fc1",)),
    # The embedding that each layer adds is part of what a layer reads, not a sublayer of its own. Attention that takes
    # the keys and values of an earlier layer does not read those tokens in its own input.
    **dict.fromkeys(
        ("gemma4", "gemma4_text", "gemma4_unified", "gemma4_unified_text"),
        Hint(stays=("per_layer_projection",), mixers=("self_attn",)),
    ),
    # An embedding of the tokens before a token, which the layer looks up by their numbers.
    **dict.fromkeys(("qwen4_exp", "qwen4_exp_text"), Hint(mixers=("ple",))),
    # Short convolutions follow both sublayers; what they do is part of these.
    "inkling_text": Hint((Sublayer("attn", ("self_attn",)), Sublayer("mixer", ("mlp",)))),
}
"""Exceptions: a line for each family that detection gets wrong, or for which somebody had to decide."""


def told_layout(model_type: str, count: int) -> Layout | None:
    """Return the layers and players of a model of ``count`` layers, as far as its family tells; None if it does not.

    No law is checked, so this serves to remove players from a whole model only.
    """
    hint = HINTS.get(model_type, NO_HINT)
    return None if hint.layers is None else Layout(hint.layers, (Layer(hint.players),) * count, "whole")


def expected_players(folder: Path, expert_layers: str | None = None) -> tuple[Player, ...] | None:
    """Return the players of the model in a folder, by its config.json; None if only loading can tell.

    Where the table does not tell, they are known if a model with this configuration was loaded before.

    Args:
        folder: the folder of the model.
        expert_layers: the layers in which experts are players, as ``core.coalitions.expert_layers`` writes them.

    Raises:
        CornerstoneError: the model has no such layers, or no experts in one of them.
    """
    told = _told_kinds(folder)
    kinds = known_kinds(folder) if told is None else told
    if kinds is not None and expert_layers is not None:
        kinds = known_kinds(folder, chosen_layers(expert_layers, kinds))
    return None if kinds is None else players_of(kinds)


def _told_kinds(folder: Path) -> Kinds | None:
    """Return the kinds of players that the table tells of the model in a folder; None if it does not."""
    try:
        config = read_json_object(folder / "config.json")
    except CornerstoneError:
        return None
    hint = HINTS.get(str(config.get("model_type")), NO_HINT)
    count = None if hint.layers is None else config.get(hint.depth)
    # Transformers also accepts num_hidden_layers, which then takes precedence.
    if type(count) is not int or config.get("num_hidden_layers", count) != count:
        return None
    if not 1 <= count <= MOST_LAYERS:
        return None
    return (tuple(player.kind for player in hint.players),) * count
