"""How fast a machine multiplies the matrices of a model: measured in a few seconds, or by the facts of a GPU."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from transformers import PreTrainedModel

from core.config.run_config import RunConfig
from core.cost.gpus import gpu_named
from core.cost.kept_speed import keep_speed, matrices
from core.cost.outline import Outline
from core.engine.load import chosen_dtype, device_named
from core.engine.sizes import SHARE, free_on
from core.engine.timing import Way, seconds_of, ways
from core.errors import CornerstoneError
from core.models.layout import Layout

MEASURED_S: Final = 5.0
"""Seconds that a measurement takes."""

_ROWS: Final = {"cpu": 1024, "cuda": 8192, "mps": 4096}
_WIDEST: Final = {"cpu": 4096, "cuda": 16384, "mps": 8192}
"""Wider matrices are no faster, but take longer than a measurement should."""

_FEWEST: Final = 3
_QUIET: Final = 0.8
"""If the threads get less than this part of their processors' time, other programs use the rest."""

_SWEEP_PART: Final = {"cuda": 0.5, "mps": 0.5}
"""The part of the speed of products that a sweep reaches on a GPU, which is assumed."""

_PRODUCTS: Final = 0.95
_REST: Final = 1.7e-12
"""On a CPU a sweep's own products reach this part of their speed, and what is done between them takes a thread so many
seconds an operation, no less where products are faster (docs/performance.md)."""

_TOLD_PART: Final = 0.8
"""The part on a CPU whose threads are not known."""

_LOOP_PART: Final = {"cpu": 0.72, "cuda": 0.4, "mps": 0.4}
"""The part of the speed of torch's own products that a loop over lm-eval reaches, whose texts are padded."""


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a device multiplies matrices of a model's sizes: in operations a second.

    Attributes:
        name: what a person calls it.
        device: its kind.
        flops: the speed of products as a sweep makes them.
        free: how many bytes of memory it has for weights and work.
        measured: whether the speeds were measured.
        plain_flops: the speed of products as transformers makes them; None if it was not measured.
        beside_others: whether other programs used the processor while it was measured.
        here: False of a machine that a person tells, whose threads are not known.
    """

    name: str
    device: str
    flops: float
    free: float
    measured: bool
    plain_flops: float | None = None
    beside_others: bool = False
    here: bool = True

    @property
    def sweep_part(self) -> float:
        """The part of these products that a sweep reaches."""
        return sweep_part(self.device, self.flops) if self.here or self.device != "cpu" else _TOLD_PART

    @property
    def sweep_flops(self) -> float:
        return self.flops * self.sweep_part

    @property
    def loop_flops(self) -> float:
        return (self.plain_flops or self.flops) * _LOOP_PART[self.device]

    def allowed(self, weights: float, memory: float | None) -> float:
        """Return how many bytes a sweep may take beside weights of so many bytes; no more than ``memory`` GiB."""
        free = max(self.free - weights, 0.0)
        return SHARE[self.device] * free if memory is None else min(memory * 2**30, free)


def sweep_part(device: str, flops: float) -> float:
    """Return the part of the speed of products that a sweep reaches on a kind of device, with torch's threads."""
    if device != "cpu":
        return _SWEEP_PART[device]
    return 1 / (1 / _PRODUCTS + _REST * flops / torch.get_num_threads())


def dtype_for(config: RunConfig, gpu: str | None) -> str:
    """Return the dtype that a run has: the one it names, or what suits the GPU, or the device of this machine."""
    if gpu is not None:
        return "bfloat16" if config.dtype == "auto" else config.dtype
    return chosen_dtype(config.dtype, config.device)


def speed_of(outline: Outline, config: RunConfig, gpu: str | None, gflops: float | None) -> Speed:
    """Return the speed of a GPU by its facts, of a machine as a person tells it, or of this machine, measured now.

    Args:
        outline: the model whose matrices are multiplied.
        config: says which device of this machine is used.
        gpu: the name of a GPU.
        gflops: 10^9 operations a second of large matrix products, on a machine with this one's memory.

    Raises:
        CornerstoneError: there is no such GPU or device, or the GPU's speed is not known for the model's dtype.
    """
    if gpu is not None:
        found = gpu_named(gpu)
        if outline.model.dtype == torch.float32:
            raise CornerstoneError(
                f"the speed of {found.name} is known for bfloat16 and float16 alone, not for float32; plan for one of "
                "these, or give the speed of its products in float32"
            )
        return Speed(found.name, "cuda", found.flops, found.memory, measured=False)
    place = device_named(config.device)
    if gflops is not None:
        return Speed("a machine as told", place.type, gflops * 1e9, free_on(place), measured=False, here=False)
    return measured_speed(outline.model, outline.layout, place)


def measured_speed(model: PreTrainedModel, layout: Layout, place: torch.device) -> Speed:
    """Measure how fast this machine multiplies matrices of the sizes of a model's layers, which need no weights.

    Each size counts as often as the layers have it. Where a sweep multiplies by oneDNN, both that and torch's own way
    are measured. The speed of a sweep's products is kept, for runs of such a model, unless other programs took a part.
    """
    most, sizes = _WIDEST[place.type], Counter[tuple[int, int]]()
    for (out, inner), count in matrices(model, layout).items():
        sizes[min(out, most), min(inner, most)] += count
    each = ways(place, model.dtype)
    began, used = time.perf_counter(), time.process_time()
    speeds = [_flops(sizes, way, place, model.dtype, MEASURED_S / len(each)) for way in each]
    plain, swept = speeds[0], speeds[-1]
    took, used = time.perf_counter() - began, time.process_time() - used
    beside_others = place.type == "cpu" and used < _QUIET * took * torch.get_num_threads()
    if not beside_others:
        keep_speed(model, layout, place, swept)
    cuda = place.type == "cuda"
    name = torch.cuda.get_device_name(place) if cuda else f"this machine, {torch.get_num_threads()} threads"
    return Speed(name, place.type, swept, free_on(place), measured=True, plain_flops=plain, beside_others=beside_others)


def _flops(sizes: Counter[tuple[int, int]], way: Way, place: torch.device, dtype: torch.dtype, most: float) -> float:
    """Return the operations a second of products of these sizes (out, in), each as often as it counts."""
    done = seconds = 0.0
    for (out, inner), count in sizes.items():
        done += count * 2 * _ROWS[place.type] * out * inner
        multiply = way(torch.randn(out, inner, device=place, dtype=dtype))
        inputs = torch.randn(_ROWS[place.type], inner, device=place, dtype=dtype)
        seconds += count * _seconds(multiply, inputs, most / len(sizes))
    return done / seconds


def _seconds(multiply: Callable[[Tensor], Tensor], inputs: Tensor, most: float) -> float:
    """Return the median seconds of a product, measured for so many seconds."""
    seconds_of(multiply, inputs)
    end = time.perf_counter() + most
    taken: list[float] = []
    while len(taken) < _FEWEST or time.perf_counter() < end:
        taken.append(seconds_of(multiply, inputs))
    return sorted(taken)[len(taken) // 2]
