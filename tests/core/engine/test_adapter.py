"""A model with an adapter gives what peft gives, and is another model in the store. Bad adapters are told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.engine.load import LoadedModel, load_model
from core.errors import CornerstoneError, Mend
from core.models import adapter_check
from core.models.adapter_check import check_adapter
from core.models.lookup import ModelSource, look_up
from tests.support.adapters import beside, change_adapter, plain, save_adapter
from tests.support.small_model import SPECIAL, TOKENIZER_CONFIG, VOCABULARY, byte_tokenizer, small_model, write_json
from tests.support.tiny_models import tiny_model

pytest.importorskip("peft", reason="peft is not installed, so no adapter can be made")

TOKENS = torch.arange(12)[None] * 7 + 3
ATTENTION = ["q_proj", "v_proj"]
WEIGHTS = "adapter_model.safetensors"

KINDS: dict[str, dict[str, object]] = {
    "lora": {"target_modules": ATTENTION},
    "lora on all linear modules": {"target_modules": "all-linear"},
    "lora by a pattern": {"target_modules": r".*\.1\.(self_attn|mlp)\.\w+_proj"},
    "rank-stabilized": {"target_modules": ATTENTION, "use_rslora": True},
    "dora": {"target_modules": ["q_proj", "down_proj"], "use_dora": True},
    "ranks by module": {
        "target_modules": ["q_proj", "up_proj"],
        "rank_pattern": {"up_proj": 5},
        "alpha_pattern": {"q_proj": 9},
    },
    "some layers": {"target_modules": ATTENTION, "layers_to_transform": [1], "layers_pattern": "layers"},
    "a whole head": {"target_modules": ATTENTION, "modules_to_save": ["lm_head"]},
    "embeddings": {"target_modules": ["embed_tokens", "q_proj"]},
    "a head": {"target_modules": ["lm_head", "v_proj"]},
    "tokens": {"target_modules": ATTENTION, "trainable_token_indices": [3, 10]},
    "begun by eva": {"target_modules": ATTENTION, "init_lora_weights": "gaussian"},
}


def family_folder(family: str, folder: Path, **settings: object) -> Path:
    tiny_model(family, vocab_size=VOCABULARY, **settings).save_pretrained(folder)
    byte_tokenizer(special=SPECIAL).save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", TOKENIZER_CONFIG)
    return folder


def load(base: Path, adapter: Path | None, **how: str) -> LoadedModel:
    source = look_up(str(base), revision=None, offline=True)
    assert isinstance(source, ModelSource)
    return load_model(source.with_adapter(adapter), **{"device": "cpu", **how})


def logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        return model(input_ids=TOKENS).logits


def assert_as_peft_has_it(base: Path, adapter: Path) -> None:
    merged, truth = load(base, adapter).model, beside(base, adapter)
    torch.testing.assert_close(logits(merged), logits(truth), atol=1e-4, rtol=1e-4)
    assert (logits(truth) - logits(plain(base))).abs().max() > 1e-2
    assert not any("lora" in name for name, _ in merged.named_modules())


@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_model_with_its_adapter_is_what_peft_makes_of_it(kind: str, tied: bool, tmp_path: Path) -> None:
    base = family_folder("llama", tmp_path / "base", tie_word_embeddings=tied)
    assert_as_peft_has_it(base, save_adapter(base, tmp_path / "adapter", **KINDS[kind]))


@pytest.mark.parametrize("settings", [{"bias": "all"}, {"bias": "lora_only"}, {"lora_bias": True}], ids=str)
def test_biases_count(settings: dict[str, object], tmp_path: Path) -> None:
    base = family_folder("llama", tmp_path / "base", attention_bias=True)
    assert_as_peft_has_it(base, save_adapter(base, tmp_path / "adapter", target_modules=ATTENTION, **settings))


def test_a_bias_that_the_model_has_no_place_for_is_told(tmp_path: Path) -> None:
    base = family_folder("llama", tmp_path / "base")
    adapter = save_adapter(base, tmp_path / "adapter", target_modules=ATTENTION, lora_bias=True)
    with pytest.raises(CornerstoneError, match="the base layer has no bias"):
        load(base, adapter)


@pytest.mark.parametrize(
    ("family", "settings"),
    [
        ("gpt2", {"target_modules": ["c_attn", "c_proj"], "fan_in_fan_out": True}),
        ("gpt_neox", {"target_modules": ["query_key_value", "dense_h_to_4h"]}),
        ("mixtral", {"target_modules": ["q_proj", "o_proj"]}),
        ("mixtral", {"target_modules": ["v_proj"], "target_parameters": ["mlp.experts.down_proj"]}),
        ("gemma2", {"target_modules": ["o_proj", "gate_proj"]}),
    ],
    ids=str,
)
def test_other_families_take_adapters(family: str, settings: dict[str, object], tmp_path: Path) -> None:
    base = family_folder(family, tmp_path / "base")
    assert_as_peft_has_it(base, save_adapter(base, tmp_path / "adapter", **settings))


def test_in_half_precision_sums_are_rounded_once(tmp_path: Path) -> None:
    base = family_folder("llama", tmp_path / "base")
    adapter = save_adapter(base, tmp_path / "adapter", target_modules=ATTENTION)
    half, whole = (load(base, adapter, dtype=dtype).model for dtype in ("bfloat16", "float32"))
    name = "model.layers.1.self_attn.q_proj.weight"
    weight, truth = half.get_parameter(name), whole.get_parameter(name)
    started = plain(base).get_parameter(name).bfloat16().float()
    exact = truth - plain(base).get_parameter(name) + started
    assert weight.dtype == torch.bfloat16
    torch.testing.assert_close(weight, exact.bfloat16(), atol=0, rtol=2**-7)
    assert (weight == exact.bfloat16()).float().mean() > 0.99


def test_a_model_with_its_adapter_is_another_model(tmp_path: Path) -> None:
    base = family_folder("llama", tmp_path / "base")
    first = save_adapter(base, tmp_path / "first", target_modules=ATTENTION)
    second = save_adapter(base, tmp_path / "second", target_modules=["o_proj"])
    records = [load(base, adapter).record for adapter in (None, first, second, first)]
    assert len({record.fingerprint for record in records}) == 3
    assert [record.name for record in records] == ["base", "base+first", "base+second", "base+first"]
    assert records[1].source.endswith(f"base with {first}")
    change_adapter(first, base_model_name_or_path="somewhere/else")
    assert load(base, first).record.fingerprint == records[1].fingerprint
    change_adapter(first, lora_alpha=6)
    assert load(base, first).record.fingerprint != records[1].fingerprint


def _without(part: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        weights = load_file(folder / WEIGHTS)
        save_file({name: weight for name, weight in weights.items() if part not in name}, folder / WEIGHTS)

    return change


def _with(name: str, *shape: int) -> Callable[[Path], object]:
    return lambda folder: save_file({**load_file(folder / WEIGHTS), name: torch.ones(shape)}, folder / WEIGHTS)


_Q0 = "base_model.model.model.layers.0.self_attn.q_proj"


def _whole_numbers(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    save_file({**weights, f"{_Q0}.lora_A.weight": torch.ones(3, 16, dtype=torch.int64)}, folder / WEIGHTS)


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no config": (lambda path: (path / "adapter_config.json").unlink(), "is no adapter: it has no adapter_config"),
    "config cut": (lambda path: (path / "adapter_config.json").write_text('{"r"'), "it is not a valid JSON file"),
    "no weights": (lambda path: (path / WEIGHTS).unlink(), "lacks 'adapter_model.safetensors'"),
    "pickled": (lambda path: (path / WEIGHTS).rename(path / "adapter_model.bin"), "pickles are unsafe"),
    "weights cut": (lambda path: (path / WEIGHTS).write_bytes((path / WEIGHTS).read_bytes()[:-9]), "it is cut off"),
    "weights empty": (lambda path: save_file({}, path / WEIGHTS), "it holds no weights"),
    "a link out": (lambda path: _link_out(path / WEIGHTS), "is a link out of its folder"),
    "of another type": (lambda path: change_adapter(path, peft_type="IA3"), "of type 'IA3', and only LORA"),
    "of no type": (lambda path: change_adapter(path, peft_type=None), "of type 'None', and only LORA"),
    "a type that is a list": (lambda path: change_adapter(path, peft_type=["LORA"]), "only LORA"),
    "code to import": (lambda path: change_adapter(path, megatron_config={"a": 1}), "'megatron_config' is not support"),
    "layers repeated": (lambda path: change_adapter(path, layer_replication=[[0, 1]]), "'layer_replication' is not"),
    "an unknown setting": (lambda path: change_adapter(path, use_warp=True), "'use_warp' is not supported"),
    "begun by pissa": (lambda path: change_adapter(path, init_lora_weights="pissa_niter_4"), "'pissa_niter_4', which"),
    "a rank of none": (lambda path: change_adapter(path, r=0), "r is '0', but must be"),
    "a rank that is text": (lambda path: change_adapter(path, r="8"), "r is '8', but must be"),
    "alpha missing": (lambda path: change_adapter(path, lora_alpha=None), "lora_alpha is 'None'"),
    "alpha beyond bounds": (lambda path: change_adapter(path, lora_alpha=1e300), "beyond what any model needs"),
    "a pattern without end": (lambda path: change_adapter(path, target_modules="a" * 9999), "more than 2 000 char"),
    "a pattern that is none": (lambda path: change_adapter(path, target_modules="(("), "cannot load the adapter"),
    "modules that are numbers": (lambda path: change_adapter(path, target_modules=[1, 2]), "adapter"),
    "another rank": (lambda path: change_adapter(path, r=7), "has another shape there"),
    "other modules": (lambda path: change_adapter(path, target_modules=["c_attn"]), "none of the parts that it chan"),
    "more modules": (lambda path: change_adapter(path, target_modules=[*ATTENTION, "o_proj"]), "it lacks "),
    "fewer modules": (lambda path: change_adapter(path, target_modules=["q_proj"]), "the model has no place for"),
    "half a product": (_without("0.self_attn.q_proj.lora_B"), "lora_A.weight' without"),
    "a layer missing": (_without("layers.1."), "it lacks "),
    "a layer more": (_with("base_model.model.model.layers.9.x.lora_A.weight", 3, 2), "without"),
    "a weight more": (_with("base_model.model.model.extra.weight", 2), "the model has no place for"),
    "no matrix": (_with(f"{_Q0}.lora_A.weight", 3), "is no matrix of real numbers"),
    "whole numbers": (_whole_numbers, "is no matrix of real numbers"),
    "of a wider model": (_with(f"{_Q0}.lora_A.weight", 3, 99), "has another shape there"),
}  # fmt: skip


def _link_out(path: Path) -> None:
    path.rename(path.parent.parent / "elsewhere.safetensors")
    path.symlink_to(path.parent.parent / "elsewhere.safetensors")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_model(tmp_path_factory.mktemp("small") / "base")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_adapter_is_told_in_a_sentence(fault: str, base: Path, tmp_path: Path) -> None:
    adapter = save_adapter(base, tmp_path / "adapter", target_modules=ATTENTION)
    change, said = FAULTS[fault]
    change(adapter)
    with pytest.raises(CornerstoneError) as raised:
        load(base, adapter)
    assert said in str(raised.value)
    assert str(adapter) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_it_was_trained_for_is_said_and_never_fetched(base: Path, tmp_path: Path) -> None:
    adapter = save_adapter(base, tmp_path / "adapter", target_modules=ATTENTION)
    change_adapter(adapter, base_model_name_or_path="someone/other", auto_mapping={"base_model_class": "os.system"})
    assert load(base, adapter).players
    change_adapter(adapter, target_modules=["nothing"])
    with pytest.raises(CornerstoneError, match="which was trained for someone/other, does not fit LlamaForCausalLM"):
        load(base, adapter)


def test_where_it_cannot_be_added_is_told(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = save_adapter(base, tmp_path / "adapter", target_modules=ATTENTION)
    with pytest.raises(CornerstoneError, match="an adapter can only be added to a model that does"):
        load(base, adapter, device="spread")
    monkeypatch.setattr(adapter_check, "find_spec", lambda _: None)
    with pytest.raises(CornerstoneError, match="needs the library peft, which is not installed; install it"):
        check_adapter(adapter)


def test_an_adapter_given_as_the_model_is_told_what_it_is(base: Path, tmp_path: Path) -> None:
    adapter = save_adapter(base, tmp_path / "adapter", target_modules=ATTENTION)
    with pytest.raises(CornerstoneError, match="holds an adapter, which needs the model that it adapts") as raised:
        look_up(str(adapter), revision=None, offline=True)
    assert raised.value.mend is Mend.GIVE_ADAPTER


def test_an_adapter_that_changes_meanwhile_is_told(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.engine.adapter import LoraAdapter

    adapter = save_adapter(base, tmp_path / "adapter", target_modules=ATTENTION)
    merge = LoraAdapter.merge_into

    def meanwhile(self: LoraAdapter, model: object) -> None:
        merge(self, model)  # type: ignore[arg-type]
        config = json.loads((adapter / "adapter_config.json").read_text())
        write_json(adapter / "adapter_config.json", {**config, "lora_alpha": 50})

    monkeypatch.setattr(LoraAdapter, "merge_into", meanwhile)
    with pytest.raises(CornerstoneError, match="changed while the model was loaded"):
        load(base, adapter)
