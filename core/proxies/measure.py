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

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from core.engine.decoder import Decoder
from core.engine.entrance import Call, Entry
from core.engine.packing import Row, pack
from core.engine.sweep import OnBatch, entered_rows
from core.errors import CornerstoneError
from core.models.layout import Layout
from core.statistics.intervals import FloatArray
from core.tasks.prepare import Document

MEASURES = ("block influence", "relative norm")


OfDocument = tuple[FloatArray, FloatArray]
"""The proxies of one document, of sublayers and of layers: shape (measures, 2, units), as ``Proxies`` has them."""


@dataclass(frozen=True, slots=True)
class Proxies:
    """Means over the tokens of each document, shape (measures, 2, units, documents), with ``MEASURES`` in their order.

    The second axis has all tokens, then all but the first (NaN if a document has only one). The units of ``sublayers``
    are the players in the order in which they run, those of ``layers`` the layers.
    """

    sublayers: FloatArray
    layers: FloatArray


def refuse_unmeasurable(layout: Layout) -> None:
    """Refuse a model whose proxies cannot be measured.

    Raises:
        CornerstoneError: its layers cannot run by themselves, or its experts are players.
    """
    if layout.way == "whole":
        raise CornerstoneError("a layer of this model reads more than hidden states, so proxies cannot be measured")
    if any(layer.experts is not None for layer in layout.layers):
        raise CornerstoneError("proxies are measured of whole sublayers, and not where single experts are players")


def measure_proxies(
    decoder: Decoder, rows: Iterable[Row], on_document: Callable[[int], None] = lambda _done: None
) -> list[OfDocument]:
    """Run the intact model over documents, once.

    Args:
        decoder: the model.
        rows: one document each.
        on_document: called after each document with how many are done.

    Raises:
        CornerstoneError: the proxies of this model cannot be measured.
    """
    refuse_unmeasurable(decoder.layout)
    found = []
    for done, row in enumerate(rows, start=1):
        with torch.inference_mode():
            found.append(_of_document(decoder, row))
        on_document(done)
    return found


def of_documents(
    decoder: Decoder, max_length: int, documents: Sequence[Document], on_batch: OnBatch
) -> list[OfDocument]:
    """Return the proxies of a task's documents. It is a ``Measure`` of ``core.study.measuring``."""
    rows = (pack([document.texts], max_length) for document in documents)
    return measure_proxies(decoder, rows, on_batch)


def joined(found: Sequence[OfDocument]) -> Proxies:
    """Return the proxies of documents in one."""
    sublayers, layers = (np.stack(each, axis=-1) for each in zip(*found, strict=True))
    return Proxies(sublayers, layers)


def _of_document(decoder: Decoder, row: Row) -> OfDocument:
    entered = entered_rows(decoder, row)
    fresh = _first_seen([each for each, _ in entered])
    later = fresh & torch.cat([torch.from_numpy(each.positions > 0) for each, _ in entered])
    units = [torch.cat(parts, dim=1) for parts in zip(*(_of_row(decoder, entry) for _, entry in entered), strict=True)]
    means = (torch.stack([moved[:, which].mean(dim=1) for which in (fresh, later)], dim=1) for moved in units)
    sublayers, layers = (each.permute(2, 1, 0).numpy() for each in means)
    return sublayers, layers


def _first_seen(rows: Sequence[Row]) -> Tensor:
    """Return which tokens of a document's rows count: each text up to a token counts once."""
    if len(rows) == 1:
        return torch.ones(len(rows[0]), dtype=torch.bool)
    seen: set[tuple[int, ...]] = set()
    fresh = []
    for row in rows:
        for end in range(1, len(row) + 1):
            text = tuple(row.tokens[:end].tolist())
            fresh.append(text not in seen)
            seen.add(text)
    return torch.tensor(fresh)


def _of_row(decoder: Decoder, entry: Entry) -> tuple[Tensor, Tensor]:
    """Return both measures of each token, shape (units, tokens, measures), of sublayers and of layers."""
    state = entry.hidden[None]
    sublayers, layers = [], []
    for index in range(decoder.layer_count):
        with decoder.loaded(index):
            steps, after = _through(decoder, index, state, entry.calls[index])
        sublayers += [_moved(before, to) for before, to in steps]
        layers.append(_moved(state, after))
        state = after
    return torch.stack(sublayers).cpu().double(), torch.stack(layers).cpu().double()


def _through(
    decoder: Decoder, index: int, state: Tensor, call: Call | None
) -> tuple[list[tuple[Tensor, Tensor]], Tensor]:
    """Return the residual before and after each sublayer, and after the layer."""
    layer = decoder.layout.layers[index]
    everything = (1 << len(layer.sublayers)) - 1
    alone = [everything & ~(1 << bit) for bit in range(len(layer.sublayers))]
    if layer.parallel:
        steps = [(state, decoder.layer(index, state, call, removed)) for removed in alone]
        return steps, decoder.layer(index, state, call)
    if layer.in_turn:
        before, steps = state, []
        for removed in alone:
            after = decoder.layer(index, before, call, removed)
            steps.append((before, after))
            before = after
        return steps, before
    # With the players from one on removed, the residual is what that player reads.
    upto = [
        decoder.layer(index, state, call, everything & ~((1 << bit) - 1)) for bit in range(len(layer.sublayers) + 1)
    ]
    return list(pairwise(upto)), upto[-1]


def _moved(before: Tensor, after: Tensor) -> Tensor:
    """Return both measures of each token, shape (tokens, 2)."""
    x, y = before[0].to(after.device).float(), after[0].float()
    influence = 1 - torch.cosine_similarity(x, y, dim=-1)
    norm = (y - x).norm(dim=-1) / x.norm(dim=-1).clamp_min(torch.finfo(torch.float32).tiny)
    return torch.stack([influence, norm], dim=-1)
