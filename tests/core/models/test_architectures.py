"""Architectures are told apart as transformers tells them apart, without loading it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from transformers import CONFIG_MAPPING
from transformers.models.auto import configuration_auto, modeling_auto

from core.errors import CornerstoneError
from core.models import transformers_names as names
from core.models.architectures import auto_class_name
from core.models.config_limits import depth_of, refuse_numbers

DECODERS = modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
SEVERAL = modeling_auto.MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES
PAIRS = modeling_auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES
ALL = sorted({*DECODERS, *SEVERAL, *PAIRS, *modeling_auto.MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES})
# What is wrong with the defaults that transformers itself gives these.
NO_DEFAULTS = {"gemma4_assistant", "dots3_note"}
A_FRACTION = {"musicflamingo"}


def opened(model_type: str, **config: object) -> str:
    """Return the class that opens a model, or the sentence that refuses it."""
    try:
        return auto_class_name({"model_type": model_type, **config}, "a folder")
    except CornerstoneError as error:
        return str(error)


def test_the_tables_are_those_of_transformers() -> None:
    assert names.table(names.DECODERS) == dict(DECODERS)
    assert {**names.table(names.IMAGES_AND_TEXT), **names.table(names.SEVERAL_INPUTS)} == dict(SEVERAL)
    assert names.table(names.MASKED) == dict(modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES)
    assert names.table(names.ENCODER_DECODERS) == dict(PAIRS)
    assert {**names.table(names.CONFIGS), "gpt-sw3": "GPT2Config"} == dict(configuration_auto.CONFIG_MAPPING_NAMES)


def test_every_decoder_is_opened_and_every_other_kind_refused() -> None:
    found: dict[str, list[str]] = {}
    for name in DECODERS:
        found.setdefault(opened(name).replace(repr(name), "it"), []).append(name)
    counts = {said.partition(",")[0].removeprefix("cannot load a folder: "): len(each) for said, each in found.items()}
    assert counts == {
        "AutoModelForCausalLM": 154,
        "it is an encoder-decoder": 14,
        "it is an encoder": 19,
        "it is a draft head": 2,
    }


@pytest.mark.parametrize("name", ALL)
def test_a_model_has_one_stack_of_layers_or_is_refused(name: str) -> None:
    if name in NO_DEFAULTS:
        pytest.skip("transformers cannot make its configuration by default")
    config = CONFIG_MAPPING[name]()
    text = config.get_text_config(decoder=True)
    two = any(getattr(part, "is_encoder_decoder", False) for part in (config, text))
    assert not two or "is an encoder-decoder" in opened(name)
    if not opened(name).startswith("Auto") or name in A_FRACTION:
        return
    saved = json.loads(config.to_json_string(use_diff=False))
    refuse_numbers(saved, Path("config.json"))
    # A layer of longcat_flash counts as two there.
    assert depth_of(saved) in {*(getattr(text, key, None) for key in ("num_hidden_layers", "num_layers")), None}


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"model_type": "bert"}, "'bert' is an encoder, whose tokens see those after them"),
        ({"model_type": "t5"}, "'t5' is an encoder-decoder, whose layers come in two stacks"),
        ({"model_type": "whisper"}, "'whisper' is an encoder-decoder"),
        ({"model_type": "blip-2", "text_config": {"is_encoder_decoder": True}}, "'blip-2' is an encoder-decoder"),
        ({"model_type": "gemma4_assistant"}, "'gemma4_assistant' is a draft head, which proposes tokens"),
        ({"model_type": "llama", "architectures": ["LlamaForCausalLMEagle3"]}, "LlamaForCausalLMEagle3 is a draft"),
        ({"model_type": "qwen2", "speculators_model_type": "eagle3"}, "'qwen2' is a draft head"),
        ({"model_type": "vit"}, "the architecture 'vit' writes no text"),
        ({"model_type": "qwen9"}, "the architecture 'qwen9' is not part of transformers 5."),
        ({"model_type": "x" * 1000}, "is not part of transformers"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_other_kinds_are_refused_in_a_sentence(config: dict[str, object], said: str) -> None:
    with pytest.raises(CornerstoneError) as raised:
        auto_class_name(config, "/a/folder")
    assert str(raised.value).startswith("cannot load /a/folder: ")
    assert said in str(raised.value)
    assert len(str(raised.value)) < 300


def test_a_model_that_also_sees_is_opened_by_a_class_that_has_its_text() -> None:
    assert opened("mistral3") == opened("qwen3_vl") == opened("llava") == "AutoModelForImageTextToText"
    assert opened("gemma3") == opened("llama4") == opened("qwen3_5") == "AutoModelForCausalLM"
    assert opened("voxtral") == "AutoModelForMultimodalLM"
    assert opened("audioflamingo3") == "AutoModelForSeq2SeqLM"


def test_without_the_tables_loading_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_tables", dict)
    assert opened("qwen9") == "AutoModelForCausalLM"
