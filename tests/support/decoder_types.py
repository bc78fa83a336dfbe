"""Tiny random models of every decoder type that transformers knows, built from its config classes."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor
from transformers import CONFIG_MAPPING, AutoModelForCausalLM, AutoModelForImageTextToText, PreTrainedModel
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from tests.support.decoder_exceptions import EXCEPTIONS
from tests.support.decoder_sizes import HEADS, LAYERS, OF_EYES_AND_EARS, SMALL

ENCODERS = (
    "bert", "bert-generation", "big_bird", "camembert", "data2vec-text", "electra", "ernie", "megatron-bert",
    "reformer", "rembert", "roberta", "roberta-prelayernorm", "roc_bert", "roformer", "xlm", "xlm-roberta",
    "xlm-roberta-xl", "xlnet", "xmod",
)  # fmt: skip
ENCODER_DECODERS = (
    "bart", "bigbird_pegasus", "blenderbot", "blenderbot-small", "marian", "mbart", "musicgen", "musicgen_melody",
    "mvp", "pegasus", "plbart", "prophetnet", "trocr", "whisper",
)  # fmt: skip
DRAFT_HEADS = ("gemma4_assistant", "gemma4_unified_assistant")
DECODERS = tuple(name for name in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES if name not in {*ENCODERS, *ENCODER_DECODERS})
"""All types that ``AutoModelForCausalLM`` opens as a decoder. Two of them are draft heads."""
WRAPPERS = (
    "aria", "aya_vision", "cohere2_vision", "exaone4_5", "glm4v", "glm4v_moe", "idefics3", "internvl", "kimi_k25",
    "lfm2_vl", "llava", "llava_next", "llava_onevision", "mistral3", "mistral4", "ovis2", "paligemma", "qwen2_5_vl",
    "qwen2_vl", "qwen3_vl", "qwen3_vl_moe", "smolvlm",
)  # fmt: skip
"""Types with a text stack that only ``AutoModelForImageTextToText`` opens."""

_CYCLED = ("layer_types", "layers_block_type", "indexer_types")
_FIRST_ONCE = ("mlp_layer_types",)
_PERCEPTION = re.compile("vision|audio|vq|qformer|backbone")
_SEED = 0


def tiny_config(name: str, **settings: Any) -> Any:
    """Return a config of a model type with everything small, and every type of layer in it."""
    return _small(CONFIG_MAPPING[name], {**EXCEPTIONS.get(name, {}), **settings}, SMALL)


def tiny_decoder(name: str, **settings: Any) -> PreTrainedModel:
    """Return a tiny random model of a type, in float32; nothing in it is zero or one by luck."""
    config = tiny_config(name, **settings)
    auto = AutoModelForCausalLM if name in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES else AutoModelForImageTextToText
    torch.manual_seed(_SEED)
    model = auto.from_config(config).float().eval()
    randomize(model)
    return model


def randomize(model: PreTrainedModel) -> None:
    """Give all weights random values that keep hidden states and logits of useful size.

    So for buffers that are saved and begin as a constant, such as a scale of a layer. Other buffers are tables.
    """
    weights = dict(model.named_parameters())
    saved = model.state_dict(keep_vars=True)
    torch.manual_seed(_SEED)
    with torch.no_grad():
        for name, tensor in {**weights, **saved}.items():
            if tensor.is_floating_point() and tensor.numel() and (name in weights or _constant(tensor)):
                tensor.copy_(_random(name, tensor))


def _random(name: str, tensor: Tensor) -> Tensor:
    """Return values near those that the class begins with if it begins with a constant, else around zero."""
    noise = torch.randn(tensor.shape) * 0.3
    if name.endswith("running_var"):
        return 1 + noise.abs()
    return tensor + noise if _constant(tensor) or name.endswith("A_log") else noise


def _constant(tensor: Tensor) -> bool:
    start = tensor.flatten()[0]
    return bool((tensor == start).all()) and bool(start.abs() <= 10)


def _small(cls: type, settings: dict[str, Any], sizes: dict[str, Any]) -> Any:
    names = _settings_of(cls)
    chosen = {name: value for name, value in sizes.items() if name in names}
    if "kv_lora_rank" in names and "num_key_value_heads" in names:
        chosen["num_key_value_heads"] = HEADS
    chosen |= _patterns(cls, chosen)
    chosen |= settings
    for name, spec in getattr(cls, "sub_configs_defaults", {}).items():
        given = settings.get(name, {})
        if isinstance(given, dict):
            chosen[name] = _part(name, spec, given, sizes)
    return cls(**chosen)


def _part(name: str, spec: Any, given: dict[str, Any], sizes: dict[str, Any]) -> Any:
    """Return the config of a part: of the text stack, or of what sees or hears."""
    given = dict(given)
    kind = given.pop("model_type", None) or getattr(spec, "model_type", None)
    cls = CONFIG_MAPPING[kind] if kind else getattr(spec, "config_class", spec)
    own = EXCEPTIONS.get(cls.model_type, {})
    seen = _PERCEPTION.search(name) is not None
    return _small(cls, {**own, **given}, {**sizes, **OF_EYES_AND_EARS} if seen else sizes)


def _settings_of(cls: type) -> frozenset[str]:
    return frozenset(field.name for field in fields(cls)) if is_dataclass(cls) else frozenset()


@cache
def _defaults(cls: type) -> Any:
    return cls()


def _patterns(cls: type, chosen: dict[str, Any]) -> dict[str, Any]:
    """Return the types of the layers: all that a model of the usual depth has, in their order."""
    found: dict[str, Any] = {}
    if not {"num_hidden_layers", "n_layer", "num_layers", "n_layers"} & set(chosen):
        return found
    for name in (*_CYCLED, *_FIRST_ONCE):
        if name not in _settings_of(cls):
            continue
        kinds = list(dict.fromkeys(getattr(_defaults(cls), name, None) or ()))
        if len(kinds) < 2:
            continue
        if name in _CYCLED:
            found[name] = [kinds[index % len(kinds)] for index in range(LAYERS)]
        else:
            found[name] = [*kinds, *[kinds[-1]] * LAYERS][:LAYERS]
    return found
