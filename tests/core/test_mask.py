"""A mask file is what it says, and a model under it is the model without those sublayers, until the block ends."""

from __future__ import annotations

import doctest
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from core import mask as masks
from core.coalitions.players import Removed
from core.engine.layers import decoder_layers
from core.engine.parameters import parameters_of
from core.errors import CornerstoneError, Mend
from core.models.families import family_of
from core.removal_path.mask_file import Evidence, Mask, MaskedModel, Saved, mask_of
from tests.core.engine.test_decoder import model_of, plain_logprobs, some_documents
from tests.support.tiny_models import LAYERS, SETTINGS, VOCABULARY

EVIDENCE = Evidence(
    tasks=("agreement", "capitals"),
    value="acc",
    documents="held out",
    n=32,
    intact=0.8,
    score=0.75,
    score_low=0.6,
    score_high=0.9,
    drop=0.05,
    drop_low=-0.1,
    drop_high=0.2,
    how="greedy path of 2 steps",
)


def mask_for(family: str, removed: Removed, layers: int = LAYERS) -> Mask:
    model = MaskedModel(
        name="tiny",
        source="here",
        revision=None,
        fingerprint="f" * 64,
        dtype="float32",
        family=family,
        kinds=(("attn", "moe" if family == "mixtral" else "ffn"),) * layers,
    )
    return mask_of(model, removed, (EVIDENCE,), Saved(10, 100, 10, 100))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    mask = mask_for("mixtral", (0, 3))
    masks.write(mask, tmp_path / "mask.json")
    assert masks.read(tmp_path / "mask.json") == mask
    content = json.loads((tmp_path / "mask.json").read_text())
    assert list(content)[:2] == ["format", "version"]
    assert content["removed"] == [{"number": 0, "label": "Attn 0"}, {"number": 3, "label": "MoE 1"}]


def test_a_mask_keeps_the_kinds_of_any_layers(tmp_path: Path) -> None:
    mask = mask_for("llama", (0, 3))
    hybrid = replace(mask.model, kinds=(("ssm",), ("attn", "moe", "attn", "ffn")))
    masks.write(mask_of(hybrid, (0, 3), (EVIDENCE,), mask.parameters), tmp_path / "mask.json")
    content = json.loads((tmp_path / "mask.json").read_text())
    assert content["model"]["kinds"] == [["ssm"], ["attn", "moe", "attn", "ffn"]]
    assert [player["label"] for player in content["removed"]] == ["SSM 0", "Attn 1b"]
    assert masks.read(tmp_path / "mask.json").model == hybrid


@pytest.mark.parametrize("ffn", ["ffn", "moe"])
def test_a_mask_of_the_first_version_is_read(tmp_path: Path, ffn: str) -> None:
    mask = mask_for("mixtral" if ffn == "moe" else "llama", (0, 3))
    masks.write(mask, tmp_path / "mask.json")
    content = json.loads((tmp_path / "mask.json").read_text())
    del content["model"]["kinds"]
    content["model"] |= {"layers": LAYERS, "ffn": ffn}
    content["version"] = 1
    (tmp_path / "older.json").write_text(json.dumps(content))
    assert masks.read(tmp_path / "older.json") == mask
    for name, value, said in (("layers", 0, "model.layers"), ("ffn", "fnn", "model.ffn"), ("ffn", None, "is missing")):
        broken = {**content, "model": {**content["model"], name: value}}
        if value is None:
            del broken["model"][name]
        (tmp_path / "broken.json").write_text(json.dumps(broken))
        with pytest.raises(CornerstoneError, match=said):
            masks.read(tmp_path / "broken.json")
    (tmp_path / "older.json").write_text(json.dumps({**content, "version": 2}))
    with pytest.raises(CornerstoneError, match="is not a complete mask"):
        masks.read(tmp_path / "older.json")


def test_a_mask_is_replaced_only_when_told(tmp_path: Path) -> None:
    path = tmp_path / "mask.json"
    masks.write(mask_for("llama", (0,)), path)
    with pytest.raises(CornerstoneError, match=r"exists$") as refused:
        masks.write(mask_for("llama", (1,)), path)
    assert refused.value.mend == Mend.REPLACE_FILE
    masks.write(mask_for("llama", (1,)), path, force=True)
    assert masks.read(path).numbers == (1,)
    with pytest.raises(CornerstoneError, match="cannot write"):
        masks.write(mask_for("llama", (1,)), tmp_path / "nowhere" / "mask.json")


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    content = json.loads(json.dumps(asdict(mask_for("llama", (0, 3)))))
    change(content)
    return json.dumps(content).encode()


WRONG = {
    "it is not JSON": b"{",
    'it has no "format"': b"[1, 2]",
    "is a mask of version 3, but this program reads versions 1 to 2": changed(lambda c: c.update(version=3)),
    "not a complete mask: model.kinds is missing": changed(lambda c: c["model"].pop("kinds")),
    "not a complete mask: model.layers is missing": changed(lambda c: c.update(version=1)),
    "not a complete mask: model.kinds.0.1: should be": changed(lambda c: c["model"].update(kinds=[["attn", "fnn"]])),
    "not a complete mask: evidence.0.colour is not known": changed(lambda c: c["evidence"][0].update(colour="red")),
    "not a complete mask: removed.1.number: should be": changed(lambda c: c["removed"][1].update(number="three")),
    "calls player 3 'FFN 3', but it is FFN 1": changed(lambda c: c["removed"][1].update(label="FFN 3")),
    "must be sorted by number, each once": changed(lambda c: c["removed"].reverse()),
    "removes player 8, but a model of 4 layers has players 0 to 7": changed(
        lambda c: c["removed"][1].update(number=8, label="Attn 4")
    ),
}


@pytest.mark.parametrize("sentence", WRONG)
def test_a_wrong_file_is_one_sentence(sentence: str, tmp_path: Path) -> None:
    (tmp_path / "mask.json").write_bytes(WRONG[sentence])
    with pytest.raises(CornerstoneError) as refusal:
        masks.read(tmp_path / "mask.json")
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CornerstoneError, match=r"cannot read the mask .*No such file"):
        masks.read(tmp_path / "mask.json")


@pytest.mark.parametrize("family", SETTINGS)
def test_under_a_mask_the_model_is_the_one_with_those_submodules_silenced(family: str) -> None:
    model, documents, removed = model_of(family), some_documents(1), (0, 3, 6)
    tokens = torch.tensor([[5, 9, 30, 2, 17]])
    with torch.no_grad():
        before = model(tokens).logits
        with masks.apply(model, mask_for(family, removed)):
            under = plain_logprobs(model, documents, ())
        after = model(tokens).logits
    assert under == pytest.approx(plain_logprobs(model, documents, removed), abs=1e-4)
    assert torch.equal(before, after)


@pytest.mark.parametrize("family", SETTINGS)
def test_a_model_without_its_head_can_be_masked_too(family: str) -> None:
    model = model_of(family)
    tokens = torch.tensor([[5, 9, 30, 2, 17]])
    with torch.no_grad():
        with masks.apply(model, mask_for(family, (0, 3))):
            whole = model(tokens, output_hidden_states=True).hidden_states[-1]
        with masks.apply(model.base_model, mask_for(family, (0, 3))):
            bare = model.base_model(tokens, output_hidden_states=True).hidden_states[-1]
    assert torch.equal(whole, bare)


@pytest.mark.parametrize(
    ("family", "cache"), [*((family, None) for family in SETTINGS), ("llama", "static"), ("gemma3_text", "static")]
)
def test_under_a_mask_a_model_writes_the_same_with_and_without_its_cache(family: str, cache: str | None) -> None:
    model = model_of(family)
    prompt = torch.randint(2, VOCABULARY, (2, 6), generator=torch.Generator().manual_seed(3))
    settings: dict[str, Any] = {"max_new_tokens": 4, "do_sample": False, "pad_token_id": 1}
    with masks.apply(model, mask_for(family, (0, 3, 4))):
        slow = model.generate(prompt, use_cache=False, **settings)
        fast = model.generate(prompt, use_cache=True, cache_implementation=cache, **settings)
    assert torch.equal(slow, fast)
    assert not torch.equal(slow, model.generate(prompt, use_cache=False, **settings))


def test_what_is_raised_in_the_block_comes_out_of_it_and_the_model_is_restored() -> None:
    model = model_of("llama")

    def fail() -> None:
        with masks.apply(model, mask_for("llama", (0, 1, 7))):
            assert any("forward" in module.__dict__ for module in model.modules())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not any("forward" in module.__dict__ for module in model.modules())


def test_another_model_is_refused() -> None:
    model = model_of("llama")
    with pytest.raises(CornerstoneError, match="a gpt2 model, and this is a llama model"):
        masks.check(model, mask_for("gpt2", (0,)))
    with pytest.raises(CornerstoneError, match="which has 6 layers, and this model has 4"):
        masks.check(model, mask_for("llama", (0,), layers=6))


@pytest.mark.parametrize("family", SETTINGS)
def test_parameters_are_those_of_the_submodules(family: str) -> None:
    model = model_of(family)
    layer = decoder_layers(model, family_of(model.config))[1]
    inside = {name: parameter.numel() for name, parameter in layer.named_parameters()}
    tops = {name: name.split(".")[0] for name in inside}
    norms = sum(count for name, count in inside.items() if "norm" in tops[name] or tops[name].startswith("ln_"))
    assert 0 < norms < sum(inside.values())
    both = parameters_of(model, family_of(model.config), (2, 3))
    assert both.removed == sum(inside.values()) - norms
    assert both.total == sum({id(p): p.numel() for p in model.parameters()}.values())
    alone = [parameters_of(model, family_of(model.config), (number,)).removed for number in (2, 3)]
    assert sum(alone) == both.removed
    assert min(alone) > 0


def test_tied_embeddings_count_once() -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    settings = {**SETTINGS["llama"], "bos_token_id": None, "eos_token_id": None}
    tied, apart = (LlamaForCausalLM(LlamaConfig(**settings, tie_word_embeddings=tie)) for tie in (True, False))
    family = family_of(tied.config)
    difference = parameters_of(apart, family, ()).total - parameters_of(tied, family, ()).total
    assert difference == VOCABULARY * tied.config.hidden_size


def test_of_an_moe_a_token_meets_some_experts() -> None:
    model = model_of("mixtral")
    config = model.config
    found = parameters_of(model, family_of(config), (1,))
    router = config.num_local_experts * config.hidden_size
    expert = 3 * config.hidden_size * config.intermediate_size
    assert found.removed == router + config.num_local_experts * expert
    assert found.removed_per_token == router + config.num_experts_per_tok * expert
    unused = (config.num_local_experts - config.num_experts_per_tok) * expert
    assert found.total - found.total_per_token == LAYERS * unused


def test_the_example_in_the_docstring_runs(
    tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    masks.write(mask_for("llama", (2, 5)), tmp_path / "mask.json")
    assert masks.__doc__ is not None
    example = doctest.DocTestParser().get_doctest(
        masks.__doc__, {"FOLDER": str(tiny_model_folder)}, "core.mask", masks.__file__, 0
    )
    assert len(example.examples) >= 6
    assert doctest.DocTestRunner(verbose=False).run(example).failed == 0
