"""Loading runs no foreign code, makes no other model than the files hold, and refuses the rest in one sentence."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import torch
from lm_eval.api.instance import Instance
from safetensors.torch import load_file, save_file

from core.engine.encoding import EncodingFaultError, RequestEncoder
from core.engine.gguf import convert_gguf
from core.engine.load import LoadedModel, load_model
from core.errors import CornerstoneError
from core.models import quantization
from core.models.lookup import ModelSource, look_up
from tests.support.bad_gguf import other_models
from tests.support.bad_models import MARK, bad_models, code_faults, config_faults
from tests.support.bad_tokenizers import tokenizer_faults
from tests.support.bad_weights import shard_faults, weight_faults
from tests.support.small_gguf import small_gguf
from tests.support.small_model import (
    SPECIAL,
    TOKENIZER_CONFIG,
    VOCABULARY,
    byte_tokenizer,
    change_config,
    small_model,
    write_json,
)
from tests.support.tiny_models import SETTINGS, tiny_model

_WORDS = ("The", "keys", "to", "the", "cabinet", "are", "on", "table", ".")

FAULTS = {**code_faults(), **config_faults(), **weight_faults(), **shard_faults(), **tokenizer_faults()}


def load(folder: Path) -> LoadedModel:
    source = look_up(str(folder), revision=None, offline=True)
    assert isinstance(source, ModelSource)
    return load_model(source, device="cpu")


def refusal(folder: Path) -> str:
    with pytest.raises(CornerstoneError) as raised:
        load(folder)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def add(folder: Path, **weights: torch.Tensor) -> None:
    """Add weights to those of a folder; two underscores in a name stand for a dot."""
    file = folder / "model.safetensors"
    named = {name.replace("__", "."): weight for name, weight in weights.items()}
    save_file({**load_file(file), **named}, file, metadata={"format": "pt"})


def family_folder(family: str, folder: Path) -> Path:
    """Write a tiny model of a family, with a tokenizer of bytes."""
    more: dict[str, object] = {"vocab_size": VOCABULARY}
    if family == "gemma3":
        more = {"text_config": {**SETTINGS["gemma3"]["text_config"], **more}}  # type: ignore[dict-item]
    tiny_model(family, **more).save_pretrained(folder)
    byte_tokenizer(special=SPECIAL).save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", TOKENIZER_CONFIG)
    return folder


@pytest.mark.parametrize("family", SETTINGS)
def test_a_whole_folder_of_each_family_is_loaded(family: str, tmp_path: Path) -> None:
    loaded = load(family_folder(family, tmp_path / family))
    assert loaded.record.family == family
    assert len(loaded.players) == 8


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_folder_is_refused_and_none_of_its_code_is_run(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n" * 20))
    FAULTS[fault](small_model(tmp_path / "model"))
    assert str(tmp_path / "model") in refusal(tmp_path / "model")
    assert not (tmp_path / MARK).exists()


@pytest.mark.slow
def test_bad_folders_differ_from_seed_to_seed(tmp_path: Path) -> None:
    (first, second) = ({name for name, _ in bad_models(seed, tmp_path / str(seed))} for seed in (0, 1))
    assert len(first | second) > len(first) + 40


@pytest.mark.parametrize(
    "answer", ["tokenizer by auto_map", "slow tokenizer by auto_map", "unknown model type with auto_map"]
)
def test_own_code_is_refused_whatever_is_answered(
    answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    code_faults()[answer](small_model(tmp_path / "model"))
    assert "needs code of its own, which is never run" in refusal(tmp_path / "model")
    assert not (tmp_path / MARK).exists()
    assert capsys.readouterr().out == ""


def test_code_that_would_generate_is_not_run(tmp_path: Path) -> None:
    model = small_model(tmp_path / "model")
    (model / "custom_generate").mkdir()
    (model / "custom_generate" / "generate.py").write_text(f"open({str(tmp_path / MARK)!r}, 'w')\n")
    write_json(model / "generation_config.json", {"custom_generate": str(model), "trust_remote_code": True})
    assert load(model).players
    assert not (tmp_path / MARK).exists()


def test_a_tokenizer_whose_library_is_missing_is_named(tmp_path: Path) -> None:
    write_json(small_model(tmp_path / "model") / "tokenizer_config.json", {"tokenizer_class": "MistralCommonBackend"})
    assert "requires the mistral-common library" in refusal(tmp_path / "model")


def test_what_transformers_says_of_an_odd_setting_is_not_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change_config(small_model(tmp_path / "model"), is_heterogeneous=True)
    assert "is_heterogeneous" in refusal(tmp_path / "model")
    assert "".join(capsys.readouterr()) == ""


def test_an_auto_map_is_left_aside_where_transformers_knows_the_class(tmp_path: Path) -> None:
    model = small_model(tmp_path / "model")
    change_config(model, auto_map={"AutoConfig": "evil.Evil", "AutoModelForCausalLM": "evil.Evil"})
    write_json(
        model / "tokenizer_config.json", {**TOKENIZER_CONFIG, "auto_map": {"AutoTokenizer": [None, "evil.Evil"]}}
    )
    assert load(model).tokenizer.encode("a") == [byte_tokenizer(special=[]).encode("a").ids[0]]


@pytest.mark.parametrize("method", ["gptq", "awq", "bitsandbytes"])
def test_a_quantized_folder_without_its_library_is_refused(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantization, "find_spec", lambda _: None)
    model = small_model(tmp_path / "model")
    change_config(model, quantization_config={"quant_method": method, "bits": 4})
    assert f"quantized by {method!r}, which needs the library" in refusal(model)


@pytest.mark.parametrize("setting", ["num_attention_heads", "num_hidden_layers", "num_key_value_heads", "vocab_size"])
def test_none_of_something_is_refused(setting: str, tmp_path: Path) -> None:
    model = small_model(tmp_path / "model")
    change_config(model, **{setting: 0})
    assert f"{setting} is 0, but must be a whole number from 1 to" in refusal(model)


def test_a_vocabulary_smaller_than_the_tokenizers_is_refused(tmp_path: Path) -> None:
    tokenizer_faults()["tokens that the model does not know"](small_model(tmp_path / "model"))
    assert "has a token 255, but the model has embeddings for 100 tokens only" in refusal(tmp_path / "model")


def test_fewer_layers_than_the_weights_have_are_refused_by_name(tmp_path: Path) -> None:
    model = small_model(tmp_path / "model")
    change_config(model, num_hidden_layers=1)
    assert "has 9 weights that its config.json has no use for, such as model.layers.1." in refusal(model)


def test_a_weight_more_is_refused_by_name(tmp_path: Path) -> None:
    model = small_model(tmp_path / "model")
    add(model, model__layers__0__self_attn__q_norm__weight=torch.ones(8))
    assert "has no use for, such as model.layers.0.self_attn.q_norm.weight" in refusal(model)


@pytest.mark.parametrize(
    ("family", "weights"),
    [
        ("llama", {"model__layers__0__self_attn__rotary_emb__inv_freq": torch.ones(4)}),
        ("llama", {"model__layers__0__self_attn__rotary_emb__cos_cached": torch.ones(4)}),
        ("gpt2", {"transformer__h__0__attn__bias": torch.ones(1, 1, 8, 8)}),
        ("gpt2", {"transformer__h__0__attn__masked_bias": torch.tensor(-1e4)}),
        ("gpt_neox", {"gpt_neox__layers__0__attention__masked_bias": torch.tensor(-1e4)}),
        ("gemma3", {"vision_tower__extra__weight": torch.ones(3)}),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_constants_of_old_checkpoints_and_other_inputs_are_no_fault(
    family: str, weights: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    folder = family_folder(family, tmp_path / family)
    add(folder, **weights)
    assert load(folder).players


def test_a_head_that_is_saved_though_it_is_tied_is_no_fault(tmp_path: Path) -> None:
    model = small_model(tmp_path / "model")
    change_config(model, tie_word_embeddings=True)
    assert load(model).players


@pytest.mark.parametrize("words", [[], ["<pad>"]])
def test_a_tokenizer_without_bos_and_eos_encodes_texts_that_have_a_prompt(words: list[str], tmp_path: Path) -> None:
    model = small_model(tmp_path / "model")
    byte_tokenizer(special=words).save(str(model / "tokenizer.json"))
    write_json(model / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast"})
    encoder = RequestEncoder(load(model))
    (request,) = encoder.encode(Instance("loglikelihood", {}, ("the cat", " sat"), 0))
    assert (len(request.context), len(request.continuation)) == (7, 4)
    for wanting in (Instance("loglikelihood", {}, ("", "sat"), 0), Instance("loglikelihood_rolling", {}, ("sat",), 0)):
        with pytest.raises(EncodingFaultError, match="there is no prompt, and the tokenizer has neither BOS nor EOS"):
            encoder.encode(wanting)


def test_words_that_a_tokenizer_has_no_token_for_are_refused_in_a_sentence(tmp_path: Path) -> None:
    model = small_model(tmp_path / "model")
    words = {word: number for number, word in enumerate(_WORDS)}
    whole = json.loads((model / "tokenizer.json").read_text())
    level = {"type": "WordLevel", "vocab": words, "unk_token": "<none>"}
    write_json(
        model / "tokenizer.json", {**whole, "model": level, "pre_tokenizer": {"type": "Whitespace"}, "decoder": None}
    )
    encoder = RequestEncoder(load(model))
    with pytest.raises(CornerstoneError, match=r"cannot encode 'the cat sat': WordLevel error: Missing \[UNK\] token"):
        encoder.encode(Instance("loglikelihood", {}, ("the cat", " sat"), 0))


def test_a_token_that_was_added_to_the_tokenizer_alone_is_refused_where_a_text_has_it(tmp_path: Path) -> None:
    model = small_model(tmp_path / "model")
    byte_tokenizer(special=[*SPECIAL, "<more>"]).save(str(model / "tokenizer.json"))
    encoder = RequestEncoder(load(model))
    assert encoder.encode(Instance("loglikelihood", {}, ("the cat", " sat"), 0))
    with pytest.raises(CornerstoneError, match=r"the token '<more>', which is number 258, but .* 258 tokens only"):
        encoder.encode(Instance("loglikelihood", {}, ("the cat", " sat <more>"), 0))


@pytest.mark.parametrize("fault", other_models())
def test_a_gguf_file_of_another_model_is_refused(fault: str, tmp_path: Path) -> None:
    other_models()[fault](tmp_path / "m.gguf")
    with pytest.raises(CornerstoneError) as raised:
        convert_gguf(tmp_path / "m.gguf", tmp_path / "converted")
    assert "m.gguf" in str(raised.value)
    assert not (tmp_path / "converted").exists()


def test_files_beside_a_gguf_file_change_nothing(tmp_path: Path) -> None:
    for name in ("alone", "beside"):
        (tmp_path / name).mkdir()
        small_gguf(tmp_path / name / "m.gguf")
    (tmp_path / "beside" / "evil.py").write_text(f"open({str(tmp_path / MARK)!r}, 'w')\n")
    auto_map = {"AutoTokenizer": [None, "evil.Evil"], "AutoConfig": "evil.Evil"}
    write_json(tmp_path / "beside" / "tokenizer_config.json", {"auto_map": auto_map, "eos_token": "a"})
    write_json(tmp_path / "beside" / "config.json", {"auto_map": auto_map})
    write_json(tmp_path / "beside" / "adapter_config.json", {"base_model_name_or_path": "x/y"})
    for name in ("alone", "beside"):
        convert_gguf(tmp_path / name / "m.gguf", tmp_path / f"{name} converted")
    one, other = (load(tmp_path / f"{name} converted") for name in ("alone", "beside"))
    assert one.record.fingerprint == other.record.fingerprint
    assert one.tokenizer.eos_token == "</s>"
    assert not (tmp_path / MARK).exists()
    assert json.loads((tmp_path / "beside converted" / "config.json").read_text())["model_type"] == "llama"
