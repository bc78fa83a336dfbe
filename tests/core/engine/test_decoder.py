"""The invariants that every supported family must pass; the truth is transformers itself, one request at a time."""

from __future__ import annotations

import random
from copy import deepcopy
from functools import cache

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from core.coalitions.players import Removed
from core.coalitions.schedules import windows
from core.engine import decoder as decoder_module
from core.engine import sizes
from core.engine.decoder import Decoder
from core.engine.layers import decoder_layers
from core.engine.packing import TokenRequest, pack
from core.engine.removal import forward_replaced
from core.engine.sweep import sweep
from core.models.families import HINTS
from tests.support.swept import layout_in_use
from tests.support.tiny_models import LAYERS, SETTINGS, VOCABULARY, WINDOW, tiny_model

PLAYERS = 2 * LAYERS
TOLERANCE = 1e-4

model_of = cache(tiny_model)

VARIANTS: list[tuple[str, dict[str, object]]] = [
    ("llama", {"num_hidden_layers": 1}),
    ("llama", {"attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True}),
    ("llama", {"head_dim": 16, "num_key_value_heads": 1}),
    ("qwen2", {"use_sliding_window": False}),
    ("gemma2", {"final_logit_softcapping": 2.0, "attn_logit_softcapping": 1.0, "head_dim": 16}),
    ("gemma3_text", {"sliding_window": 1}),
    ("mistral", {"sliding_window": None}),
    ("mixtral", {"sliding_window": 3, "num_experts_per_tok": 1}),
    ("gpt2", {"n_layer": 1, "reorder_and_upcast_attn": True, "scale_attn_by_inverse_layer_idx": True}),
    ("gpt_neox", {"use_parallel_residual": False}),
    ("phi", {"qk_layernorm": True, "num_key_value_heads": 2}),
    ("opt", {"word_embed_proj_dim": 16, "enable_bias": False}),
]
"""Settings of real models that the tiny ones leave out."""


@pytest.fixture(autouse=True, params=[0, 10**9], ids=["weights laid out", "weights as they are"])
def _as_in_a_real_model(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Score the vocabulary in parts, and lay weights out or not, as with a real model."""
    monkeypatch.setattr(sizes, "_HEAD_WIDTH_CPU", VOCABULARY // 3)
    monkeypatch.setattr(decoder_module, "WORTH_PACKING", request.param)


def some_documents(seed: int) -> list[list[TokenRequest]]:
    rng = random.Random(seed)

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(rng.randrange(2, VOCABULARY) for _ in range(count))

    documents = []
    for length in (12, 7, 1):
        context = tokens(length)
        documents.append([TokenRequest(context, tokens(size)) for size in (1, 2, 4)])
    ending = tokens(3)
    documents.append([TokenRequest((*tokens(5), *ending[:1]), ending), TokenRequest(tokens(5), ending)])
    return documents


def plain_logprobs(model: PreTrainedModel, documents: list[list[TokenRequest]], removed: Removed) -> list[float]:
    hint = HINTS[model.config.model_type]
    assert hint.layers is not None
    hooks = []
    for player in removed:
        layer = decoder_layers(model, hint.layers)[player // 2]
        (part,) = hint.players[player % 2].parts
        hooks.append(layer.get_submodule(part).register_forward_hook(_zeros))
    try:
        return [_plain(model, request) for document in documents for request in document]
    finally:
        for hook in hooks:
            hook.remove()


def _zeros(_module: object, _inputs: object, out: object) -> object:
    return (torch.zeros_like(out[0]), *out[1:]) if isinstance(out, tuple) else torch.zeros_like(out)


def _plain(model: PreTrainedModel, request: TokenRequest) -> float:
    tokens = (request.context + request.continuation)[-(WINDOW + 1) :][:-1]
    with torch.no_grad():
        logits = model(torch.tensor([tokens])).logits[0].float().log_softmax(-1)
    targets = torch.tensor(request.continuation)
    return logits[-len(targets) :].gather(1, targets[:, None]).sum().item()


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("seed", range(3))
def test_the_sweep_equals_the_plain_model_with_those_submodules_silenced(name: str, seed: int) -> None:
    model, documents, rng = model_of(name), some_documents(seed), random.Random(seed)
    coalitions = [(), *(tuple(sorted(rng.sample(range(PLAYERS), size))) for size in (1, 1, 2, 3, 5, PLAYERS))]
    scores = sweep(Decoder(model, layout_in_use(model)), pack(documents, WINDOW), coalitions, batch_tokens=64)
    for index, removed in enumerate(coalitions):
        truth = plain_logprobs(model, documents, removed)
        np.testing.assert_allclose(scores.logprobs[index], truth, atol=TOLERANCE, rtol=1e-5)


@pytest.mark.parametrize(("name", "settings"), VARIANTS)
def test_what_a_family_may_have_besides_changes_nothing(name: str, settings: dict[str, object]) -> None:
    model, documents = tiny_model(name, **settings), some_documents(1)
    layout = layout_in_use(model)
    players = 2 * len(decoder_layers(model, layout.path))
    coalitions = [(), (players - 2,), (players - 1,), (0, 1), tuple(range(1, players)), tuple(range(players))]
    scores = sweep(Decoder(model, layout), pack(documents, WINDOW), coalitions, batch_tokens=64)
    for index, removed in enumerate(coalitions):
        truth = plain_logprobs(model, documents, removed)
        np.testing.assert_allclose(scores.logprobs[index], truth, atol=TOLERANCE, rtol=1e-5)


@pytest.mark.parametrize("name", SETTINGS)
def test_packed_equals_unpacked(name: str) -> None:
    model, documents = model_of(name), some_documents(7)
    decoder, coalitions = Decoder(model, layout_in_use(model)), windows(PLAYERS, 2)
    packed = sweep(decoder, pack(documents, WINDOW), coalitions, batch_tokens=64)
    apart = sweep(decoder, pack(documents, WINDOW, share=False), coalitions, batch_tokens=64)
    np.testing.assert_allclose(packed.logprobs, apart.logprobs, atol=TOLERANCE, rtol=1e-5)
    np.testing.assert_array_equal(packed.is_greedy, apart.is_greedy)


@pytest.mark.parametrize("name", SETTINGS)
def test_both_sublayers_removed_is_the_layer_skipped(name: str) -> None:
    model, documents = model_of(name), some_documents(3)
    layout = layout_in_use(model)
    scores = sweep(Decoder(model, layout), pack(documents, WINDOW), [(2, 3)], batch_tokens=64)
    with forward_replaced(decoder_layers(model, layout.path)[1], lambda hidden, *_args, **_kwargs: hidden):
        truth = [_plain(model, request) for document in documents for request in document]
    np.testing.assert_allclose(scores.logprobs[0], truth, atol=TOLERANCE, rtol=1e-5)


def test_removing_changes_something() -> None:
    model, documents = model_of("llama"), some_documents(3)
    coalitions = windows(PLAYERS, 1)
    scores = sweep(Decoder(model, layout_in_use(model)), pack(documents, WINDOW), coalitions, batch_tokens=64)
    assert (np.abs(scores.logprobs[1:] - scores.logprobs[0]).max(axis=1) > 0.01).all()


@pytest.mark.slow
def test_batch_size_and_the_order_of_coalitions_change_nothing() -> None:
    model, row = model_of("llama"), pack(some_documents(5), WINDOW)
    decoder, coalitions = Decoder(model, layout_in_use(model)), windows(PLAYERS, 3)
    one = sweep(decoder, row, coalitions, batch_tokens=1)
    other = sweep(decoder, row, coalitions[::-1], batch_tokens=10_000)
    np.testing.assert_allclose(one.logprobs, other.logprobs[::-1], atol=TOLERANCE)


def test_a_request_longer_than_the_window_loses_its_beginning() -> None:
    model, rng = model_of("gpt2"), random.Random(0)
    context = tuple(rng.randrange(2, VOCABULARY) for _ in range(WINDOW + 20))
    documents = [[TokenRequest(context, (5,)), TokenRequest(context, (5, 6, 7))]]
    scores = sweep(Decoder(model, layout_in_use(model)), pack(documents, WINDOW), [()], batch_tokens=64)
    np.testing.assert_allclose(scores.logprobs[0], plain_logprobs(model, documents, ()), atol=TOLERANCE)


def test_identical_choices_and_choices_that_begin_one_another() -> None:
    model = model_of("llama")
    documents = [[TokenRequest((3, 4), choice) for choice in ((5,), (5,), (5, 6), (5, 6, 7))]]
    scores = sweep(Decoder(model, layout_in_use(model)), pack(documents, WINDOW), [(), (1,)], batch_tokens=64)
    np.testing.assert_allclose(scores.logprobs[0], plain_logprobs(model, documents, ()), atol=TOLERANCE)
    assert scores.logprobs[1, 0] == scores.logprobs[1, 1]


@pytest.mark.parametrize("name", ["llama", "gemma2", "mixtral"])
def test_the_same_batches_give_the_same_bits(name: str) -> None:
    model, row, coalitions = model_of(name), pack(some_documents(2), WINDOW), windows(PLAYERS, 3)
    one, other = (sweep(Decoder(model, layout_in_use(model)), row, coalitions, batch_tokens=64) for _ in range(2))
    np.testing.assert_array_equal(one.logprobs, other.logprobs)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_logarithms_are_taken_in_float32_whatever_the_model_computes_in(dtype: torch.dtype) -> None:
    model = deepcopy(model_of("llama")).to(dtype)
    # Products by another library round otherwise in these types: here both are torch's own.
    decoder = Decoder(model, layout_in_use(model), laid_out=False)
    row = pack([[TokenRequest((3, 4), (5,))]], WINDOW)
    (scored,) = sweep(decoder, row, [()], batch_tokens=64).logprobs[0]
    with torch.no_grad():
        logits = model(torch.tensor([[3, 4]])).logits[0, -1]
    np.testing.assert_allclose(scored, logits.double().log_softmax(-1)[5].item(), atol=1e-5)


def test_a_batch_callback_can_stop_a_sweep() -> None:
    model = model_of("llama")

    def stop(_part: float) -> None:
        raise KeyboardInterrupt

    decoder = Decoder(model, layout_in_use(model))
    with pytest.raises(KeyboardInterrupt):
        sweep(decoder, pack(some_documents(1), WINDOW), [()], batch_tokens=64, on_batch=stop)
    # The model is as it was: nothing stays silenced or replaced.
    assert not any("forward" in module.__dict__ for module in model.modules())


def test_a_batch_callback_gets_a_part_that_never_falls_and_ends_at_1() -> None:
    model = model_of("llama")
    parts: list[float] = []
    coalitions = windows(PLAYERS, 3)
    row = pack(some_documents(1), WINDOW)
    sweep(Decoder(model, layout_in_use(model)), row, coalitions, batch_tokens=64, on_batch=parts.append)
    assert parts == sorted(parts)
    assert 0 < parts[0] < parts[-1] == 1.0
