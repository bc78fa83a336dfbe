"""Refuse files that hold another model than the one that transformers makes of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from transformers import PretrainedConfig

from core.engine.open_model import empty_model
from core.errors import CornerstoneError
from core.machine.whole_number import whole

_SMALL: Final = 2**24
"""Weights that may be made up before that is refused, because it takes no time."""
_MOST_PACKED: Final = 16
"""Most quantized weights in one element: 32 bits of 2."""
_CONSTANT: Final = re.compile(r"(^|\.)(rotary_emb\.(inv_freq|cos_cached|sin_cached)|(attn|attention)\.masked_bias)$")
"""Constants that checkpoints of early versions hold."""
_OTHER_INPUTS: Final = re.compile(
    r"(model\.)?(vision|visual|audio|image|multi_modal|mm_|embed_vision|embed_audio|speech)"
)
"""Parts of a model of several kinds of input that see images or hear."""


def refuse_far_larger(config: PretrainedConfig, place: Path, held: int) -> int:
    """Return how many tokens a model has embeddings for; raise if it asks for far more weights than its files hold.

    Transformers would make up the others at once, whatever memory that takes.

    Args:
        config: the configuration of the model.
        place: the folder or file of the model, which errors name.
        held: the number of elements in the files. Quantized weights have several in one element.

    Raises:
        CornerstoneError: the model asks for far more.
    """
    packed = _MOST_PACKED if getattr(config, "quantization_config", None) else 1
    empty = empty_model(config)
    asked = sum(weight.numel() for weight in empty.parameters())
    if asked > 2 * packed * held + _SMALL:
        raise CornerstoneError(
            f"cannot load {place}: {_asking(place)} asks for {whole(asked)} weights, but its files hold {whole(held)}; "
            "check that the model is complete"
        )
    return int(empty.get_input_embeddings().weight.shape[0])


def refuse_other_weights(config: PretrainedConfig, place: Path, found: Mapping[str, Collection[Any]]) -> None:
    """Raise if transformers made up weights, or left some out: nobody ever trained such a model.

    Transformers initializes weights at random where files lack them or have them in another shape. It leaves out
    weights that its model has no use for.

    Args:
        config: the configuration of the model.
        place: the folder or file of the model, which errors name.
        found: what transformers tells of the loading.

    Raises:
        CornerstoneError: the model differs from its files.
    """
    invented = {*found["missing_keys"], *(name for name, *_ in found["mismatched_keys"])}
    if invented:
        raise CornerstoneError(
            f"{place} lacks {_weights(invented)} that {_asking(place)} asks for, or has them in another shape, "
            f"such as {min(invented)}; check that the model is complete"
        )
    composite = config.get_text_config() is not config
    left = [
        name
        for name in found["unexpected_keys"]  # without those that the model's class declares to be of no use
        if not _CONSTANT.search(name) and not (composite and _OTHER_INPUTS.match(name))
    ]
    if left:
        raise CornerstoneError(
            f"{place} has {_weights(left)} that {_asking(place)} has no use for, such as {min(left)}; without "
            "that it would be another model"
        )


def _weights(names: Collection[str]) -> str:
    return "1 weight" if len(names) == 1 else f"{len(names)} weights"


def _asking(place: Path) -> str:
    return "its config.json" if place.is_dir() else "its header"
