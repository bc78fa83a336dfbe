"""The proxies against plain transformers with hooks: one request at a time, each family's own modules by name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from core.engine.decoder import Decoder
from core.engine.layers import decoder_layers
from core.engine.packing import TokenRequest, pack
from core.proxies.measure import joined, measure_proxies
from tests.core.engine.test_decoder import model_of, some_documents
from tests.support.swept import layout_in_use
from tests.support.tiny_models import LAYERS, SETTINGS, WINDOW

# In a layer: what gives what attention adds; what reads the FFN's input (None: it is the layer's); what the FFN adds.
MODULES: dict[str, tuple[str, str | None, str]] = {
    "llama": ("self_attn", "post_attention_layernorm", "mlp"),
    "qwen2": ("self_attn", "post_attention_layernorm", "mlp"),
    "gemma": ("self_attn", "post_attention_layernorm", "mlp"),
    "gemma2": ("post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"),
    "gemma3_text": ("post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"),
    "gemma3": ("post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"),
    "mistral": ("self_attn", "post_attention_layernorm", "mlp"),
    "mixtral": ("self_attn", "post_attention_layernorm", "mlp"),
    "gpt2": ("attn", "ln_2", "mlp"),
    "gpt_neox": ("attention", None, "mlp"),
    "phi": ("self_attn", None, "mlp"),
    "opt": ("self_attn", "final_layer_norm", "fc2"),
}


def by_hooks(model: PreTrainedModel, name: str, tokens: Sequence[int]) -> np.ndarray:
    """Both measures of every token: (layers, attention FFN layer, tokens, measures)."""
    adds, reads, ffn = MODULES[name]
    seen: dict[tuple[int, str], torch.Tensor] = {}

    def note(key: tuple[int, str], _module: object, args: tuple, kwargs: dict, out: object = None) -> None:
        value = out if out is not None else (args[0] if args else kwargs["hidden_states"])
        seen[key] = (value[0] if isinstance(value, tuple) else value).reshape(len(tokens), -1).double()

    hooks = []
    for index, layer in enumerate(decoder_layers(model, layout_in_use(model).path)):
        hooks.append(layer.register_forward_pre_hook(partial(note, (index, "in")), with_kwargs=True))
        hooks.append(layer.register_forward_hook(partial(note, (index, "out")), with_kwargs=True))
        attention, added = layer.get_submodule(adds), layer.get_submodule(ffn)
        hooks.append(attention.register_forward_hook(partial(note, (index, "attention")), with_kwargs=True))
        hooks.append(added.register_forward_hook(partial(note, (index, "ffn")), with_kwargs=True))
        if reads is not None:
            norm = layer.get_submodule(reads)
            hooks.append(norm.register_forward_pre_hook(partial(note, (index, "between")), with_kwargs=True))
    try:
        with torch.no_grad():
            model(torch.tensor([list(tokens)]))
    finally:
        for hook in hooks:
            hook.remove()
    lines = []
    for index in range(LAYERS):
        x = seen[index, "in"]
        between = seen.get((index, "between"), x)
        layer_adds = seen[index, "out"] - x
        pairs = [(x, seen[index, "attention"]), (between, seen[index, "ffn"]), (x, layer_adds)]
        lines.append([_measures(before, added) for before, added in pairs])
    return np.array(lines)


def _measures(x: torch.Tensor, added: torch.Tensor) -> np.ndarray:
    after = x + added
    cosine = (x * after).sum(-1) / (x.norm(dim=-1) * after.norm(dim=-1))
    return torch.stack([1 - cosine, added.norm(dim=-1) / x.norm(dim=-1)], dim=-1).numpy()


def expected(model: PreTrainedModel, name: str, document: Sequence[TokenRequest]) -> np.ndarray:
    """(2, layers, 3, measures): the mean over distinct prefixes, with and without the first token."""
    by_prefix: dict[tuple[int, ...], np.ndarray] = {}
    for request in document:
        tokens = (request.context + request.continuation)[:-1]
        found = by_hooks(model, name, tokens)
        for at in range(len(tokens)):
            by_prefix[tokens[: at + 1]] = found[:, :, at]
    later = [value for prefix, value in by_prefix.items() if len(prefix) > 1]
    return np.stack([np.mean(list(by_prefix.values()), axis=0), np.mean(later, axis=0)])


@pytest.mark.parametrize("name", SETTINGS)
def test_proxies_equal_those_by_hooks_on_the_plain_model(name: str) -> None:
    model, documents = model_of(name), some_documents(2)
    decoder = Decoder(model, layout_in_use(model))
    rows = [pack([document], WINDOW) for document in documents]
    found = joined(measure_proxies(decoder, rows))
    assert found.sublayers.shape == (2, 2, 2 * LAYERS, len(documents))
    assert found.layers.shape == (2, 2, LAYERS, len(documents))
    for at, document in enumerate(documents):
        truth = expected(model, name, document)  # (2, layers, 3, measures)
        sublayers = truth[:, :, :2].transpose(3, 0, 1, 2).reshape(2, 2, 2 * LAYERS)
        np.testing.assert_allclose(found.sublayers[..., at], sublayers, rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(found.layers[..., at], truth[:, :, 2].transpose(2, 0, 1), rtol=1e-3, atol=1e-5)


def test_a_document_of_one_token_has_nothing_without_its_first() -> None:
    model = model_of("llama")
    decoder, row = Decoder(model, layout_in_use(model)), pack([[TokenRequest((5,), (6,))]], WINDOW)
    done: list[int] = []
    found = joined(measure_proxies(decoder, [row, row], done.append))
    assert done == [1, 2]
    assert not np.isnan(found.sublayers[:, 0]).any()
    assert np.isnan(found.sublayers[:, 1]).all()
    np.testing.assert_array_equal(found.layers[:, 0, :, 0], found.layers[:, 0, :, 1])
