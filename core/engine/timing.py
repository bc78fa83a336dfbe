"""Time a product on its device, and the ways to make one."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import linear

from core.engine.onednn import Product, faster

Way = Callable[[Tensor], Callable[[Tensor], Tensor]]
"""Turns weights (out, in) into a function that multiplies (rows, in) by them."""


def ways(device: torch.device, dtype: torch.dtype) -> list[Way]:
    """Return the ways to multiply: torch's own choice, and after it oneDNN where a sweep may use it."""
    return [_by_torch, _by_onednn] if faster(device, dtype) else [_by_torch]


def _by_torch(weight: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda rows: linear(rows, weight)


def _by_onednn(weight: Tensor) -> Callable[[Tensor], Tensor]:
    return Product(weight, None).then


def seconds_of(multiply: Callable[[Tensor], Tensor], inputs: Tensor) -> float:
    """Return how many seconds a product takes on the device of its inputs."""
    _wait(inputs.device)
    start = time.perf_counter()
    multiply(inputs)
    _wait(inputs.device)
    return time.perf_counter() - start


def _wait(device: torch.device) -> None:
    """Wait until a GPU has finished its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
