"""Whether main memory suffices for a chunk before it is tried: at its limit a control group ends the process."""

from __future__ import annotations

import psutil
from transformers import PreTrainedModel

from core.engine.sizes import compute_device, needed_bytes
from core.engine.sweep_sizes import SweepSizes
from core.machine.free_memory import free_memory


class Headroom:
    """The main memory that is left to the sweeps of a model.

    An accelerator that runs out of memory says so, and its chunk is halved then. So this looks at main memory alone.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        """Remember what the process takes before the first chunk."""
        self._model = model
        self._matters = compute_device(model).type == "cpu"
        self._before = _resident()

    def suffices(self, sizes: SweepSizes, states: int) -> bool:
        """Return whether a chunk that holds ``states`` hidden states at once fits into the memory that is free now.

        Memory that earlier chunks took counts as free, because the allocator keeps it for later ones.
        """
        if not self._matters:
            return True
        kept = max(0, _resident() - self._before)
        return needed_bytes(self._model, sizes, states) <= free_memory() + kept


def _resident() -> int:
    return int(psutil.Process().memory_info().rss)
