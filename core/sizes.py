"""How much a sweep does at once: what keeps the machine busy, and what fits into its memory."""

from __future__ import annotations

from dataclasses import dataclass

import psutil
import torch
from transformers import PreTrainedModel

SHARE = {"cpu": 0.25, "cuda": 0.6, "mps": 0.4}
"""The part of the free memory that hidden states may take."""

_FEWEST = 16


@dataclass(frozen=True, slots=True)
class SweepSizes:
    """Counts of tokens. A sweep holds ``state_tokens`` of hidden states at most, whatever the coalitions.

    ``row_tokens``: documents packed side by side; ``batch_tokens``: through a layer at once; ``chunk_tokens``:
    documents evaluated under all coalitions before anything is recorded.
    """

    row_tokens: int
    batch_tokens: int
    chunk_tokens: int
    state_tokens: int

    def halved(self) -> SweepSizes | None:
        """Half of everything that takes memory; None where there is nothing left to halve."""
        if max(self.batch_tokens, self.chunk_tokens, self.state_tokens) <= _FEWEST:
            return None
        return SweepSizes(
            max(self.row_tokens // 2, _FEWEST),
            max(self.batch_tokens // 2, _FEWEST),
            max(self.chunk_tokens // 2, _FEWEST),
            max(self.state_tokens // 2, _FEWEST),
        )


def sizes_for(model: PreTrainedModel, *, offloaded: bool, memory: float | None = None) -> SweepSizes:
    """Sizes that suit a model where it lies.

    A CPU does best on batches that stay near its caches, and in small chunks what is known grows steadily; an
    accelerator wants to be filled; where weights are brought in layer by layer, a chunk should be as large as memory
    allows, as they are brought in once a chunk.

    Args:
        model: loaded.
        offloaded: whether some of its weights lie elsewhere than they are used.
        memory: GiB that hidden states may take; by default a share of what is free now.
    """
    device = _device(model)
    budget = memory * 2**30 if memory is not None else SHARE[device.type] * _free(device)
    # At each layer the states before it and after it.
    state_bytes = 2 * model.config.get_text_config().hidden_size * model.dtype.itemsize
    state_tokens = max(int(budget / state_bytes), _FEWEST)
    if offloaded:
        return SweepSizes(1024, 16384 if device.type != "cpu" else 1024, state_tokens, state_tokens)
    if device.type == "cpu":
        return SweepSizes(32, 1024, 32, state_tokens)
    return SweepSizes(1024, 16384, 1024, state_tokens)


def _device(model: PreTrainedModel) -> torch.device:
    """Where it computes: of an offloaded model the first accelerator that holds a part."""
    devices = {parameter.device for parameter in model.parameters() if parameter.device.type != "meta"}
    return next((device for device in devices if device.type != "cpu"), torch.device("cpu"))


def _free(device: torch.device) -> float:
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    return float(psutil.virtual_memory().available)
