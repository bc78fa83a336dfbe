"""Measure cheap proxies of importance in one pass of the intact model: how far each sublayer moves the hidden state.

Block Influence is 1 - cos(x, x + f(x)) (Men et al. 2024, arXiv 2403.03853, "ShortGPT", there of whole layers), the
relative norm |f(x)| / |x|. x is the residual stream where the sublayer reads it, before any norm; f(x) is what is added
to it, after any norm that follows the sublayer. Where attention and FFN read the same input, x is the same for both.

They are computed token by token in float32, over a document's own tokens: those of its packed row, so there is no
padding and a prefix that several choices share counts once. A document's number is the mean over its tokens, and all
documents count the same. The first token is an attention sink in most models, whose hidden state is hundreds of times
as long as the others', so every number is given with it and without.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.engine.decoder import Decoder, LayerCall
from core.engine.packing import Row
from core.statistics.intervals import FloatArray

MEASURES = ("block influence", "relative norm")


@dataclass(frozen=True, slots=True)
class Proxies:
    """Means over the tokens of each document, shape (measures, 2, units, documents), with ``MEASURES`` in their order.

    The second axis has all tokens, then all but the first (NaN if a document has only one). The units of ``sublayers``
    are the players in natural order, those of ``layers`` the layers.
    """

    sublayers: FloatArray
    layers: FloatArray


def measure_proxies(
    decoder: Decoder,
    rows: Sequence[Row],
    *,
    shared_input: bool,
    on_document: Callable[[int], None] = lambda _done: None,
) -> Proxies:
    """Run the intact model over documents, once.

    Args:
        decoder: the model.
        rows: one document each.
        shared_input: whether attention and FFN of a layer read the same input.
        on_document: called after each document with how many are done.
    """
    found = []
    for done, row in enumerate(rows, start=1):
        with torch.inference_mode():
            found.append(_of_document(decoder, row, shared_input=shared_input))
        on_document(done)
    whole = np.stack(found, axis=-1)
    sublayers = whole[:, :, :2].transpose(3, 1, 0, 2, 4)
    measures, tokens, layers, kinds, documents = sublayers.shape
    return Proxies(sublayers.reshape(measures, tokens, layers * kinds, documents), whole[:, :, 2].transpose(2, 1, 0, 3))


def _of_document(decoder: Decoder, row: Row, *, shared_input: bool) -> FloatArray:
    """Return an array (layers, tokens, 3, measures) of attention, FFN and layer; all tokens, then all but the first."""
    later = torch.from_numpy(row.positions > 0)
    entry = decoder.enter(row)
    state = entry.hidden[None]
    lines = []
    for index in range(decoder.layer_count):
        with decoder.loaded(index):
            steps, after = _through(decoder, index, state, entry.calls[index], shared_input=shared_input)
        moved = torch.stack([_moved(before, to) for before, to in [*steps, (state, after)]]).cpu().double()
        lines.append([moved.mean(dim=1).tolist(), moved[:, later].mean(dim=1).tolist()])
        state = after
    return np.array(lines, dtype=np.float64)


def _through(
    decoder: Decoder, index: int, state: Tensor, call: LayerCall, *, shared_input: bool
) -> tuple[list[tuple[Tensor, Tensor]], Tensor]:
    """Return the residual before and after each sublayer, and after the layer."""
    with_attention = decoder.layer(index, state, call, attention=False, ffn=True)
    if not shared_input:
        after = decoder.layer(index, with_attention, call, attention=True, ffn=False)
        return [(state, with_attention), (with_attention, after)], after
    with_ffn = decoder.layer(index, state, call, attention=True, ffn=False)
    after = decoder.layer(index, state, call, attention=False, ffn=False)
    return [(state, with_attention), (state, with_ffn)], after


def _moved(before: Tensor, after: Tensor) -> Tensor:
    """Return both measures of each token, shape (tokens, 2)."""
    x, y = before[0].to(after.device).float(), after[0].float()
    influence = 1 - torch.cosine_similarity(x, y, dim=-1)
    norm = (y - x).norm(dim=-1) / x.norm(dim=-1).clamp_min(torch.finfo(torch.float32).tiny)
    return torch.stack([influence, norm], dim=-1)
