"""Verify on the loaded weights how requests may go through a model: in one row, in part by paths, apart, or whole.

A small row goes through each layer packed, and its requests go through it by themselves. What mixes tokens must return
the same. A layer where it does not obeys no tree mask: its band counts rows, its bias counts from the end of a row, it
keeps a state, or it picks among equal tokens by their place. Last, the way that was found scores the row like whole
forwards of the model, or a slower way is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import torch
from accelerate.utils import has_offloaded_params
from torch import Tensor
from transformers import PreTrainedModel

from core.engine.arguments import NotShared
from core.engine.decoder import Decoder
from core.engine.entrance import Call, Entry
from core.engine.layers import decoder_layers
from core.engine.packing import Row, TokenRequest, pack, packed_length
from core.engine.silence import first_of, watched
from core.engine.sweep import sweep
from core.engine.tracing import FAULTS, two_texts
from core.engine.whole import score_whole
from core.engine.widths import longest_row
from core.models.layout import Layer, Layout, Way

_TOKENS: Final = 24
_BATCH_TOKENS: Final = 256
_LONG: Final = 1100
_LONG_CPU: Final = 600
"""Tokens of the row: more than rows have whose length may be chosen."""

_EXACT: Final = 5e-4
"""How far what a token receives may be off in float32, as a part of its size."""

_OF_WRONG: Final = 0.1
"""The same in a 16-bit type, as a part of what a wrong mask does."""

_FAULTS = (*FAULTS, AssertionError)
"""What a model raises that is given arguments of a form that it does not expect."""


def verified(model: PreTrainedModel, layout: Layout) -> Layout:
    """Return a layout with the fastest way to evaluate the model that is right, and which layers obey a tree mask.

    Args:
        model: a loaded model, with its head.
        layout: its layers and players. Where its way is ``whole``, layers cannot run one by one, and it stays.
    """
    if layout.way == "whole":
        return layout
    documents = _documents(model)
    with torch.inference_mode():
        found = _packing(model, layout, documents)
    if any(map(has_offloaded_params, model.modules())):
        return found  # whole forwards would read all weights again and again
    row = pack(documents, _TOKENS)
    for way in _slower(found.way):
        found = replace(found, way=way)
        if way == "whole" or _right(model, found, row):
            break
    return found


def _slower(way: Way) -> Iterable[Way]:
    ways: tuple[Way, ...] = ("packed", "mixed", "unpacked", "whole")
    return (way, *(slower for slower in ways[ways.index(way) + 1 :] if slower != "mixed"))


def _documents(model: PreTrainedModel) -> list[list[TokenRequest]]:
    """Return two documents whose requests branch early and late."""
    one, other = (tuple(text[0].tolist()) for text in two_texts(model, _TOKENS))
    first = [
        TokenRequest(one[:9], continuation)
        for continuation in (one[9:11], other[:3], other[3:9], (*other[3:6], *one[12:16]))
    ]
    second = [TokenRequest(other[9:12], one[14:20]), TokenRequest((*other[9:11], *one[20:24]), other[12:16])]
    return [first, second]


def _long_row(documents: Sequence[Sequence[TokenRequest]], length: int) -> tuple[Row, list[int]]:
    """Return a row of about this length that has these documents, and the numbers of their requests.

    Other requests stand between those of the first document. So tokens are far in the row from some that they see, and
    a layer shows it if it counts places of the row.
    """
    first, second = documents
    context, tokens = first[0].context, [*first[0].context, *second[0].continuation, *second[1].continuation]
    each = _TOKENS - len(context)
    filling = [
        TokenRequest(
            context, tuple(tokens[(7 * number + step * (1 + number % 5)) % len(tokens)] for step in range(each))
        )
        for number in range(max(length // each, 0))
    ]
    row = pack([[*first[:2], *filling, *first[2:]], second], _TOKENS)
    last = len(first) - 2 + len(second)
    return row, [0, 1, *range(row.request_count - last, row.request_count)]


def _packing(model: PreTrainedModel, layout: Layout, documents: Sequence[Sequence[TokenRequest]]) -> Layout:
    """Return a layout that says which layers obey a tree mask, and the way that this allows."""
    all_pack = replace(layout, way="packed", layers=tuple(replace(layer, packs=True) for layer in layout.layers))
    decoder = Decoder(model, all_pack, laid_out=False)
    try:
        with decoder.ends_loaded():
            most = longest_row(model.config.get_text_config()) - sum(packed_length(each, _TOKENS) for each in documents)
            length = min(_LONG_CPU if decoder.device.type == "cpu" else _LONG, most)
            entries = _Entries(decoder, *_long_row(documents, length))
    except (NotShared, *_FAULTS):
        return replace(layout, way="unpacked", layers=all_pack.layers)
    obeying = [entries.obeys(index, layer) for index, layer in enumerate(layout.layers)]
    layers = tuple(
        replace(layer, packs=obeys is not False) for layer, obeys in zip(layout.layers, obeying, strict=True)
    )
    if False not in obeying:
        return replace(layout, way="packed", layers=layers)
    return replace(layout, way="mixed" if True in obeying else "unpacked", layers=layers)


class _Entries:
    """A row, and some of its requests by themselves, on their way through the layers of the intact model."""

    def __init__(self, decoder: Decoder, row: Row, tested: Sequence[int]) -> None:
        self._decoder = decoder
        self._modules = decoder_layers(decoder.model, decoder.layout.path)
        self._row = row
        self._packed: Entry = decoder.enter(row)
        self._wrong: Entry | None = None
        if decoder.model.dtype != torch.float32:  # the row as one text, in which tokens see those of other requests
            in_line = replace(row, parents=np.arange(-1, len(row) - 1), positions=np.arange(len(row)))
            self._wrong = decoder.enter(in_line)
        apart = row.apart()
        self._alone = [decoder.enter(apart[request]) for request in tested]
        self._states = [entry.hidden[None] for entry in self._alone]
        paths = [row.path_to(int(row.nodes[row.requests == request].max())) for request in tested]
        self._paths = [torch.from_numpy(path) for path in paths]

    def obeys(self, index: int, layer: Layer) -> bool | None:
        """Return whether a layer obeys a tree mask, and pass it; None where nothing in it mixes tokens.

        Call it for each layer in order.
        """
        mixing = [part for each in layer.sublayers if each.kind not in ("ffn", "moe") for part in each.parts]
        silent = sum(1 << bit for bit, each in enumerate(layer.sublayers) if each.kind in ("ffn", "moe"))
        calls = [entry.calls[index] for entry in self._alone]
        with self._decoder.loaded(index):
            found: bool | None = None
            if mixing and calls[0] is not None:
                seen = [self._mixed(index, mixing, silent, *each) for each in zip(self._states, calls, strict=True)]
                found = self._alike(index, mixing, silent, seen)
            self._states = [
                self._decoder.layer(index, state, call) for state, call in zip(self._states, calls, strict=True)
            ]
        return found

    def _mixed(self, index: int, parts: Sequence[str], silent: int, state: Tensor, call: Call | None) -> Tensor:
        """Return what the parts of a layer that mix tokens return, of shape (tokens, widths of all)."""
        with watched(self._modules[index], parts) as seen:
            self._decoder.layer(index, state, call, silent)
        tokens = state.shape[1]
        return torch.cat([first_of(seen[part]).reshape(tokens, -1).float().cpu() for part in parts], dim=-1)

    def _alike(self, index: int, parts: Sequence[str], silent: int, alone: Sequence[Tensor]) -> bool:
        """Return whether a layer returns for the row what it returns for its requests by themselves."""
        nodes = torch.cat(self._paths)
        together = torch.cat([state[0] for state in self._states])
        # Nodes of other requests take any states: none that is tested may see them.
        of_node = torch.arange(len(self._row)) % len(nodes)
        of_node[nodes.flip(0)] = torch.arange(len(nodes)).flip(0)
        state = together[of_node.to(together.device)][None]
        truth = torch.cat(list(alone))
        try:
            packed = self._mixed(index, parts, silent, state, self._packed.calls[index])[nodes]
        except _FAULTS:
            return False
        apart = _off(packed, truth)
        if self._wrong is None:
            return apart <= _EXACT
        wrong = self._mixed(index, parts, silent, state, self._wrong.calls[index])[nodes]
        return apart <= _OF_WRONG * _off(wrong, truth)


def _off(found: Tensor, truth: Tensor) -> float:
    """Return how far off the worst token is, as a part of its size or of the usual one; infinite if not finite."""
    sizes = truth.norm(dim=-1)
    off = (found - truth).norm(dim=-1) / sizes.clamp_min(max(float(sizes.mean()), 1e-12))
    return float(off.max()) if bool(torch.isfinite(off).all()) else float("inf")


def _right(model: PreTrainedModel, layout: Layout, row: Row) -> bool:
    """Return whether a layout's way scores a row like whole forwards of the model, intact and without some players."""
    players = layout.starts[-1]
    coalitions: list[tuple[int, ...]] = [(), tuple(range(0, players, 3)) if players > 1 else (0,)]
    decoder = Decoder(model, layout, laid_out=False)
    (truth,) = score_whole(decoder, [row], coalitions, lambda _part: None)
    try:
        found = sweep(decoder, row, coalitions, batch_tokens=_BATCH_TOKENS)
    except _FAULTS:
        return False
    return _same(found.logprobs, truth.logprobs, exact=model.dtype == torch.float32)


def _same(found: Any, truth: Any, *, exact: bool) -> bool:
    """Return whether log-probabilities, shape (2, requests), agree; in a 16-bit type, for most requests."""
    apart = np.abs(found - truth)
    if not np.isfinite(apart).all():
        return False
    if exact:
        return bool((apart <= 1e-3 + 1e-4 * np.abs(truth)).all())
    return bool(np.median(apart) <= max(0.02, _OF_WRONG * float(np.median(np.abs(truth[0] - truth[1])))))
