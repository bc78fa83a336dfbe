"""Open a model by the class of transformers that has its text in it: a decoder, or one that also sees or hears."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

import torch
import transformers
from transformers import AutoConfig, PretrainedConfig, PreTrainedModel

from core.engine.model_config import load_config
from core.errors import CornerstoneError
from core.models.architectures import auto_class_name
from core.models.quantization import DEQUANTIZED, method_of

_TALKATIVE: Final = ("bitsandbytes", "compressed_tensors")
Found = Mapping[str, Collection[Any]]
"""What transformers tells of a loading: weights that are missing, left over or of another shape."""


def read_config(place: Path, **more: Any) -> PretrainedConfig:
    """Return the configuration of a model, as transformers understands it.

    Args:
        place: the folder of the model, which errors name.
        more: what else ``AutoConfig`` is given, such as a GGUF file.

    Raises:
        CornerstoneError: it is no decoder of texts, or a setting replaces a method.
    """
    config = AutoConfig.from_pretrained(place, trust_remote_code=False, **more) if more else load_config(place)
    refuse_no_decoder(config, place)
    if replaced := sorted(name for name in vars(config) if callable(getattr(type(config), name, None))):
        raise CornerstoneError(f"{place / 'config.json'} has a setting {replaced[0]!r} that no model has")
    quantized: Any = getattr(config, "quantization_config", None)
    if method_of(quantized) in DEQUANTIZED:
        config.quantization_config = {**quantized, "dequantize": True}
    if quantized:
        for name in _TALKATIVE:  # they tell of each product, as long as the model is evaluated
            logging.getLogger(name).setLevel(logging.ERROR)
    return config


def refuse_no_decoder(config: PretrainedConfig, place: Path) -> None:
    """Raise if a model is an encoder, an encoder-decoder, a draft head or no language model.

    Raises:
        CornerstoneError: it is.
    """
    said = {"model_type": config.model_type, "architectures": config.architectures}
    parts = (config, config.get_text_config(decoder=True))
    both = any(getattr(part, "is_encoder_decoder", False) for part in parts)
    auto_class_name({**said, "is_encoder_decoder": both}, place)


def empty_model(config: PretrainedConfig) -> PreTrainedModel:
    """Return the model of a configuration, with the shapes of its weights and without the weights themselves."""
    with torch.device("meta"):
        return _auto_class(config).from_config(config, trust_remote_code=False)


def open_weights(folder: Path, config: PretrainedConfig, **more: Any) -> tuple[PreTrainedModel, Found]:
    """Load the weights of a model into the model of its configuration.

    Args:
        folder: the folder of the model.
        config: its configuration.
        more: what else transformers is given, such as the dtype.

    Returns:
        the model, and what transformers tells of the loading. Weights of another shape are told there.
    """
    model, found = _auto_class(config).from_pretrained(
        folder,
        config=config,
        trust_remote_code=False,
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # the caller reports them
        **more,
    )
    return model.eval(), found


def _auto_class(config: PretrainedConfig) -> Any:
    return getattr(transformers, auto_class_name({"model_type": config.model_type}, config.model_type))
