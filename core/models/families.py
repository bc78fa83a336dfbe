"""How a decoder is split into players: one line a family, and the refusals.

To add a family: name its ``model_type``, where its decoder layers are, which submodule of a layer is the attention
and which the FFN (whatever computes what is added to the residual), and how its forward takes attention masks.
The invariants in ``tests/core/engine/test_decoder.py`` must then hold on a tiny random model of it.

Light to import, so that what a model's players are can be told before torch is loaded.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from core.coalitions.players import Player, PlayerKind, players_of
from core.errors import CornerstoneError

if TYPE_CHECKING:
    from transformers import PretrainedConfig

MaskStyle = Literal["full", "sliding", "by layer type"]
"""``full``: one causal mask. ``sliding``: one mask, banded by the config's sliding window. ``by layer type``: both."""


@dataclass(frozen=True, slots=True)
class Family:
    """Where the players of a model family live. Paths are dotted, from the model or from one of its layers.

    ``parallel``: attention and FFN may read the same input, so a layer is not its attention followed by its FFN.
    ``feeds_ffn``: a submodule that only the FFN reads, where ``ffn`` is but the end of it.
    ``depth``: what its config.json calls the number of layers.
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
    # OPT keeps its FFN in the layer itself; what it adds to the residual is the output of fc2, bias included.
    "opt": Family("model.decoder.layers", "self_attn", "fc2", feeds_ffn="fc1"),
}


def family_of(config: PretrainedConfig) -> Family:
    """The family of a model, by its configuration.

    Raises:
        CornerstoneError: the architecture is not in the table, or removing a sublayer of it keeps no skip connection.
    """
    model_type = config.model_type
    if model_type not in FAMILIES:
        raise CornerstoneError(
            f"the architecture {model_type!r} is not supported (known: {', '.join(FAMILIES)}); "
            "to add it, describe its layers in core/models/families.py and let tests/core/engine/test_decoder.py pass"
        )
    if model_type == "opt" and not config.do_layer_norm_before:
        raise CornerstoneError(
            "this OPT model normalizes after its skip connections (OPT-350m does), so a removed sublayer would still "
            "change the residual; use a pre-norm OPT such as facebook/opt-125m"
        )
    if getattr(config, "add_cross_attention", False):
        raise CornerstoneError(f"this {model_type} model has cross-attention; only plain decoders have players")
    if "longrope" in _rope_types(config):
        raise CornerstoneError(
            f"this {model_type} model turns its rotary embeddings by how long a text is (longrope), so that texts of "
            "different lengths cannot share a row; it is not supported"
        )
    return FAMILIES[model_type]


def _rope_types(config: PretrainedConfig) -> set[str]:
    """How a model's rotary embeddings are scaled: one way, or one a type of layer."""
    parameters = getattr(config.get_text_config(), "rope_parameters", None) or {}
    each = [one for one in parameters.values() if isinstance(one, dict)] or [parameters]
    return {str(one.get("rope_type", "default")) for one in each}


def shares_input(config: PretrainedConfig) -> bool:
    """Whether a layer's attention and FFN read the same input, so that the FFN does not see what attention adds."""
    # Of the families where this may be, only GPT-NeoX has the setting.
    return family_of(config).parallel and bool(getattr(config, "use_parallel_residual", True))


def players_in(layer_count: int, family: Family) -> tuple[Player, ...]:
    """The players of a model of this family: two a layer, attention first."""
    return players_of(("attn", family.kind) * layer_count)


def expected_players(folder: Path) -> tuple[Player, ...] | None:
    """The players of the model in a folder, told by its config.json alone; None where only loading tells."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    family = FAMILIES.get(str(config.get("model_type"))) if isinstance(config, dict) else None
    count = None if family is None else config.get(family.depth)
    # Transformers takes the common name too, and then it is the one that counts.
    if family is None or type(count) is not int or count < 1 or config.get("num_hidden_layers", count) != count:
        return None
    return players_in(count, family)
