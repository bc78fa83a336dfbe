"""The limit of the machine: the operations of the distinct work, divided by the speed of large matrix products.

Work is distinct layer by layer. A little less would be needed in two cases: if a whole layer shared its attention with
the same layer without its FFN, and if the last attention skipped the queries of positions that are not scored.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers import PretrainedConfig, PreTrainedModel

from core.coalitions.players import Removed
from core.engine.layers import decoder_layers
from core.engine.onednn import Product, faster
from core.engine.packing import Row
from core.models.families import Family

_SIZE = {"cpu": 2048, "cuda": 8192, "mps": 4096}
_REPEATS = 3


_Way = Callable[[Tensor], Callable[[Tensor], Tensor]]
"""Turns weights (out, in) into a function that multiplies (rows, in) by them."""


def _by_torch(weight: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda inputs: linear(inputs, weight)


def _by_onednn(weight: Tensor) -> Callable[[Tensor], Tensor]:
    return Product(weight, None).then


class Peak:
    """The speed of large matrix products in the model's dtype, sampled throughout a measurement.

    On an x86 CPU torch has two libraries for them: its own choice, and oneDNN. Each is used as the sweep would use it,
    and the faster one counts.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        self._device, self._dtype = torch.device(model.device), model.dtype
        ways = [_by_torch, _by_onednn] if faster(self._device, self._dtype) else [_by_torch]
        self._samples: dict[_Way, list[float]] = {way: [] for way in ways}

    def sample(self) -> None:
        """Time a few products now."""
        size = _SIZE[self._device.type]
        left = torch.randn(size, size, device=self._device, dtype=self._dtype)
        right = torch.randn(size, size, device=self._device, dtype=self._dtype)
        for way, samples in self._samples.items():
            multiply = way(right)
            for _ in range(_REPEATS):
                _wait(self._device)
                start = time.perf_counter()
                multiply(left)
                _wait(self._device)
                samples.append(2 * size**3 / (time.perf_counter() - start))

    @property
    def flops(self) -> float:
        """Return operations per second: the median of the samples of each library, and the larger of these."""
        return max(map(statistics.median, self._samples.values()))


def distinct_work(model: PreTrainedModel, family: Family, row: Row, coalitions: Sequence[Removed]) -> float:
    """Return the operations for one row under all coalitions, each distinct (prefix state, token) pair once.

    The products with weights count, and those of attention with the tokens that it sees. Removed sublayers count
    nothing. The head and the last FFN count the scored positions only. Norms and other element-wise work count nothing.
    """
    tokens = len(row)
    config = model.config.get_text_config()
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    scored = len(set(row.nodes.tolist()))
    layers = decoder_layers(model, family)
    total = 0.0
    for index, layer in enumerate(layers):
        upto = (1 << 2 * (index + 1)) - 1
        prefixes = {sum(1 << player for player in removed) & upto for removed in coalitions}
        attention = sum(1 for prefix in prefixes if not prefix >> 2 * index & 0b01)
        ffn = sum(1 for prefix in prefixes if not prefix >> 2 * index & 0b10)
        attention_weights = _weights(layer.get_submodule(family.attention), config)
        dot = 4 * _seen(row, family, config, index) * config.num_attention_heads * width
        total += attention * (2 * tokens * attention_weights + dot)
        read = scored if index == len(layers) - 1 else tokens
        total += ffn * 2 * read * (_weights(layer, config) - attention_weights)
    head = model.get_output_embeddings()
    assert isinstance(head, nn.Linear)
    return total + len(coalitions) * 2 * scored * head.weight.numel()


def _seen(row: Row, family: Family, config: PretrainedConfig, index: int) -> float:
    """Return how many pairs (token, token it sees) a row has in a layer, for full or sliding attention."""
    window = getattr(config, "sliding_window", None)
    if family.masks == "full" or (family.masks == "by layer type" and config.layer_types[index] != "sliding_attention"):
        window = None
    before = row.positions + 1
    return float((before if window is None else np.minimum(before, window)).sum())


def _weights(module: nn.Module, config: PretrainedConfig) -> float:
    """Return the number of entries in the matrices that a token is multiplied with; vectors do not count.

    Of stacked experts, those that a token is routed to count.
    """
    total = 0.0
    for parameter in module.parameters():
        used = config.num_experts_per_tok / config.num_local_experts if parameter.dim() == 3 else 1.0
        total += used * parameter.numel() if parameter.dim() > 1 else 0
    return total


def _wait(device: torch.device) -> None:
    """Wait until a GPU has finished its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
