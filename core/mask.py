"""Apply a mask to any transformers model.

>>> from transformers import AutoModelForCausalLM, AutoTokenizer
>>> from core import mask
>>>
>>> model = AutoModelForCausalLM.from_pretrained(FOLDER)
>>> tokenizer = AutoTokenizer.from_pretrained(FOLDER)
>>> prompt = tokenizer("The keys to the cabinet", return_tensors="pt")
>>> with mask.apply(model, mask.read("mask.json")):
...     text = tokenizer.decode(model.generate(**prompt, max_new_tokens=5)[0])

Nothing else of Cornerstone is needed. Inside the block the model runs without those sublayers, also when it generates
text. After the block the model is unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.coalitions.expert_layers import in_ranges
from core.coalitions.players import layers_of_experts
from core.engine.expert_players import with_expert_players
from core.engine.layers import decoder_layers
from core.engine.parameters import parameters_of
from core.engine.removal import removed_from
from core.engine.verified_layout import layout_of
from core.errors import CornerstoneError
from core.models.families import HINTS, NO_HINT, told_layout
from core.models.layout import Layout
from core.removal_path.mask_file import Mask, read, write

__all__ = ["Mask", "apply", "check", "parameters_of", "read", "write"]


@contextmanager
def apply(model: Any, mask: Mask) -> Iterator[None]:
    """Silence the mask's players in ``model`` inside the block, and restore them after it, even after an exception.

    The model must be of the family and depth that the mask was made for, which is checked. Whether it is the very same
    model cannot be checked in memory. The sublayers stay in memory and run; what they return becomes zero, so that
    every kind of cache stays right.

    Args:
        model: a transformers model of one of the supported families.
        mask: a mask that ``read`` returned.

    Raises:
        CornerstoneError: the mask was made for another family or another number of layers.
    """
    with removed_from(model, check(model, mask), mask.numbers):
        yield


def check(model: Any, mask: Mask) -> Layout:
    """Return the layout of a model, after checking that the mask fits the model.

    Raises:
        CornerstoneError: the mask was made for another family or other layers, or this model cannot be masked.
    """
    made_for, family = mask.model, model.config.model_type
    if family != made_for.family:
        raise CornerstoneError(
            f"the mask is for {made_for.name}, a {made_for.family} model, and this is a {family} model; make a mask of "
            "this model"
        )
    layout = _layout(model)
    if (experts := layers_of_experts(made_for.kinds)) and len(layout.layers) == made_for.layers:
        layout = with_expert_players(model, layout, in_ranges(experts))
    if len(layout.layers) != made_for.layers:
        raise CornerstoneError(
            f"the mask is for {made_for.name}, which has {made_for.layers} layers, and this model has "
            f"{len(layout.layers)}; make a mask of this model"
        )
    if layout.kinds != made_for.kinds:
        raise CornerstoneError(
            f"the mask is for {made_for.name}, whose layers have other sublayers than this model's; make a mask of "
            "this model"
        )
    return layout


def _layout(model: Any) -> Layout:
    """Return the layers and players of a model, as its family tells or as they are found."""
    hint = HINTS.get(model.config.model_type, NO_HINT)
    if hint.layers is not None:
        told = told_layout(model.config.model_type, len(decoder_layers(model, hint.layers)))
        assert told is not None
        return told
    return layout_of(model, HINTS)
