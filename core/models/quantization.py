"""How the weights of a model are quantized, and what it takes to read them. Light to import.

The weights of MXFP4 and FP8 are read as the dtype of the model. Computing with them as they are takes kernels that are
fetched from a hub, and code from there is never run. Other ways of quantization need a library, which computes as it
does for transformers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from core.errors import CornerstoneError
from core.models.weight_headers import WeightHeader

DEQUANTIZED: Final = frozenset({"fp8", "mxfp4", "mxfp8"})
_EIGHT_BITS: Final = ("F8_E4M3", "F8_E5M2")
_FEW_BITS: Final = ("F8_", "F6_", "F4")
_SCALES: Final = ("weight_scale_inv", "weight_scale", "scale", "qscale_weight")
"""What stands for ``weight`` in the names of scales, by family."""
_LIBRARIES: Final = {
    "bitsandbytes": "bitsandbytes",
    "bitsandbytes_4bit": "bitsandbytes",
    "bitsandbytes_8bit": "bitsandbytes",
    "gptq": "gptqmodel",
    "awq": "gptqmodel",
    "compressed-tensors": "compressed_tensors",
}
"""Ways to quantize whose code is a library that users install: its name for ``import``."""


def refuse_quantization(settings: Any, path: Path) -> None:
    """Raise if quantized weights cannot be read here.

    Args:
        settings: the quantization_config of a configuration.
        path: the file of the configuration, which errors name.

    Raises:
        CornerstoneError: the way to quantize is not supported, or its library is not installed.
    """
    method = method_of(settings)
    if method is None:
        raise CornerstoneError(f"cannot load {path}: it has a quantization_config without a quant_method")
    if method not in _LIBRARIES and method not in DEQUANTIZED:
        raise CornerstoneError(
            f"cannot load {path}: the weights are quantized by {method[:60]!r}, which is not supported; use "
            "the model's original weights"
        )
    if method in _LIBRARIES and find_spec(_LIBRARIES[method]) is None:
        raise CornerstoneError(
            f"cannot load {path}: the weights are quantized by {method!r}, which needs the library "
            f"{_LIBRARIES[method]}; install it, or use the model's original weights"
        )


def method_of(settings: Any) -> str | None:
    """Return the name of the way to quantize in a quantization_config; None if it names none."""
    if not isinstance(settings, Mapping):
        return None
    method = settings.get("quant_method")
    if method is None and (settings.get("load_in_4bit") or settings.get("load_in_8bit")):
        return "bitsandbytes"
    return method if isinstance(method, str) else None


def refuse_unscaled(weights: Mapping[str, WeightHeader], config: Mapping[str, Any], folder: Path) -> None:
    """Raise unless weights are quantized as a configuration says, and have the scales that belong to them.

    Transformers takes numbers of eight bits as the weights themselves where it finds no scales.

    Raises:
        CornerstoneError: no weight is quantized, or scales are missing or of another shape than the configuration says.
    """
    settings = config.get("quantization_config")
    method = method_of(settings)
    if method is None:
        return
    if not any(weight.is_whole or weight.dtype.startswith(_FEW_BITS) for weight in weights.values()):
        raise CornerstoneError(
            f"cannot load {folder}: its config.json says that weights are quantized by {method[:60]!r}, and none is; "
            "delete its quantization_config"
        )
    if method not in DEQUANTIZED:
        return
    block = settings.get("weight_block_size") if isinstance(settings, Mapping) else None
    for name, weight in weights.items():
        if name.endswith("_blocks"):
            _refuse_wrong_scale(folder, name, weights.get(f"{name.removesuffix('_blocks')}_scales"), weight.shape[:-1])
        elif weight.dtype.startswith(_EIGHT_BITS) and not name.endswith(_SCALES):
            stem = name.removesuffix("weight")
            scale = next((weights[one] for end in _SCALES if (one := f"{stem}{end}") in weights), None)
            _refuse_wrong_scale(folder, name, scale, _blocks(weight.shape, block))


def _blocks(shape: tuple[int, ...], block: Any) -> tuple[int, ...] | None:
    """Return the shape of the scales of blocks; None if there are no blocks."""
    match block:
        case [int(rows), int(columns)] if rows > 0 and columns > 0 and len(shape) >= 2:
            return (*shape[:-2], -(-shape[-2] // rows), -(-shape[-1] // columns))
    return None


def _refuse_wrong_scale(folder: Path, name: str, scale: WeightHeader | None, shape: tuple[int, ...] | None) -> None:
    if scale is None:
        raise CornerstoneError(
            f"cannot load {folder}: it holds no scales of {name[:200]}; get a whole copy of the model"
        )
    if shape is not None and scale.size != 1 and scale.shape != shape:
        raise CornerstoneError(
            f"cannot load {folder}: the scales of {name[:200]} have the shape {list(scale.shape)}, and its config.json "
            f"asks for {list(shape)}"
        )


def as_loaded(weights: Mapping[str, WeightHeader], config: Mapping[str, Any]) -> list[WeightHeader]:
    """Return the weights of a model with the sizes that they have once they are loaded.

    In files, MXFP4 has two numbers in a byte.
    """
    if method_of(config.get("quantization_config")) != "mxfp4":
        return [*weights.values()]
    return [_unpacked(weight) if name.endswith("_blocks") else weight for name, weight in weights.items()]


def _unpacked(weight: WeightHeader) -> WeightHeader:
    return replace(weight, dtype="F4", shape=(*weight.shape, 2)) if weight.dtype == "U8" else weight
