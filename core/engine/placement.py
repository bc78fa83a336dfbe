"""Where a model's weights go: on one device, or spread over devices, host memory and disk where they do not fit."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import torch
from accelerate.utils import get_max_memory

from core.errors import CornerstoneError
from core.machine.free_memory import free_memory
from core.machine.memory_limit import memory_limit
from core.models.weight_headers import WeightHeader

ROOM: Final = 0.85
"""Largest fraction of the free memory that weights may take, which leaves some for work."""

_ROOM_OF_LIMITED: Final = 0.4
"""The same for a process with a limit of its own."""

_TYPES: Final = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16"}


def is_spread(
    name: str, device: str, place: torch.device, dtype: torch.dtype, weights: Collection[WeightHeader]
) -> bool:
    """Return whether a model must be spread, because it was asked for or because the weights do not fit.

    Args:
        name: the model's name, for messages.
        device: the device asked for, as ``load_model`` takes it.
        place: the torch device of that name.
        dtype: the dtype that the weights will have.
        weights: the weights in the model's files.

    Raises:
        CornerstoneError: they do not fit on a device that was named.
    """
    if device == "spread":
        return True
    needed, free = _needed(place, dtype, weights), _free(place)
    if free is None or needed <= ROOM * free:
        return False
    if device == "auto":
        return True
    raise CornerstoneError(
        f"{name} needs {needed / 2**30:.1f} GiB on {place} as {str(dtype).removeprefix('torch.')}, and "
        f"{free / 2**30:.1f} GiB are free; spread it over memory and disk (device spread), or choose a smaller dtype"
    )


def most_memory() -> dict[int | str, Any]:
    """Return the bytes that each device may give to a spread model; no more of host memory than is free by its limits.

    accelerate asks the machine alone, and a control group ends a process that takes more than the group has. Where this
    process has a limit of its own, files that are mapped while weights come from the disk count as well.
    """
    found: dict[int | str, Any] = get_max_memory()
    room = ROOM if memory_limit() is None else _ROOM_OF_LIMITED
    found["cpu"] = int(min(found.get("cpu", free_memory()), room * free_memory()))
    return found


def _needed(place: torch.device, dtype: torch.dtype, weights: Collection[WeightHeader]) -> int:
    """Return the bytes of memory that weights take.

    On a CPU, weights of the right type are read from their file as they are needed, so that they take none. Whole
    numbers, which quantized weights are kept as, stay as they are.
    """
    there = _TYPES.get(dtype) if place.type == "cpu" else None
    each = (weight for weight in weights if weight.dtype != there)
    return sum(weight.bytes if weight.is_whole else weight.size * dtype.itemsize for weight in each)


def _free(place: torch.device) -> int | None:
    """Return the free bytes of a device; None where this is not known."""
    if place.type == "cuda":
        return int(torch.cuda.mem_get_info(place)[0])
    return free_memory() if place.type == "cpu" else None
