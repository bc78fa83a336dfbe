"""Models that are no decoders by themselves: transformers opens them, but no layer of theirs can be removed.

The names are ``model_type`` of transformers 5.23 for which its ``AutoModelForCausalLM`` has a class. Light to import.
"""

from __future__ import annotations

from typing import Final

_NAMES: Final[dict[str, str]] = {
    "an encoder, which reads a text from both sides": (
        "bert bert-generation big_bird camembert data2vec-text electra ernie megatron-bert reformer rembert roberta "
        "roberta-prelayernorm roc_bert roformer xlm xlm-roberta xlm-roberta-xl xlnet xmod"
    ),
    "half of an encoder-decoder, which reads another text besides": (
        "bart bigbird_pegasus blenderbot blenderbot-small marian mbart musicgen musicgen_melody mvp pegasus plbart "
        "prophetnet trocr whisper"
    ),
    "a draft head, which reads the hidden states of another model": "gemma4_assistant gemma4_unified_assistant",
}


def category_of(model_type: str) -> str | None:
    """Return what a model type is if it is no decoder by itself, such as ``an encoder, which ...``; None for others."""
    return next((category for category, names in _NAMES.items() if model_type in names.split()), None)


def no_decoder(model_type: str, category: str) -> str:
    """Return the sentence that refuses a model of a category."""
    return f"{model_type} is {category}; only decoders have layers whose removal can be measured"
