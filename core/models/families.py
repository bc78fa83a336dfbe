"""Split decoders into players: one table row per family, and the architectures that are refused.

To add a family, give its ``model_type``, the path of its decoder layers, the submodule of a layer that is the attention
and the one that is the FFN (the module whose output is added to the residual), and how its forward takes attention
masks. The invariants in ``tests/core/engine/test_decoder.py`` must then hold on a tiny random model of it.

Light to import, so that a model's players are known before torch is loaded.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from core.coalitions.players import Player, PlayerKind, players_of
from core.errors import CornerstoneError
from core.models.config_limits import MOST_LAYERS
from core.models.layout import Layer, Layout, Sublayer
from core.records.json_object import read_json_object

MaskStyle = Literal["full", "sliding", "by layer type"]
"""``full``: one causal mask. ``sliding``: one mask limited to the config's sliding window. ``by layer type``: both."""


class ModelConfig(Protocol):
    """The attributes that are read from every transformers configuration (``PretrainedConfig``)."""

    model_type: str

    def get_text_config(self) -> Any:
        """Return the configuration of the text model, itself where there is no other."""


@dataclass(frozen=True, slots=True)
class Family:
    """The paths of a family's players, dotted, from the model (``layers``) or from one of its layers (the others).

    ``parallel``: attention and FFN may read the same input, so that a layer is not its attention followed by its FFN.
    ``feeds_ffn``: a submodule that only the FFN reads, if ``ffn`` is only its last part. ``depth``: the key of
    config.json that holds the number of layers.
    """

    layers: str
    attention: str
    ffn: str
    kind: PlayerKind = "ffn"
    masks: MaskStyle = "full"
    parallel: bool = False
    feeds_ffn: str | None = None
    depth: str = "num_hidden_layers"


FAMILIES: dict[str, Family] = {
    "llama": Family("model.layers", "self_attn", "mlp"),
    "qwen2": Family("model.layers", "self_attn", "mlp", masks="by layer type"),
    "gemma": Family("model.layers", "self_attn", "mlp"),
    "gemma2": Family("model.layers", "self_attn", "mlp", masks="by layer type"),
    "gemma3_text": Family("model.layers", "self_attn", "mlp", masks="by layer type"),
    "gemma3": Family("model.language_model.layers", "self_attn", "mlp", masks="by layer type"),
    "mistral": Family("model.layers", "self_attn", "mlp", masks="sliding"),
    "mixtral": Family("model.layers", "self_attn", "mlp", kind="moe", masks="sliding"),
    "gpt2": Family("transformer.h", "attn", "mlp", depth="n_layer"),
    "gpt_neox": Family("gpt_neox.layers", "attention", "mlp", parallel=True),
    "phi": Family("model.layers", "self_attn", "mlp", parallel=True),
    # OPT has no FFN module: the layer itself calls fc1 and fc2, and adds the output of fc2, bias included.
    "opt": Family("model.decoder.layers", "self_attn", "fc2", feeds_ffn="fc1"),
}


@dataclass(frozen=True, slots=True)
class Hint:
    """What a family's layers are, where that is better told than found.

    ``players`` are the players of a layer; those of which a layer lacks parts are not in it. Without any, they are
    found. ``stays`` are submodules of a layer that add to the residual stream, and are no players by decision.
    ``mixers`` are parts that mix tokens although it does not show in hidden states. ``by_row`` is a setting: the number
    of tokens from which on a layer asks where a token is in its row, not how deep in its text. No shorter row shows it.
    """

    players: tuple[Sublayer, ...] = ()
    stays: tuple[str, ...] = ()
    mixers: tuple[str, ...] = ()
    by_row: str | None = None

    def players_in(self, modules: Container[str]) -> tuple[Sublayer, ...]:
        """Return the players of a layer with these submodules."""
        return tuple(player for player in self.players if all(part in modules for part in player.parts))


NO_HINT = Hint()

HINTS: dict[str, Hint] = {
    **{
        name: Hint(
            (
                Sublayer("attn", (family.attention,)),
                Sublayer(family.kind, (family.ffn,), () if family.feeds_ffn is None else (family.feeds_ffn,)),
            )
        )
        for name, family in FAMILIES.items()
    },
    # The embedding that each layer adds is part of what a layer reads, not a sublayer of its own.
    **dict.fromkeys(("gemma4", "gemma4_text"), Hint(stays=("per_layer_projection",))),
    # An embedding of the tokens before a token, which the layer looks up by their numbers.
    **dict.fromkeys(("qwen4_exp", "qwen4_exp_text"), Hint(mixers=("ple",))),
    # A band of a mask that the layer holds, blocks of keys, and a scale of queries.
    "gpt_neo": Hint(by_row="window_size"),
    **dict.fromkeys(("minimax_m3_vl", "minimax_m3_vl_text"), Hint(by_row="index_block_size")),
    **dict.fromkeys(("llama4", "llama4_text"), Hint(by_row="floor_scale")),
    # Short convolutions follow both sublayers; what they do is part of these.
    "inkling_text": Hint((Sublayer("attn", ("self_attn",)), Sublayer("mixer", ("mlp",)))),
}
"""Exceptions: a line for each family that detection gets wrong, or for which somebody had to decide."""


def family_of(config: ModelConfig) -> Family:
    """Return the family of a model with this configuration.

    Raises:
        CornerstoneError: the architecture is not in the table, or it cannot be evaluated with a sublayer removed.
    """
    model_type = config.model_type
    if model_type not in FAMILIES:
        raise CornerstoneError(unsupported(model_type))
    if model_type == "opt" and not getattr(config, "do_layer_norm_before", True):
        raise CornerstoneError(
            "this OPT model normalizes after its skip connections (OPT-350m does), so a removed sublayer would still "
            "change the residual; use a pre-norm OPT such as facebook/opt-125m"
        )
    if getattr(config, "add_cross_attention", False):
        raise CornerstoneError(f"this {model_type} model has cross-attention; only plain decoders have players")
    if "longrope" in _rope_types(config):
        raise CornerstoneError(
            f"this {model_type} model scales its rotary embeddings by the length of a text (longrope), so that texts "
            "of different lengths cannot share a row; it is not supported"
        )
    return FAMILIES[model_type]


def unsupported(model_type: str) -> str:
    """Return the sentence that refuses an architecture that is not in the table."""
    return (
        f"the architecture {model_type[:80]!r} is not supported (known: {', '.join(FAMILIES)}); "
        "to add it, describe its layers in core/models/families.py and let tests/core/engine/test_decoder.py pass"
    )


def _rope_types(config: ModelConfig) -> set[str]:
    """Return the ways in which a model scales its rotary embeddings: one, or one per type of layer."""
    parameters = getattr(config.get_text_config(), "rope_parameters", None) or {}
    by_type = [ropes for ropes in parameters.values() if isinstance(ropes, dict)] or [parameters]
    return {str(ropes.get("rope_type", "default")) for ropes in by_type}


def shares_input(config: ModelConfig) -> bool:
    """Return whether a layer's attention and FFN read the same input.

    If so, the FFN does not see the output of the attention.
    """
    # Only GPT-NeoX lets the configuration decide; in other parallel families both always read the same input.
    return family_of(config).parallel and bool(getattr(config, "use_parallel_residual", True))


def layout_in_table(config: ModelConfig, count: int) -> Layout:
    """Return the layout of a model in the table that has ``count`` layers.

    Raises:
        CornerstoneError: the architecture is not in the table, or it cannot be evaluated with a sublayer removed.
    """
    family = family_of(config)
    feeds = () if family.feeds_ffn is None else (family.feeds_ffn,)
    sublayers = Sublayer("attn", (family.attention,)), Sublayer(family.kind, (family.ffn,), feeds)
    parallel = shares_input(config)
    return Layout(family.layers, (Layer(sublayers, parallel=parallel, in_turn=not parallel),) * count)


def players_in(layout: Layout) -> tuple[Player, ...]:
    """Return the players of a model, in the order in which they run."""
    return players_of([kind for kinds in layout.kinds for kind in kinds])


def expected_players(folder: Path) -> tuple[Player, ...] | None:
    """Return the players of the model in a folder, read from its config.json; None if only loading can tell."""
    try:
        config = read_json_object(folder / "config.json")
    except CornerstoneError:
        return None
    family = FAMILIES.get(str(config.get("model_type")))
    count = None if family is None else config.get(family.depth)
    # Transformers also accepts num_hidden_layers, which then takes precedence.
    if family is None or type(count) is not int or config.get("num_hidden_layers", count) != count:
        return None
    return players_of(("attn", family.kind) * count) if 1 <= count <= MOST_LAYERS else None
