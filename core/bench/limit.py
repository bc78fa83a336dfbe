"""The limit of the machine: the operations of the distinct work, divided by the speed of large matrix products."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace

import torch
from transformers import PreTrainedModel

from core.coalitions.players import Removed
from core.cost.of_model import row_work, work_of
from core.cost.work import operations
from core.engine.packing import Row
from core.engine.timing import Way, seconds_of, ways
from core.models.layout import Layout

_SIZE = {"cpu": 2048, "cuda": 8192, "mps": 4096}
_REPEATS = 3


class Peak:
    """The speed of large matrix products in the model's dtype, sampled throughout a measurement.

    On an x86 CPU torch has two libraries for them: its own choice, and oneDNN. Each is used as the sweep would use it,
    and the faster one counts.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        self._device, self._dtype = torch.device(model.device), model.dtype
        self._samples: dict[Way, list[float]] = {way: [] for way in ways(self._device, self._dtype)}

    def sample(self) -> None:
        """Time a few products now."""
        size = _SIZE[self._device.type]
        left = torch.randn(size, size, device=self._device, dtype=self._dtype)
        right = torch.randn(size, size, device=self._device, dtype=self._dtype)
        for way, samples in self._samples.items():
            multiply = way(right)
            for _ in range(_REPEATS):
                samples.append(2 * size**3 / seconds_of(multiply, left))

    @property
    def flops(self) -> float:
        """Return operations per second: the median of the samples of each library, and the larger of these."""
        return max(map(statistics.median, self._samples.values()))


def distinct_work(model: PreTrainedModel, layout: Layout, row: Row, coalitions: Sequence[Removed]) -> float:
    """Return the operations for one row under all coalitions; see ``core.cost.work.operations``."""
    work = replace(work_of(model, layout), shares=True)
    return operations(work, row_work(work, row), coalitions)
