"""Each law is broken by a model, and that is found out: by its name, or by the way in which it is evaluated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import cpu_offload, disk_offload
from torch import Tensor, nn

from core.engine.verified_layout import layout_of
from core.errors import CornerstoneError
from core.models.families import HINTS
from tests.support.odd_decoders import odd_decoder
from tests.support.tiny_models import LAYERS, tiny_model

DTYPES = [torch.float32, torch.bfloat16]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shared", [True, False])
def test_layers_that_read_keys_of_earlier_ones_are_run_as_a_whole(shared: bool, dtype: torch.dtype) -> None:
    model = odd_decoder("gemma4_text", num_kv_shared_layers=2 if shared else 0)
    layout = layout_of(model.to(dtype), HINTS)
    assert layout.way == ("whole" if shared else "unpacked")
    assert layout.kinds == (("attn", "ffn"),) * 4


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_routers_that_hand_on_a_state_are_run_as_a_whole(dtype: torch.dtype) -> None:
    assert layout_of(odd_decoder("zaya").to(dtype), HINTS).way == "whole"


def test_a_head_that_reads_the_tokens_is_run_as_a_whole() -> None:
    model = tiny_model("llama")
    assert layout_of(model, HINTS).way == "unpacked"
    seen: list[Tensor] = []
    model.model.embed_tokens.register_forward_hook(lambda _module, _args, out: seen.append(out))
    model.model.norm.register_forward_hook(lambda _module, _args, out: out + seen[-1])
    assert layout_of(model, HINTS).way == "whole"


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(("name", "settings", "parallel"), [
    ("gpt_neox", {"use_parallel_residual": True}, True),
    ("gpt_neox", {"use_parallel_residual": False}, False),
])  # fmt: skip
def test_the_weights_tell_whether_players_read_the_same_input(
    name: str, settings: dict[str, Any], parallel: bool, dtype: torch.dtype
) -> None:
    for layer in layout_of(tiny_model(name, **settings).to(dtype), HINTS).layers:
        assert (layer.parallel, layer.in_turn, layer.last_alone) == (parallel, not parallel, not parallel)


@pytest.mark.parametrize("settings", [{"parallel_attn": False}, {"new_decoder_architecture": True}, {"alibi": True}])
def test_falcons_of_all_ages(settings: dict[str, bool]) -> None:
    parallel = settings.get("parallel_attn", True)
    assert {layer.parallel for layer in layout_of(odd_decoder("falcon", **settings), HINTS).layers} == {parallel}


def test_players_may_be_neither_parallel_nor_in_turn() -> None:
    for layer in layout_of(odd_decoder("longcat_flash"), HINTS).layers:
        assert not layer.parallel
        assert not layer.in_turn
        assert layer.passes


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_scale_that_is_left_is_no_identity(dtype: torch.dtype) -> None:
    layers = layout_of(odd_decoder("gemma4_text").to(dtype), HINTS).layers
    assert not any(layer.passes or layer.last_alone for layer in layers)
    model = odd_decoder("gemma4_text", hidden_size_per_layer_input=0)
    for layer in model.model.layers:
        layer.layer_scalar.fill_(1.0)
    assert all(layer.passes and layer.last_alone for layer in layout_of(model.to(dtype), HINTS).layers)


def test_an_embedding_that_each_layer_adds_stays() -> None:
    model = odd_decoder("gemma4_text")
    for layer in model.model.layers:
        layer.layer_scalar.fill_(1.0)
    assert not any(layer.passes for layer in layout_of(model, HINTS).layers)


def test_a_dtype_that_a_layer_changes_is_no_identity() -> None:
    first, *others = layout_of(odd_decoder("mamba").to(torch.bfloat16), HINTS).layers
    assert not first.passes  # it makes float32 of bfloat16
    assert all(layer.passes for layer in others)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(("name", "law"), [
    ("openai-gpt", r"layer 0: without its players \(attn, mlp\) a layer must return its input"),
    ("minimax", r"layer 0: without its players .* must return its input"),
])  # fmt: skip
def test_a_norm_on_the_skip_connection_is_refused(name: str, law: str, dtype: torch.dtype) -> None:
    with pytest.raises(CornerstoneError, match=law):
        layout_of(odd_decoder(name).to(dtype), HINTS)


def test_an_opt_that_norms_last_is_refused() -> None:
    with pytest.raises(CornerstoneError, match=r"layer 0: .* must return its input"):
        layout_of(tiny_model("opt", do_layer_norm_before=False), HINTS)


@pytest.mark.parametrize("hints", [HINTS, {}], ids=["told", "found"])
def test_the_laws_hold_for_each_layer_or_the_model_is_refused(hints: Any) -> None:
    model = tiny_model("llama")
    model.model.layers[2].register_forward_hook(lambda _module, _args, out: out * out.abs())
    with pytest.raises(CornerstoneError, match=r"LlamaForCausalLM \(llama\) cannot be evaluated: layer 2: "):
        layout_of(model, hints)


def test_a_model_that_sees_ahead_is_refused() -> None:
    with pytest.raises(CornerstoneError, match="must not change what is said before it"):
        layout_of(odd_decoder("cpmant"), HINTS)


def test_weights_that_are_no_numbers_are_refused() -> None:
    model = tiny_model("llama")
    with torch.no_grad():
        model.lm_head.weight[0, 0] = torch.nan
    with pytest.raises(CornerstoneError, match="logits for a plain text are not finite"):
        layout_of(model, HINTS)


def test_a_model_that_cannot_read_a_text_is_refused_with_the_reason() -> None:
    model = tiny_model("llama")
    model.model.layers[0].self_attn.head_dim = 7
    law = r"fails on a plain text of 13 tokens; its config\.json may contradict itself \(.+\)$"
    with pytest.raises(CornerstoneError, match=law):
        layout_of(model, HINTS)


@pytest.mark.parametrize("seen", [1, 2, 5])
def test_a_model_whose_tokens_see_a_few_after_them_is_refused(seen: int) -> None:
    model = tiny_model("llama")
    norm: nn.Module = model.model.norm
    norm.register_forward_hook(lambda _module, _args, out: out + out.roll(-seen, dims=1))
    with pytest.raises(CornerstoneError, match="must not change what is said before it"):
        layout_of(model, HINTS)


@pytest.mark.parametrize("turn", ["idle attention", "idle ffn", "other form"])
def test_a_layer_made_like_another_one_is_verified_by_itself(turn: str) -> None:
    model = tiny_model("llama")
    layer = model.model.layers[2]
    with torch.no_grad():
        if turn == "idle attention":
            layer.self_attn.o_proj.weight.zero_()
        elif turn == "idle ffn":
            layer.mlp.down_proj.weight.zero_()
    if turn == "other form":  # as a parallel one: the FFN reads what the layer receives
        received: list[Tensor] = []
        layer.register_forward_pre_hook(lambda _module, args: received.append(args[0]))
        layer.post_attention_layernorm.register_forward_pre_hook(lambda _module, _args: (received[-1],))
    layers = layout_of(model, HINTS).layers
    assert [each.kind for each in layers[2].sublayers] == ["attn", "ffn"]
    assert all(each.in_turn and not each.parallel for number, each in enumerate(layers) if number != 2)
    assert layers[2].passes
    assert layers[2].parallel == (turn == "other form")


class _Twice(nn.Module):
    """A block that runs another stack of layers, or the same one once more."""

    def __init__(self, layers: nn.ModuleList, norm: nn.Module) -> None:
        super().__init__()
        self.layers, self.norm = layers, norm

    def forward(self, hidden: Tensor) -> Tensor:
        for layer in self.layers:
            hidden = hidden + layer.mlp(layer.input_layernorm(hidden))
            layer(hidden, position_embeddings=_angles(hidden))
        out: Tensor = self.norm(hidden)
        return out


def _angles(hidden: Tensor) -> tuple[Tensor, Tensor]:
    angles = torch.zeros(1, hidden.shape[1], 8)
    return angles.cos(), angles.sin()


@pytest.mark.parametrize(("own", "law"), [(True, "run more than once"), (False, "two stacks of layers run")])
def test_there_is_one_stack_of_layers_and_it_runs_once(own: bool, law: str) -> None:
    model, other = tiny_model("llama"), tiny_model("llama", num_hidden_layers=2)
    model.model.norm = _Twice(model.model.layers if own else other.model.layers, model.model.norm)
    with pytest.raises(CornerstoneError, match=law):
        layout_of(model, HINTS)


def test_offloaded_weights_are_verified_too(tmp_path: Path) -> None:
    whole = layout_of(tiny_model("llama"), {})
    assert layout_of(cpu_offload(tiny_model("llama"), execution_device="cpu"), {}) == whole
    disk_offload(model := tiny_model("llama"), str(tmp_path), execution_device="cpu")
    assert layout_of(model, {}) == whole
    assert len(whole.layers) == LAYERS
