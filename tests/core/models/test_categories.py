"""Every model type that transformers opens as a causal model is a decoder, or of a category that is none."""

from __future__ import annotations

from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from core.models import categories
from core.models.categories import category_of, no_decoder
from core.models.families import FAMILIES, HINTS


def test_the_categories_name_types_of_transformers_each_once() -> None:
    named = [name for names in categories._NAMES.values() for name in names.split()]
    assert len(named) == len(set(named))
    assert set(named) < set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)
    assert not set(named) & {*FAMILIES, *HINTS}
    assert len(set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES) - set(named)) == 154  # with two draft heads, the 156 decoders


def test_the_sentence_says_what_the_model_is() -> None:
    category = category_of("bert")
    assert category is not None
    assert no_decoder("bert", category).startswith("bert is an encoder, which reads a text from both sides; only")
    assert category_of("llama") is None
    assert "draft head" in str(category_of("gemma4_assistant"))
    assert "encoder-decoder" in str(category_of("bart"))
