"""Traps that models set for fast ways: the way in use is exact, and ignoring the trap is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from core.engine import widths
from core.engine.entrance import Entrance
from core.engine.removal import forward_replaced
from core.models.layout import Layout
from tests.support.decoder_types import tiny_decoder
from tests.support.decoder_variants import VARIANTS
from tests.support.plain_scores import plain_scores, players_parts
from tests.support.swept import (
    TOLERANCE,
    Documents,
    assert_exact,
    count_players,
    layout_in_use,
    off_by,
    some_coalitions,
    some_documents,
    truth,
)

MATTERS = 0.01
"""A trap that changes no score by this much is none in the tiny model."""
LONG = 24
"""A window, a chunk or a number of keys that is longer than a short text, so that it does not show in one."""


def _exact(model: PreTrainedModel, documents: Documents | None = None) -> Layout:
    layout = layout_in_use(model)
    assert_exact(model, layout, documents or some_documents(2), some_coalitions(count_players(layout)))
    return layout


def _wrong(model: PreTrainedModel, layout: Layout, documents: Documents | None = None) -> None:
    """Check that another layout would give wrong scores."""
    coalitions = some_coalitions(count_players(layout))
    assert off_by(model, layout, documents or some_documents(2), coalitions) > MATTERS


def _ignoring(layout: Layout, **changes: Any) -> Layout:
    """Return a layout that claims more of each layer than is true, so that it may be evaluated in a faster way."""
    layers = tuple(replace(layer, **changes) for layer in layout.layers)
    return replace(layout, layers=layers, way="packed")


def _without(name: str, changed: dict[str, Any], **settings: Any) -> float:
    """Return how much plain scores change if a type's settings are changed while its weights stay."""
    model, other = tiny_decoder(name, **settings), tiny_decoder(name, **{**settings, **changed})
    other.load_state_dict(model.state_dict(), strict=False)
    layout = layout_in_use(model)
    documents = some_documents(2, (60, 41, 3))
    return float(np.abs(truth(model, layout, documents, [()]) - truth(other, layout, documents, [()])).max())


@pytest.mark.slow
def test_keys_that_later_layers_share_need_the_whole_model() -> None:
    model = tiny_decoder("gemma4_text", num_kv_shared_layers=2)
    layout = _exact(model)
    assert layout.way == "whole"
    _wrong(model, replace(layout, way="unpacked"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gemma4_text", "beam", "doge"])
def test_a_layer_that_scales_its_input_does_so_without_its_players(name: str) -> None:
    model = tiny_decoder(name)
    layout = _exact(model)
    assert not any(layer.passes for layer in layout.layers)
    _wrong(model, _ignoring(layout, passes=True))


@pytest.mark.slow
def test_a_bias_that_is_added_outside_of_a_player_stays() -> None:
    model = tiny_decoder("gpt_neox_japanese")
    layout = _exact(model)
    assert [layer.passes for layer in layout.layers] == [True, True, True, False]
    _wrong(model, _ignoring(layout, passes=True))


@pytest.mark.parametrize("name", ["gpt_oss", pytest.param("mimo_v2_flash", marks=pytest.mark.slow)])
def test_sinks_take_a_part_of_the_attention(name: str) -> None:
    model = tiny_decoder(name)
    layout, documents = _exact(model), some_documents(2)
    with_sinks = truth(model, layout, documents, [()])
    sinks = [weight for path, weight in model.named_parameters() if path.endswith("sinks")]
    assert sinks
    with torch.no_grad():
        for weight in sinks:
            weight.fill_(-1e4)
    assert np.abs(truth(model, layout, documents, [()]) - with_sinks).max() > MATTERS


BOUNDED = {
    "mistral": {"sliding_window": LONG},
    "gemma3_text": {"sliding_window": LONG},
    "llama4_text": {"attention_chunk_size": LONG, "floor_scale": LONG},
    "gpt_oss": {"sliding_window": LONG},
    "gpt_neo": {"window_size": LONG},
    "modernbert-decoder": {"local_attention": 2 * LONG},
    "recurrent_gemma": {"attention_window_size": LONG},
    "deepseek_v32": {"index_topk": LONG},
    "axk2": {"index_topk": LONG},
    "glm_moe_dsa": {"index_topk": LONG},
    "dots3_note_text": {"index_topk": LONG, "sliding_window": LONG},
    "hy_v4": {"index_topk": LONG},
    "qwen4_exp_text": {"indexer_budget": LONG, "indexer_compress_ratio": 4},
    "minimax_m3_vl_text": {
        "layer_types": ["full_attention", "minimax_m3_sparse"] * 2,
        "index_n_heads": 2,
        "index_block_size": 16,
        "index_topk_blocks": 2,
    },
    "zaya": {"layer_types": ["hybrid_sliding", "hybrid"] * 2, "sliding_window": LONG},
}
"""Settings that bound what a token sees, at a length that a short text does not reach."""
UNBOUNDED = {
    "sliding_window": 1000,
    "attention_chunk_size": 1000,
    "window_size": 1000,
    "local_attention": 2000,
    "attention_window_size": 1000,
    "floor_scale": 1000,
    "index_topk": 1000,
    "indexer_budget": 1000,
    "index_topk_blocks": 1000,
}
PICKING: dict[str, tuple[str, dict[str, Any]]] = {
    "fewer keys than a text of the law has": ("deepseek_v32", {"index_topk": 16, "index_n_heads": 2}),
    "more keys": ("deepseek_v32", {"index_topk": 48, "index_n_heads": 2}),
    "one head that scores keys": ("deepseek_v32", {"index_topk": 6, "index_n_heads": 1}),
    "keys of lower layers": ("glm_moe_dsa", {"index_topk": 48, "index_n_heads": 2}),
}
"""Attentions that pick keys by a score, which is zero for many. Of these they pick by place."""
SOME = {"mistral", "llama4_text", "gpt_neo"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in SOME else pytest.mark.slow) for name in BOUNDED]
)
def test_a_bound_that_a_short_text_does_not_reach_is_kept(name: str) -> None:
    settings: dict[str, Any] = BOUNDED[name]
    changed = {key: value for key, value in UNBOUNDED.items() if key in settings}
    assert _without(name, changed, **settings) > MATTERS
    _exact(tiny_decoder(name, **settings), some_documents(3, (60, 41, 3)))


@pytest.mark.parametrize("name", ["gpt_neo", "minimax_m3_vl_text", "mpt"])
@pytest.mark.parametrize("long", [False, True])
def test_what_a_token_sees_by_its_place_in_the_row_is_no_tree(name: str, long: bool) -> None:
    short = {
        "gpt_neo": {"window_size": 5},
        "minimax_m3_vl_text": {"index_block_size": 4},
    }
    settings: dict[str, Any] = {**BOUNDED.get(name, {}), **({} if long else short.get(name, {}))}
    if name == "minimax_m3_vl_text":
        settings["index_topk_blocks"] = 128  # all blocks are picked, and numbered by row
    model, documents = tiny_decoder(name, **settings), some_documents(3, (60, 41, 3))
    layout = _exact(model, documents)
    assert layout.way in {"mixed", "unpacked"}
    _wrong(model, _ignoring(layout, packs=True), documents)


@pytest.mark.slow
def test_a_band_of_the_published_size_is_no_tree() -> None:
    model = tiny_decoder("gpt_neo", window_size=256, max_position_embeddings=1024)
    documents = some_documents(3, (300, 270))
    layout = layout_in_use(model)
    coalitions = some_coalitions(count_players(layout))[:4]
    assert [layer.packs for layer in layout.layers] == [True, False] * 2
    assert_exact(model, layout, documents, coalitions)
    assert off_by(model, _ignoring(layout, packs=True), documents, coalitions) > MATTERS


def test_rows_longer_than_a_bound_by_row_are_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = 700  # more than a row that is looked at when the model is loaded
    model = tiny_decoder("llama4_text", floor_scale=bound, max_position_embeddings=4096)
    documents = some_documents(3, [60] * 13)
    layout = layout_in_use(model)
    coalitions = some_coalitions(count_players(layout))[:4]
    assert layout.way == "packed"
    assert_exact(model, layout, documents, coalitions)
    monkeypatch.setattr(widths, "_COUNTED", ())
    assert off_by(model, layout, documents, coalitions) > MATTERS


@pytest.mark.slow
def test_positions_that_turn_with_the_length_of_a_text_are_not_shared_between_lengths(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, settings = VARIANTS["phi3: longrope"]
    model = tiny_decoder(
        "phi3", **{**settings, "original_max_position_embeddings": 64, "max_position_embeddings": 1024}
    )
    documents = some_documents(3, (62, 70, 20))
    layout = _exact(model, documents)
    assert layout.way == "packed"  # short texts do share
    monkeypatch.setattr(Entrance, "_refuse_unlike", lambda *_args: None)
    _wrong(model, layout, documents)


@pytest.mark.parametrize("name", PICKING)
def test_texts_of_which_an_attention_picks_keys_are_read_by_themselves(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, settings = PICKING[name]
    model = tiny_decoder(kind, max_position_embeddings=1024, **settings)
    documents = some_documents(3, (70, 45, 20))
    layout = _exact(model, documents)
    assert layout.way == ("unpacked" if settings["index_topk"] < LONG else "packed")
    claimed = _ignoring(layout, packs=True)
    coalitions = some_coalitions(count_players(layout))
    assert off_by(model, claimed, documents, coalitions) <= TOLERANCE
    monkeypatch.setattr(widths, "_PICKED", ())
    _wrong(model, claimed, documents)


@pytest.mark.parametrize("name", ["bamba", pytest.param("lfm2", marks=pytest.mark.slow)])
def test_layers_with_a_state_take_each_path_by_itself(name: str) -> None:
    model = tiny_decoder(name)
    layout = _exact(model)
    assert layout.way == "mixed"
    assert [layer.packs for layer in layout.layers] == [False, True] * 2
    _wrong(model, _ignoring(layout, packs=True))


@pytest.mark.parametrize("name", ["smollm3", pytest.param("llama4_text", marks=pytest.mark.slow)])
def test_some_layers_have_no_positions(name: str) -> None:
    assert _without(name, {"no_rope_layers": [1, 1, 1, 1]}) > MATTERS
    _exact(tiny_decoder(name))


@pytest.mark.parametrize("name", ["deepseek_v3", pytest.param("ernie4_5_moe", marks=pytest.mark.slow)])
def test_the_first_layer_may_be_dense(name: str) -> None:
    layout = _exact(tiny_decoder(name))
    assert layout.kinds == (("attn", "ffn"), *[("attn", "moe")] * 3)


@pytest.mark.parametrize("name", ["granitemoeshared", "deepseek_v3", "qwen2_moe"])
def test_shared_experts_go_with_the_others(name: str) -> None:
    model = tiny_decoder(name)
    layout, documents = layout_in_use(model), some_documents(2)
    numbers = [number for number, (layer, _) in enumerate(players_parts(layout)) if layer == 3]
    requests = [request for document in documents for request in document]
    with forward_replaced(model.get_submodule(layout.path)[3], lambda hidden, *_args, **_kwargs: hidden):
        skipped = plain_scores(model, layout, requests, ())
    assert any("shared" in path for path, _ in model.named_modules())
    np.testing.assert_allclose(plain_scores(model, layout, requests, tuple(numbers)), skipped, atol=1e-4)
    assert_exact(model, layout, documents, [(), tuple(numbers)])


@pytest.mark.parametrize(
    ("name", "layers", "part"),
    [
        ("gpt_oss", None, "mlp"),
        ("jetmoe", None, "self_attention"),
        ("glm_moe_dsa", 2, "self_attn"),
        ("falcon", 2, "self_attention"),
        ("falcon_h1", 1, "self_attn"),
        ("gpt_neox_japanese", 2, "attention"),
    ],
)
def test_layers_and_players_that_return_tuples(name: str, layers: int | None, part: str) -> None:
    model = tiny_decoder(name)
    returned: list[object] = []
    layout = layout_in_use(model)
    module = model.get_submodule(layout.path)[1].get_submodule(part)
    handle = module.register_forward_hook(lambda _module, _inputs, out: returned.append(out))
    assert_exact(model, layout, some_documents(2), some_coalitions(count_players(layout))[:5])
    handle.remove()
    assert any(isinstance(out, tuple) for out in returned)
    assert layout.layers[1].returns == layers
