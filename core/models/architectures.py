"""Which architectures can be opened, by which class of transformers, and which are refused and why. Light to import."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import metadata
from typing import Any, Final, Literal

from core.errors import CornerstoneError
from core.models import transformers_names as names

AutoClass = Literal[
    "AutoModelForCausalLM", "AutoModelForImageTextToText", "AutoModelForMultimodalLM", "AutoModelForSeq2SeqLM"
]
"""The class of transformers that opens a model. All but the first also read images or sound; only text is given."""

_TWO_STACKS: Final = frozenset({
    "florence2", "musicgen", "musicgen_melody", "pix2struct", "pp_formulanet", "t5gemma2", "trocr", "udop",
    "vision-encoder-decoder", "whisper",
})  # fmt: skip
"""Encoder-decoders, and decoders without their encoder, that transformers lists among other models too."""
_DECODERS_IN_SEQ2SEQ: Final = frozenset({"audioflamingo3", "musicflamingo"})
"""Decoders that also hear, which transformers lists among encoder-decoders."""
_ENCODERS: Final = frozenset({"bert-generation", "xlnet"})
"""Encoders that transformers has no masked language model of."""
_DRAFTS: Final = re.compile(r"eagle|medusa|hydra|speculator|assistant|draft|nextn|mtp(?![a-z])", re.IGNORECASE)
"""Names of classes that only propose tokens for another model."""


def auto_class_name(config: Mapping[str, Any], place: object) -> AutoClass:
    """Return the name of the class of transformers that opens the model of a configuration.

    Args:
        config: the content of config.json.
        place: the folder or file of the model, which errors name.

    Raises:
        CornerstoneError: it is no decoder of texts, or the installed transformers does not know it.
    """
    model_type = str(config.get("model_type"))
    if reason := _no_decoder(model_type, config):
        raise CornerstoneError(f"cannot load {place}: {reason}")
    decoders = names.table(names.DECODERS)
    if not decoders or model_type in decoders:  # without a table, loading tells
        return "AutoModelForCausalLM"
    if model_type in names.table(names.IMAGES_AND_TEXT):
        return "AutoModelForImageTextToText"
    if model_type in names.table(names.SEVERAL_INPUTS):
        return "AutoModelForMultimodalLM"
    if model_type in _DECODERS_IN_SEQ2SEQ:
        return "AutoModelForSeq2SeqLM"
    if is_known(model_type):
        raise CornerstoneError(
            f"cannot load {place}: the architecture {model_type[:80]!r} writes no text, so it has no next token to "
            "predict; use a language model"
        )
    raise CornerstoneError(
        f"cannot load {place}: the architecture {model_type[:80]!r} is not part of transformers "
        f"{metadata.version('transformers')}; a newer transformers may have it"
    )


def is_known(model_type: str) -> bool:
    """Return whether the code of an architecture is part of the installed transformers."""
    return any(model_type in names.table(table) for table in (names.CONFIGS, names.DECODERS))


def _no_decoder(model_type: str, config: Mapping[str, Any]) -> str | None:
    """Return why a model is of a kind without layers that carry a next token; None if it is not."""
    shown = repr(model_type[:80])
    drafts = [name for name in _classes(config) if _DRAFTS.search(name)]
    if model_type.endswith("_assistant") or drafts or "speculators_model_type" in config:
        return (
            f"{drafts[0][:80] if drafts else shown} is a draft head, which proposes tokens for another model and "
            "cannot run alone; use that model"
        )
    if _is_encoder_decoder(model_type, config):
        return f"{shown} is an encoder-decoder, whose layers come in two stacks; use a decoder"
    if model_type in _ENCODERS or model_type in names.table(names.MASKED):
        return f"{shown} is an encoder, whose tokens see those after them; use a decoder"
    return None


def _classes(config: Mapping[str, Any]) -> list[str]:
    named = config.get("architectures")
    return [name for name in named if isinstance(name, str)] if isinstance(named, list) else []


def _is_encoder_decoder(model_type: str, config: Mapping[str, Any]) -> bool:
    """Return whether a model has an encoder of texts besides.

    Transformers lists models that hear under both kinds: those that it lists as models of several inputs too are
    decoders.
    """
    inner = config.get("text_config")
    if config.get("is_encoder_decoder") is True or (
        isinstance(inner, dict) and inner.get("is_encoder_decoder") is True
    ):
        return True
    if model_type in _TWO_STACKS:
        return True
    pairs = (names.table(names.ENCODER_DECODERS), names.table(names.SPEECH))
    several = (names.table(names.IMAGES_AND_TEXT), names.table(names.SEVERAL_INPUTS))
    hears = any(model_type in table for table in several)
    return any(model_type in table for table in pairs) and not hears and model_type not in _DECODERS_IN_SEQ2SEQ
