"""Applying a mask to anyone's own transformers model.

>>> from transformers import AutoModelForCausalLM, AutoTokenizer
>>> from core import mask
>>>
>>> model = AutoModelForCausalLM.from_pretrained(FOLDER)
>>> tokenizer = AutoTokenizer.from_pretrained(FOLDER)
>>> prompt = tokenizer("The keys to the cabinet", return_tensors="pt")
>>> with mask.apply(model, mask.read("mask.json")):
...     text = tokenizer.decode(model.generate(**prompt, max_new_tokens=5)[0])

Nothing else of Cornerstone is needed: inside the block the model is the one without those sublayers, also where it
writes text; after it, it is what it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.engine.layers import decoder_layers
from core.engine.parameters import parameters_of
from core.engine.removal import removed_from
from core.errors import CornerstoneError
from core.models.families import Family, family_of
from core.removal_path.mask_file import Mask, read, write

__all__ = ["Mask", "apply", "check", "parameters_of", "read", "write"]


@contextmanager
def apply(model: Any, mask: Mask) -> Iterator[None]:
    """Silence the mask's players in ``model`` inside the block, and restore them after it, whatever happens in it.

    Whether it is the very model that the mask was made for cannot be told of a model in memory; that it is one of the
    same kind is checked. The sublayers stay in memory, and are not computed.

    Args:
        model: a transformers model of one of the supported families.
        mask: as ``read`` gives it.

    Raises:
        CornerstoneError: the model is of another family or has another number of layers than the mask's.
    """
    with removed_from(model, check(model, mask), mask.numbers):
        yield


def check(model: Any, mask: Mask) -> Family:
    """The family of a model that a mask fits.

    Raises:
        CornerstoneError: the mask is for another family, or for another number of layers.
    """
    family = family_of(model.config)
    made_for = mask.model
    if model.config.model_type != made_for.family:
        raise CornerstoneError(
            f"the mask is for {made_for.name}, a {made_for.family} model, and this is a {model.config.model_type} "
            "model; make a mask of this model with `cornerstone path --mask`"
        )
    layers = len(decoder_layers(model, family))
    if layers != made_for.layers:
        raise CornerstoneError(
            f"the mask is for {made_for.name}, which has {made_for.layers} layers, and this model has {layers}; make "
            "a mask of this model with `cornerstone path --mask`"
        )
    return family
