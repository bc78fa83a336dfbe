"""Choose how much a sweep does at once: enough to keep the machine busy, and no more than fits into its memory."""

from __future__ import annotations

import torch
from transformers import PretrainedConfig, PreTrainedModel

from core.engine.onednn import KEPT_BYTES, faster
from core.engine.sweep_sizes import FEWEST, SweepSizes
from core.engine.widths import ffn_width, heads, hidden_width, vocabulary
from core.machine.free_memory import free_memory

SHARE = {"cpu": 0.25, "cuda": 0.6, "mps": 0.4}
"""Fraction of the free memory that a sweep may take, by type of device."""

_TENSORS = 0.75
"""Fraction of that share for tensors; allocators lose the rest between them (``tests.benchmarks.memory``)."""

_HEAD_ROWS = 1024
_HEAD_WIDTH_CPU = 1024

# Peak memory of one token in a layer besides its state: so many times the hidden width, and so many times the FFN's.
_HIDDEN_WIDTHS, _FFN_WIDTHS = 8, 3

_ROWS_A_DEVICE, _SHORT_ROW = 8, 64
"""Rows of a chunk for each device of several, and their tokens. Many rows, as the last of S devices waits for S - 1 of
them; short ones, as the states of many coalitions fill a batch all the same.
"""

# Row length that memory is reserved for in an eager attention. A longer document may run out; halving then helps.
_EAGER_ROW = 1024


def head_rows(batch_tokens: int) -> int:
    """Return how many positions are scored at once; small batches score fewer."""
    return max(1, min(_HEAD_ROWS, batch_tokens))


def rows_at_once(model: PreTrainedModel, sizes: SweepSizes, bytes_each: float) -> int:
    """Return how many texts are continued at once, where the cache of each takes up to so many bytes.

    Together they take no more than the hidden states of a sweep.
    """
    states = sizes.state_tokens * state_bytes(model)
    return max(1, min(sizes.batch_tokens, int(states / bytes_each) if bytes_each else sizes.batch_tokens))


def head_width(size: int, device: torch.device) -> int:
    """Return how many tokens of the vocabulary are scored at once.

    On a CPU the number is small, so that the logits stay in its caches.
    """
    return min(size, _HEAD_WIDTH_CPU) if device.type == "cpu" else size


def sizes_for(model: PreTrainedModel, *, offloaded: bool, memory: float | None = None) -> SweepSizes:
    """Choose the sizes for a model on its device.

    A CPU is fastest with batches that fit its caches, and small chunks let results grow steadily. An accelerator needs
    large batches. Offloaded weights are fetched once per chunk, so their chunks are as large as memory allows.

    Args:
        model: a loaded model.
        offloaded: whether some weights are stored away from the device that uses them.
        memory: GiB that the sweep may take; by default a share of the memory that is free now. It takes no more than
            is free: a control group ends a process that takes more.
    """
    device = compute_device(model)
    free = free_on(device)
    allowed = min(memory * 2**30, free) if memory is not None else SHARE[device.type] * free
    return sizes_within(model, device, allowed, offloaded=offloaded, devices=accelerators(model))


def sizes_within(
    model: PreTrainedModel, device: torch.device, allowed: float, *, offloaded: bool, devices: int = 1
) -> SweepSizes:
    """Choose the sizes for a model on a device where a sweep may take so many bytes; see ``sizes_for``.

    The model may lack its weights, as only their shapes count. Where several devices hold its layers, a chunk has rows
    enough to keep all of them busy (``core.engine.pipeline``).
    """
    budget = _TENSORS * allowed
    config = model.config.get_text_config()
    itemsize = model.dtype.itemsize
    if offloaded:
        budget = max(budget - fetched_bytes(model), budget / 2)
    for_products = KEPT_BYTES + _packed_bytes(config, itemsize)
    laid_out = faster(device, model.dtype) and for_products <= budget / 2
    budget -= for_products if laid_out else 0
    batch_tokens = 16384 if device.type != "cpu" else 1024
    width = head_width(vocabulary(config), device)
    while batch_tokens > FEWEST and _working_bytes(config, itemsize, batch_tokens, width) > budget / 2:
        batch_tokens //= 2
    # Each layer holds the states before it and after it.
    left = budget - _working_bytes(config, itemsize, batch_tokens, width)
    state_tokens = max(int(left / state_bytes(model)), FEWEST)
    if offloaded:
        return SweepSizes(1024, batch_tokens, state_tokens, state_tokens, laid_out)
    if device.type == "cpu":
        return SweepSizes(64, batch_tokens, 64, state_tokens, laid_out)
    if devices > 1:
        chunk_tokens = max(1024, _SHORT_ROW * _ROWS_A_DEVICE * devices)
        return SweepSizes(_SHORT_ROW, batch_tokens, chunk_tokens, state_tokens, laid_out)
    return SweepSizes(1024, batch_tokens, 1024, state_tokens, laid_out)


def needed_bytes(model: PreTrainedModel, sizes: SweepSizes, states: int) -> int:
    """Return how many bytes a sweep takes at most that holds the hidden states of ``states`` tokens at once.

    A token counts once for each coalition.
    """
    return int(tensor_bytes(model, sizes, states, compute_device(model)) / _TENSORS)


def tensor_bytes(model: PreTrainedModel, sizes: SweepSizes, states: int, device: torch.device) -> float:
    """Return the bytes of the tensors of such a sweep on a device, without the gaps that an allocator leaves.

    The model may lack its weights, as only their shapes count.
    """
    config = model.config.get_text_config()
    itemsize = model.dtype.itemsize
    width = head_width(vocabulary(config), device)
    tensors = _working_bytes(config, itemsize, min(sizes.batch_tokens, states), width)
    tensors += KEPT_BYTES + _packed_bytes(config, itemsize) if sizes.laid_out else 0
    return float(tensors + states * state_bytes(model))


def state_bytes(model: PreTrainedModel) -> int:
    """Return the bytes of the hidden states of a token under a coalition, before and after a layer."""
    return int(2 * hidden_width(model.config.get_text_config()) * model.dtype.itemsize)


def _working_bytes(config: PretrainedConfig, itemsize: int, batch_tokens: int, width: int) -> int:
    """Return the bytes of a batch inside a layer, plus those of the logits scored at once, in float32.

    Only an eager attention holds the scores of all pairs of tokens, before and after a softmax in float32.
    """
    ffn = ffn_width(config)
    through_layer: int = batch_tokens * itemsize * (_HIDDEN_WIDTHS * hidden_width(config) + _FFN_WIDTHS * ffn)
    logits: int = head_rows(batch_tokens) * width * (itemsize + 4)
    eager = getattr(config, "_attn_implementation", None) == "eager"
    scores = batch_tokens * _EAGER_ROW * heads(config) * (2 * itemsize + 4) if eager else 0
    return through_layer + logits + scores


def _packed_bytes(config: PretrainedConfig, itemsize: int) -> int:
    """Return the bytes of the copy of a layer's weights that oneDNN reorders."""
    return int(itemsize * hidden_width(config) * (4 * hidden_width(config) + 3 * ffn_width(config)))


def fetched_bytes(model: PreTrainedModel) -> float:
    """Return the bytes of the two layers that an offloaded model has at once: one computes, the next one comes."""
    weights: int = sum(weight.numel() * weight.element_size() for weight in model.parameters())
    layers: int = getattr(model.config.get_text_config(), "num_hidden_layers", 1)
    return 2 * weights / layers


def accelerators(model: PreTrainedModel) -> int:
    """Return how many devices other than the CPU hold a part of a model."""
    return len({weight.device for weight in model.parameters() if weight.device.type not in ("cpu", "meta")})


def compute_device(model: PreTrainedModel) -> torch.device:
    """Return the device on which a model computes: of an offloaded model, the first accelerator that holds a part."""
    devices = {parameter.device for parameter in model.parameters() if parameter.device.type != "meta"}
    return next((device for device in devices if device.type != "cpu"), torch.device("cpu"))


def free_on(device: torch.device) -> float:
    """Return how many bytes are free on a device."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    return float(free_memory())
