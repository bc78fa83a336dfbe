"""Refuse an adapter that is no LoRA, is damaged, or does not say all that it does. Light to import.

An adapter's configuration may name files and modules to load, and ways to change the model's own weights. Only settings
whose meaning is known are used; any other that is set is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from core.errors import CornerstoneError
from core.machine.whole_number import whole
from core.models.config_limits import refuse_numbers
from core.models.weight_headers import WeightHeader, read_weight_headers
from core.records.adapter_files import ADAPTER_CONFIG, AdapterFiles, adapter_files

USED: Final = frozenset({
    "r", "lora_alpha", "target_modules", "exclude_modules", "layers_to_transform", "layers_pattern", "rank_pattern",
    "alpha_pattern", "target_parameters", "modules_to_save", "trainable_token_indices", "bias", "lora_bias",
    "use_rslora", "use_dora", "fan_in_fan_out", "ensure_weight_tying",
})  # fmt: skip
"""The settings that decide what an adapter does."""
_WITHOUT_EFFECT: Final = frozenset({
    "peft_type", "task_type", "base_model_name_or_path", "revision", "auto_mapping", "inference_mode", "peft_version",
    "lora_dropout", "init_lora_weights", "megatron_core", "loftq_config", "eva_config", "corda_config",
    "lora_ga_config", "runtime_config", "qalora_group_size",
})  # fmt: skip
"""Settings of how an adapter was trained, or of where it belongs."""
_CHANGES_THE_MODEL: Final = ("pissa", "olora", "corda", "loftq", "lora_ga")
"""Ways to begin training that move a part of the model's own weights into the adapter."""
_LARGEST_PATTERN: Final = 2_000


def check_adapter(folder: Path) -> AdapterFiles:
    """Return the files of an adapter, after a check of what can be told from its configuration and headers.

    Raises:
        CornerstoneError: a file is missing or damaged, it is no LoRA, a setting is not supported, or the library for
            adapters is not installed.
    """
    files = adapter_files(folder)
    path = folder / ADAPTER_CONFIG
    kind = files.config.get("peft_type")
    if kind != "LORA":
        raise CornerstoneError(f"cannot load {path}: it is of type {str(kind)[:60]!r}, and only LORA is supported")
    if find_spec("peft") is None:
        raise CornerstoneError(f"the adapter in {folder} needs the library peft, which is not installed; install it")
    _refuse_settings(files.config, path)
    _refuse_unpaired(read_weight_headers([files.weights]), files.weights)
    return files


def base_model(files: AdapterFiles) -> str | None:
    """Return the name of the model that an adapter was trained for, as it says. It is shown, and never fetched."""
    name = files.config.get("base_model_name_or_path")
    return name[:200] if isinstance(name, str) and name else None


def _refuse_settings(config: Mapping[str, Any], path: Path) -> None:
    refuse_numbers(config, path)
    for key, value in config.items():
        if key not in USED | _WITHOUT_EFFECT and value not in (None, False, [], {}):
            raise CornerstoneError(f"cannot load {path}: its setting {key[:60]!r} is not supported")
    begun = config.get("init_lora_weights")
    if isinstance(begun, str) and begun.lower().startswith(_CHANGES_THE_MODEL):
        raise CornerstoneError(
            f"cannot load {path}: it was begun with {begun[:60]!r}, which changes the model's own weights; save it as "
            "a plain LoRA with peft's path_initial_model_for_weight_conversion"
        )
    rank, alpha = config.get("r"), config.get("lora_alpha")
    if type(rank) is not int or not 1 <= rank <= 2**16:
        raise CornerstoneError(f"cannot load {path}: r is {str(rank)[:60]!r}, but must be a whole number from 1")
    if type(alpha) not in (int, float):
        raise CornerstoneError(f"cannot load {path}: lora_alpha is {str(alpha)[:60]!r}, but must be a number")
    texts = [config.get("target_modules"), config.get("exclude_modules")]
    texts += [key for name in ("rank_pattern", "alpha_pattern") for key in config.get(name) or ()]
    if any(isinstance(text, str) and len(text) > _LARGEST_PATTERN for text in texts):
        raise CornerstoneError(
            f"cannot load {path}: a pattern of it has more than {whole(_LARGEST_PATTERN)} characters"
        )


def _refuse_unpaired(weights: Mapping[str, WeightHeader], path: Path) -> None:
    """Raise unless each low-rank matrix has the one that it is multiplied with, of the same rank."""
    if not weights:
        raise CornerstoneError(f"cannot load {path}: it holds no weights; get a whole copy of the adapter")
    for name, weight in weights.items():
        other = _partner(name)
        if other is None:
            continue
        if other not in weights:
            raise CornerstoneError(f"cannot load {path}: it holds {name[:200]!r} without {other[:200]!r}")
        if weight.is_whole or len(weight.shape) != 2:
            raise CornerstoneError(f"cannot load {path}: {name[:200]!r} is no matrix of real numbers")


def _partner(name: str) -> str | None:
    pairs = ((".lora_A.", ".lora_B."), (".lora_embedding_A", ".lora_embedding_B"))
    if name.endswith(".bias"):
        return None
    for one, other in pairs:
        if one in name:
            return name.replace(one, other)
        if other in name:
            return name.replace(other, one)
    return None
