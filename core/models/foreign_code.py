"""Refuse a model that cannot be loaded without code from elsewhere: from its own folder or from a hub. Light to import.

Such code is never run, whatever a user answers. transformers would ask for it, or fetch it where a library that fetches
kernels is installed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from core.errors import CornerstoneError
from core.models.architectures import is_known
from core.models.quantization import refuse_quantization

# What transformers brings along; anything else is a library that fetches its code, or a repository on a hub.
_BUILT_IN: Final = {
    "attn_implementation": frozenset({"eager", "sdpa"}),
    "experts_implementation": frozenset({"eager", "batched_mm", "grouped_mm"}),
}


def own_code_error(name: str) -> CornerstoneError:
    """Return the error of a model, or a part of it, that needs code of its own."""
    return CornerstoneError(
        f"{name} needs code of its own, which is never run; use a model whose architecture and tokenizer are part of "
        "transformers"
    )


def refuse_foreign_code(config: Mapping[str, Any], path: Path) -> None:
    """Refuse a configuration that asks for code from elsewhere.

    Args:
        config: the content of config.json, or of a version of it.
        path: that file, which errors name.

    Raises:
        CornerstoneError: the architecture, the attention, the experts or the quantization is foreign code, or a library
            for it is not installed.
    """
    model_type = config.get("model_type")
    if model_type is not None and not isinstance(model_type, str):
        raise CornerstoneError(f"cannot load {path}: it has a model_type that is no text")
    if not (model_type and is_known(model_type)) and config.get("auto_map"):
        raise own_code_error(str(path.parent))
    if not isinstance(config.get("auto_map", {}), dict | None):
        raise CornerstoneError(f"cannot load {path}: it has an auto_map that maps nothing")
    for key, value in _settings(config):
        asked = key.removeprefix("_").removesuffix("_internal")
        if asked in _BUILT_IN and value is not None and not (isinstance(value, str) and value in _BUILT_IN[asked]):
            raise CornerstoneError(
                f"cannot load {path}: {asked} is {str(value)[:60]!r}, which is code from elsewhere; "
                "it is never fetched, so delete that line"
            )
        if asked == "fusion_config" and value:
            raise CornerstoneError(
                f"cannot load {path}: it has a fusion_config, which changes the model's code; delete it"
            )
        if asked == "quantization_config" and value:
            refuse_quantization(value, path)


def _settings(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the keys and values of a configuration and of those in it; a value per part counts as one each."""
    for key, value in config.items():
        if isinstance(value, dict) and "implementation" in key:
            yield from ((key, one) for one in value.values())
            continue
        yield key, value
        if isinstance(value, dict):
            yield from _settings(value)
