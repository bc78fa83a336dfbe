"""The packing law finds the fastest way that is right, also where a short text shows nothing; and rows fall apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import CONFIG_MAPPING

from core.engine import packing_law, sweep_sizes, widths
from core.engine.arguments import NotShared
from core.engine.decoder import Decoder
from core.engine.head import Head
from core.engine.packing import TokenRequest, pack
from core.engine.packing_law import verified
from core.engine.sweep import sweep
from core.engine.verified_layout import layout_of
from core.models.families import HINTS
from core.models.layout import Layout
from tests.support.decoder_sizes import VOCABULARY
from tests.support.decoder_types import tiny_decoder
from tests.support.decoder_variants import VARIANTS
from tests.support.swept import assert_exact, count_players, layout_in_use, some_coalitions, some_documents

FAR = {"window_size": 256, "max_position_embeddings": 2048}
"""GPT-Neo's own window, which counts rows: a short row does not reach it."""


def detected(name: str, **settings: Any) -> tuple[Any, Layout]:
    model = tiny_decoder(name, **settings)
    return model, layout_of(model, HINTS)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    ("name", "settings", "way", "packs"),
    [
        ("llama", {}, "packed", "1111"),
        ("gpt_neo", FAR, "mixed", "1010"),
        ("mpt", {}, "unpacked", "0000"),
        ("bamba", {}, "mixed", "0101"),
    ],
)
def test_each_layer_is_found_to_obey_a_tree_mask_or_not(
    name: str, settings: dict[str, Any], way: str, packs: str, dtype: torch.dtype
) -> None:
    model, layout = detected(name, **settings)
    found = verified(model.to(dtype), layout)
    assert "".join("01"[layer.packs] for layer in found.layers) == packs
    if dtype == torch.float32:
        assert found.way == way


def test_a_band_of_rows_that_a_short_row_does_not_reach_is_found_in_a_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    model, layout = detected("gpt_neo", **FAR)
    monkeypatch.setattr(packing_law, "_LONG_CPU", 0)
    assert verified(model, layout).way == "packed"


def test_a_text_of_one_path_goes_through_a_layer_that_numbers_blocks() -> None:
    kind, settings = VARIANTS["minimax_m3_vl_text: blocks of keys"]
    model = tiny_decoder(kind, **{**settings, "index_block_size": 16})
    layout = layout_in_use(model)
    assert layout.way == "mixed"
    (document, *_) = some_documents(1, (60,))
    assert_exact(model, layout, [document[:1]], some_coalitions(count_players(layout)))


def test_a_row_has_no_more_tokens_than_an_attention_picks_keys() -> None:
    longest = {
        name: widths.longest_row(CONFIG_MAPPING[name]())
        for name in ("llama", "deepseek_v32", "glm_moe_dsa", "doge", "minimax_m3_vl_text")
    }
    assert longest.pop("llama") > 2000
    assert set(longest.values()) == {2048}


def test_the_row_of_the_law_is_longer_than_rows_whose_length_is_chosen() -> None:
    first, second, _ = packing_law._documents(tiny_decoder("llama"))
    row, tested = packing_law._long_row(first, second, packing_law._LONG_CPU)
    assert sweep_sizes.LONGEST_ROW < widths._LAW_ROW <= len(row) <= packing_law._LONG_CPU
    assert len(tested) == len(first) + len(second)


@pytest.mark.parametrize("name", ["phi3: longrope", "llama: dynamic rope"])
def test_texts_on_both_sides_of_a_length_that_turns_embeddings_share_no_row(name: str) -> None:
    kind, settings = VARIANTS[name]
    model, layout = detected(kind, **{**settings, "max_position_embeddings": 16})
    packed = replace(layout, way="packed", layers=tuple(replace(layer, packs=True) for layer in layout.layers))
    documents = [[TokenRequest(tuple(range(5, 12)), end) for end in ((20, 21), tuple(range(30, 45)))]]
    with torch.inference_mode(), pytest.raises(NotShared):
        Decoder(model, packed).enter(pack(documents, 128))
    # The sweep takes the requests of such a row by themselves.
    assert_exact(model, packed, documents, some_coalitions(count_players(packed)))


def test_the_last_check_takes_a_slower_way_where_a_faster_one_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    model, layout = detected("gpt_neo", window_size=5)
    monkeypatch.setattr(packing_law._Entries, "_obeys", lambda *_args: True)
    assert verified(model, layout).way == "unpacked"


@pytest.mark.slow
@pytest.mark.parametrize("way", ["packed", "unpacked", "whole"])
def test_all_ways_give_the_same_scores_and_say_how_far_they_are(way: Any) -> None:
    model, layout = detected("llama")
    parts: list[float] = []
    row, coalitions = pack(some_documents(4), 128), some_coalitions(8)
    decoder = Decoder(model, replace(verified(model, layout), way=way))
    found = sweep(decoder, row, coalitions, batch_tokens=64, on_batch=parts.append)
    truth = sweep(Decoder(model, replace(layout, way="whole")), row, coalitions, batch_tokens=64)
    np.testing.assert_allclose(found.logprobs, truth.logprobs, atol=1e-4, rtol=1e-5)
    np.testing.assert_array_equal(found.is_greedy, truth.is_greedy)
    assert parts == sorted(parts)
    assert parts[-1] == 1.0


@pytest.mark.parametrize(
    ("name", "after"), [("llama", "nothing"), ("granite", "the same to each"), ("gemma2", "the same to each")]
)
def test_what_a_model_does_to_logits_is_seen(name: str, after: str) -> None:
    settings = {"final_logit_softcapping": 2.0} if name == "gemma2" else {}
    model, layout = detected(name, **settings)
    decoder = Decoder(model, layout)
    hidden = torch.randn(5, 32)
    with torch.inference_mode():
        in_parts = torch.cat(list(decoder.head(hidden)), dim=-1)
        assert decoder._head._after == after
        whole = Head(model, list(model.get_submodule(layout.path)), layout, laid_out=False)
        whole._after = "unknown"
        (truth,) = whole.logits(hidden, hidden.device)
    torch.testing.assert_close(in_parts, truth, atol=1e-4, rtol=1e-5)


def _scaled_by_state(model: Any) -> None:
    """Let a model divide its logits by a temperature that it reads from the state."""
    norm = model.model.norm
    seen: list[torch.Tensor] = []
    norm.register_forward_hook(lambda _module, given, _out: seen.append(1 + given[0].abs().mean(-1, keepdim=True)))

    def forward(*args: Any, **kwargs: Any) -> Any:
        out = type(model).forward(model, *args, **kwargs)
        out.logits = out.logits / seen[-1]
        return out

    model.forward = forward


def _without_a_token(model: Any) -> None:
    """Let a model never say its last token."""

    def forward(*args: Any, **kwargs: Any) -> Any:
        out = type(model).forward(model, *args, **kwargs)
        out.logits[..., VOCABULARY - 1] = -1e4
        return out

    model.forward = forward


def _doubled(model: Any) -> None:
    """Let the product with the output embedding be another one."""
    output = model.lm_head
    output.forward = lambda given: 2 * type(output).forward(output, given)


@pytest.mark.parametrize("change", [_scaled_by_state, _without_a_token, _doubled])
def test_logits_that_are_changed_in_other_ways_are_computed_whole(change: Callable[[Any], None]) -> None:
    model = tiny_decoder("llama")
    change(model)
    layout = layout_in_use(model)
    decoder = Decoder(model, layout)
    with torch.inference_mode():
        list(decoder.head(torch.randn(1, 32)))
    assert decoder._head._after == "unknown"
    assert_exact(model, layout, some_documents(1), some_coalitions(count_players(layout))[:4])


@pytest.mark.parametrize("name", ["llama", "gpt_oss", "jetmoe", "mamba2", "opt"])
def test_a_removed_sublayer_is_not_computed_where_it_is_known_what_it_returns(name: str) -> None:
    model, layout = detected(name)
    decoder = Decoder(model, layout)
    row = pack([[TokenRequest((5, 6, 7), (8, 9))]], 128)
    everything = tuple(range(count_players(layout)))
    ran: list[str] = []
    sweep(decoder, row, [(), (0,), everything], batch_tokens=64)
    for layer in model.get_submodule(layout.path):
        for part in {part for each in layout.layers for sublayer in each.sublayers for part in sublayer.parts}:
            module = layer.get_submodule(part)
            module.register_forward_pre_hook(lambda _module, _inputs, part=part: ran.append(part))
            forward = module.forward
            module.forward = lambda *args, forward=forward, **kwargs: ran.append("computed") or forward(*args, **kwargs)
    sweep(decoder, row, [everything[:2]], batch_tokens=64)
    players = [sublayer for layer in layout.layers for sublayer in layer.sublayers]
    assert ran.count("computed") == sum(len(player.parts) for player in players[2:])
