"""How fast this machine multiplies matrices, as measured before for a plan: kept in the user's cache.

A speed is of the sizes of one model's matrices, their dtype, a device and a number of threads. Of anything else it says
nothing.
"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from core.engine.layers import decoder_layers
from core.errors import CornerstoneError
from core.machine.cached_fact import keep_fact, read_fact
from core.machine.paths import cache_folder
from core.models.layout import Layout
from core.records.fingerprint import digest_of


def matrices(model: PreTrainedModel, layout: Layout) -> Counter[tuple[int, int]]:
    """Return the sizes (outputs, inputs) of the matrices of a model's layers, and how many have each."""
    return Counter(
        (int(weight.shape[-2]), int(weight.shape[-1]))
        for layer in decoder_layers(model, layout.path)
        for weight in layer.parameters()
        if weight.dim() > 1
    )


def keep_speed(model: PreTrainedModel, layout: Layout, place: torch.device, flops: float) -> None:
    """Keep the operations a second of a model's products on a device. Where that is not possible, nothing changes."""
    about = _about(model, layout, place)
    if (file := _file(about)) is not None:
        keep_fact(file, about, flops)


def kept_speed(model: PreTrainedModel, layout: Layout, place: torch.device) -> float | None:
    """Return the operations a second that were measured last for such a model on such a device; None if none were."""
    about = _about(model, layout, place)
    found = None if (file := _file(about)) is None else read_fact(file, about)
    return found if isinstance(found, float) and 0 < found < float("inf") else None


def _about(model: PreTrainedModel, layout: Layout, place: torch.device) -> Mapping[str, Any]:
    cuda = place.type == "cuda"
    return {
        "machine": platform.node(),
        "device": torch.cuda.get_device_name(place) if cuda else place.type,
        "threads": None if cuda else torch.get_num_threads(),
        "dtype": str(model.dtype),
        "matrices": sorted([out, inner, count] for (out, inner), count in matrices(model, layout).items()),
    }


def _file(about: Mapping[str, Any]) -> Path | None:
    try:
        return cache_folder("speeds") / f"{digest_of(dict(about))[:16]}.json"
    except CornerstoneError:
        return None
