"""Load the configuration of a model, without settings that mean nothing but that transformers refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, get_args

from transformers import CONFIG_MAPPING, AutoConfig, PretrainedConfig

_EMPTY: Final = ("quantization_config", "auto_map")
"""Settings that say nothing where they are empty."""
_OUTPUTS: Final = ("return_dict", "use_return_dict")
"""How a model's forward returns its output, which this program decides."""


def load_config(folder: Path) -> PretrainedConfig:
    """Return the configuration of a model folder, as transformers loads it. No code of the model is run."""
    given, _ = PretrainedConfig.get_config_dict(folder)
    text = json.dumps(_mended(given, AutoConfig))
    if text == json.dumps(given):
        return AutoConfig.from_pretrained(folder, trust_remote_code=False)
    with TemporaryDirectory() as place:
        (Path(place) / "config.json").write_text(text, encoding="utf-8")
        config = AutoConfig.from_pretrained(place, trust_remote_code=False)
    config.name_or_path = str(folder)
    return config


def _mended(given: Mapping[str, Any], kind: type | None) -> dict[str, Any]:
    """Return the settings of a configuration of a class, or of ``AutoConfig`` where they name it."""
    if kind is AutoConfig:
        kind = _class_of(given.get("model_type"))
    parts = getattr(kind, "sub_configs", {})
    fractions = _fractions(kind)
    settings: dict[str, Any] = {}
    for key, value in given.items():
        if key in _OUTPUTS or (key in _EMPTY and not value):
            continue
        if isinstance(value, dict):
            settings[key] = _mended(value, parts.get(key))
        else:
            settings[key] = float(value) if key in fractions and type(value) is int else value
    return settings


def _class_of(model_type: Any) -> type | None:
    return CONFIG_MAPPING[model_type] if isinstance(model_type, str) and model_type in CONFIG_MAPPING else None


def _fractions(kind: type | None) -> set[str]:
    """Return the settings of a class for which transformers takes 1.0, but not 1."""
    if kind is None or not is_dataclass(kind):
        return set()
    kinds = {field.name: get_args(field.type) or (field.type,) for field in fields(kind)}
    return {name for name, accepted in kinds.items() if float in accepted and int not in accepted}
