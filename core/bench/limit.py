"""The limit of the machine: the operations of the distinct work, divided by the speed of large matrix products.

Work is distinct layer by layer. A little less would be needed in two cases: if a whole layer shared its attention with
the same layer without its FFN, and if the last attention skipped the queries of positions that are not scored.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Collection, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers import PretrainedConfig, PreTrainedModel

from core.coalitions.players import Removed
from core.engine.experts import shares_met
from core.engine.layers import decoder_layers
from core.engine.onednn import Product, faster
from core.engine.packing import Row
from core.engine.widths import attention_width, hidden_width, vocabulary
from core.models.layout import Layout

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


def distinct_work(model: PreTrainedModel, layout: Layout, row: Row, coalitions: Sequence[Removed]) -> float:
    """Return the operations for one row under all coalitions, each distinct (prefix state, token) pair once.

    The products with weights count, and those of attention with the tokens that it sees. Removed sublayers count
    nothing. The head and the last FFN count the scored positions only. Norms and other element-wise work count nothing,
    and neither does what a state-space or linear mixer does besides products with weights.
    """
    tokens, config = len(row), model.config.get_text_config()
    scored = len(set(row.nodes.tolist()))
    total = 0.0
    for index, (layer, module) in enumerate(zip(layout.layers, decoder_layers(model, layout.path), strict=True)):
        start, end = layout.starts[index : index + 2]
        prefixes = {sum(1 << player for player in removed) & (1 << end) - 1 for removed in coalitions}
        parts = [(*sublayer.parts, *sublayer.feeds) for sublayer in layer.sublayers]
        for bit, sublayer in enumerate(layer.sublayers):
            states = sum(1 for prefix in prefixes if not prefix >> start + bit & 1)
            by_token = sublayer.kind in ("ffn", "moe")
            read = scored if by_token and index == len(layout.layers) - 1 else tokens
            weights = sum(_weights(module.get_submodule(part), config) for part in parts[bit])
            dot = 4 * _seen(row, config, index) * attention_width(config) if sublayer.kind == "attn" else 0
            total += states * (2 * read * weights + dot)
        present = sum(1 for prefix in prefixes if not layer.passes or prefix >> start != (1 << end - start) - 1)
        inside = {id(p) for each in parts for part in each for p in module.get_submodule(part).parameters()}
        total += present * 2 * tokens * _weights(module, config, beside=inside)
    output = model.get_output_embeddings()
    head = vocabulary(config) * hidden_width(config) if output is None else output.weight.numel()
    return total + len(coalitions) * 2 * scored * head


def _seen(row: Row, config: PretrainedConfig, index: int) -> float:
    """Return how many pairs (token, token it sees) a row has in a layer, for full, sliding or chunked attention."""
    kinds = getattr(config, "layer_types", None)
    kind = kinds[index] if kinds else "sliding_attention"
    before = row.positions + 1
    if kind == "chunked_attention" and (chunk := getattr(config, "attention_chunk_size", None)):
        return float((row.positions % chunk + 1).sum())
    window = getattr(config, "sliding_window", None) if kind == "sliding_attention" else None
    return float((np.minimum(before, window) if type(window) is int else before).sum())


def _weights(module: nn.Module, config: PretrainedConfig, beside: Collection[int] = ()) -> float:
    """Return the number of entries in the matrices that a token is multiplied with; vectors do not count.

    Of experts, those that a token is routed to count. Parameters whose ``id`` is in ``beside`` do not.
    """
    shares = shares_met(module, config)
    return sum(part * each.numel() for each, part in shares if each.dim() > 1 and id(each) not in beside)


def _wait(device: torch.device) -> None:
    """Wait until a GPU has finished its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
