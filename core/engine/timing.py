"""Time a product on its device."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor


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
