"""Verify on the loaded weights how requests may go through a model: in one row, in part by paths, apart, or whole.

A plain forward reads a few requests. A long row that has them among others then goes into each layer, with the states
that they had there. What mixes tokens must return what it returned for them. A layer where it does not obeys no tree
mask: its band counts rows, its bias counts from the end of a row, it keeps a state, or it picks among equal tokens by
their place. A layer is given a short row if it differs in its weights only from one that obeys and reads far tokens.
Last, the way that was found scores requests like whole forwards of the model, or a slower way is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import product
from random import Random
from typing import Final

import numpy as np
import torch
from accelerate.utils import has_offloaded_params
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import PreTrainedModel

from core.coalitions.players import Removed
from core.engine.arguments import LayerCall, NotShared
from core.engine.decoder import Decoder
from core.engine.entrance import Entry
from core.engine.layers import decoder_layers
from core.engine.packing import Row, TokenRequest, pack, packed_length
from core.engine.plain_run import PlainRun, by_token, mixing_parts, plain_run
from core.engine.silence import watched
from core.engine.sweep import ignore_batches, sweep
from core.engine.tracing import FAULTS, two_texts
from core.engine.twins import are_twins, receive_alike
from core.engine.whole import score_whole
from core.engine.widths import longest_row, picks_among
from core.models.layout import Layer, Layout, Way

_TOKENS: Final = 24
_BATCH_TOKENS: Final = 256
_LONG: Final = 1100
_LONG_CPU: Final = 540
"""Most tokens of the row: more than rows have whose length may be chosen."""

_EXACT: Final = 5e-4
"""How far what a token receives may be off in float32, as a part of what differs from token to token."""

_ROUNDING: Final = 1e-5
"""The relative error that rounding makes in float32."""

_OF_WRONG: Final = 0.1
"""The same in a 16-bit type, as a part of what a wrong mask does."""

_SHOWS: Final = 0.01
"""How much tokens far in a row must matter to a layer that shows what other ones do with them."""

_FAULTS = (*FAULTS, AssertionError)
"""What a model raises that is given arguments of a form that it does not expect."""

Document = Sequence[TokenRequest]
Logs = NDArray[np.float64]
Parts = tuple[Tensor, ...]


def verified(model: PreTrainedModel, layout: Layout) -> Layout:
    """Return a layout with the fastest way to evaluate the model that is right, and which layers obey a tree mask.

    Args:
        model: a loaded model, with its head.
        layout: its layers and players. Where its way is ``whole``, layers cannot run one by one, and it stays.
    """
    if layout.way == "whole":
        return layout
    first, second, last = _documents(model)
    decoder = Decoder(model, layout, laid_out=False)
    with torch.inference_mode():
        truth = plain_run(decoder, pack([first, second], _TOKENS))
        found = _packing(model, layout, (first, second), truth)
    if any(map(has_offloaded_params, model.modules())):
        return found  # more forwards would read all weights again and again
    gone = tuple(range(0, layout.starts[-1], 3)) if layout.starts[-1] > 1 else (0,)
    (without,) = score_whole(decoder, [pack([last], _TOKENS)], [gone], ignore_batches)
    row, scores = pack([first, last], _TOKENS), (truth.scores.logprobs[0, : len(first)], without.logprobs[0])
    for way in _slower(found.way):
        found = replace(found, way=way)
        if way == "whole" or _right(model, found, row, gone, scores):
            break
    return found


def _slower(way: Way) -> Iterable[Way]:
    ways: tuple[Way, ...] = ("packed", "mixed", "unpacked", "whole")
    return (way, *(slower for slower in ways[ways.index(way) + 1 :] if slower != "mixed"))


def _documents(model: PreTrainedModel) -> tuple[Document, Document, Document]:
    """Return three documents. Requests of the first one branch late, those of the last one early.

    All requests of the first two have one length, and those of the last one are shorter: a forward each.
    """
    one, other = (tuple(text[0].tolist()) for text in two_texts(model, _TOKENS))
    first = [TokenRequest(one[:7], end) for end in (other[3:10], (*other[3:7], *one[12:15]))]
    second = [TokenRequest(other[9:12], one[11:22])]
    last = [TokenRequest(other[5:8], one[14:20]), TokenRequest((*other[5:7], *one[20:23]), other[12:16])]
    return first, second, last


def _long_row(first: Document, second: Document, length: int) -> tuple[Row, list[int]]:
    """Return a row of about this length, and no longer, that has two documents, and the numbers of their requests.

    Other requests stand between those of the first document. So tokens are far in the row from some that they see, and
    a layer shows it if it counts places of the row. They are of all lengths, as those of tasks are.
    """
    context, longest, draw = first[0].context, _TOKENS - len(first[0].context), Random(0)
    tokens = tuple(dict.fromkeys((*second[0].context, *second[0].continuation)))
    room = length - packed_length(first, _TOKENS) - packed_length(second, _TOKENS)
    filling: list[TokenRequest] = []
    for start in product(tokens, repeat=2):  # no two begin alike, so that each brings most of its tokens
        end = (*start[::-1], *draw.choices(tokens, k=draw.randint(3, longest - 2)))
        room -= len(end) - 1 - (len(filling) >= len(tokens))  # the last token is a target only
        if room < 0:
            break
        filling.append(TokenRequest(context, end))
    row = pack([[first[0], *filling, *first[1:]], second], _TOKENS)
    last = len(first) - 1 + len(second)
    return row, [0, *range(row.request_count - last, row.request_count)]


def _packing(model: PreTrainedModel, layout: Layout, documents: tuple[Document, Document], truth: PlainRun) -> Layout:
    """Return a layout that says which layers obey a tree mask, and the way that this allows."""
    all_pack = replace(layout, way="packed", layers=tuple(replace(layer, packs=True) for layer in layout.layers))
    config = model.config.get_text_config()
    if picks_among(config, len(pack(documents, _TOKENS))):
        return replace(all_pack, way="unpacked")
    decoder = Decoder(model, all_pack, laid_out=False)
    try:
        with decoder.ends_loaded():
            most = _LONG_CPU if decoder.device.type == "cpu" else _LONG
            length = min(most, longest_row(config))
            entries = _Entries(decoder, documents, length, truth)
    except (NotShared, *_FAULTS):
        return replace(all_pack, way="unpacked")
    obeying = entries.verdicts()
    layers = tuple(
        replace(layer, packs=obeys is not False) for layer, obeys in zip(layout.layers, obeying, strict=True)
    )
    if False not in obeying:
        return replace(layout, way="packed", layers=layers)
    return replace(layout, way="mixed" if True in obeying else "unpacked", layers=layers)


@dataclass(frozen=True, slots=True)
class _Entered:
    """A row after the embeddings. ``wrong`` is the same as one text, in which tokens see those of other requests.

    ``nodes`` are the tokens of the tested requests, one request after another. ``taken`` has for each token of the row
    which of these tokens gives it its states. The first two requests share the tokens ``begun`` of the row, and
    ``ends`` tells which of ``nodes`` the second one has for itself.
    """

    packed: Entry
    wrong: Entry | None
    nodes: Tensor
    taken: Tensor
    begun: Tensor
    ends: Tensor

    @classmethod
    def of(cls, decoder: Decoder, row: Row, tested: Sequence[int]) -> _Entered:
        """Return a row after the embeddings; what a wrong mask does is measured in a 16-bit type only."""
        wrong = None
        if decoder.model.dtype != torch.float32:
            wrong = decoder.enter(replace(row, parents=np.arange(-1, len(row) - 1), positions=np.arange(len(row))))
        paths = [torch.from_numpy(row.path_to(int(row.nodes[row.requests == request].max()))) for request in tested]
        nodes, shared = torch.cat(paths), torch.isin(paths[1], paths[0])
        # Nodes of other requests take any states: none that is tested may see them.
        taken = torch.arange(len(row)) % len(nodes)
        taken[nodes.flip(0)] = torch.arange(len(nodes)).flip(0)
        ends = len(paths[0]) + torch.arange(len(paths[1]))[~shared]
        return cls(decoder.enter(row), wrong, nodes, taken, paths[1][shared], ends)

    def given(self, states: Tensor) -> Tensor:
        """Return the states of the row, of shape (1, t, ...), from those of the tested requests."""
        return states[self.taken.to(states.device)][None]


class _Entries:
    """A long row and a short one on their way into each layer, with states that their requests had in a plain forward.

    The short one will do for a layer that is the same as one that the long one went through, but for its weights.
    """

    def __init__(self, decoder: Decoder, documents: tuple[Document, Document], length: int, truth: PlainRun) -> None:
        self._decoder = decoder
        self._modules = decoder_layers(decoder.model, decoder.layout.path)
        self._truth = truth
        self._long = _Entered.of(decoder, *_long_row(*documents, length))
        self._short = _Entered.of(decoder, *_long_row(*documents, 0))
        self._shown: list[int] = []
        """Layers that obey, which the long row showed as they read far tokens."""
        self._blind: list[int] = []
        """Layers that obey and do not."""

    def verdicts(self) -> list[bool | None]:
        """Return for each layer whether it obeys a tree mask; None where nothing in it mixes tokens.

        A layer that reads no far token in these texts may do so in others. So where it obeys, one of its twins that
        does not obey speaks for it.
        """
        layers = self._decoder.layout.layers
        found = [self._obeys(index, layer) for index, layer in enumerate(layers)]
        breaking = [index for index, obeys in enumerate(found) if obeys is False]
        for index in self._blind:
            if any(self._are_twins(index, other) for other in breaking):
                found[index] = False
        return found

    def _obeys(self, index: int, layer: Layer) -> bool | None:
        """Return whether a layer returns for a row what it returns for its requests by themselves."""
        states, truth = self._truth.states[index], self._truth.mixed[index]
        if states is None or truth is None:
            return None
        with self._decoder.loaded(index):
            states = states.to(self._decoder.place(index))
            if any(self._are_twins(index, other) for other in self._shown):
                return self._bound(index, layer, self._short, states, truth) is not None
            bound = self._bound(index, layer, self._long, states, truth)
            if bound is not None:
                sees = self._reads_far(index, layer, states, truth, max(_SHOWS, 2 * bound))
                (self._shown if sees else self._blind).append(index)
        return bound is not None

    def _are_twins(self, index: int, other: int) -> bool:
        one, two = self._long.packed.calls[index], self._long.packed.calls[other]
        if not isinstance(one, LayerCall) or not isinstance(two, LayerCall) or not receive_alike(one, two):
            return False
        return are_twins(self._decoder.model.config.get_text_config(), self._modules, index, other)

    def _bound(self, index: int, layer: Layer, row: _Entered, states: Tensor, truth: Parts) -> float | None:
        """Return how far off a layer may be for a row; None if it is farther off."""
        given = row.given(states)
        try:
            apart = max(_off(self._mixed(index, layer, given, row.packed, row.nodes), truth))
        except _FAULTS:
            return None
        bound = _EXACT
        if row.wrong is not None:
            bound = _OF_WRONG * max(_off(self._mixed(index, layer, given, row.wrong, row.nodes), truth))
        return bound if apart <= bound else None

    def _reads_far(self, index: int, layer: Layer, states: Tensor, truth: Parts, least: float) -> bool:
        """Return whether all parts of a layer that mix tokens return other things where far tokens are others.

        If not, the long row cannot show what the layer does with tokens that are far from one another in it.
        """
        given = self._short.given(states)
        given[:, self._short.begun] = 1.5 * given[:, self._short.begun.roll(1)]
        found = self._mixed(index, layer, given, self._short.packed, self._short.nodes)
        return min(_off(found, truth, self._short.ends)) > least

    def _mixed(self, index: int, layer: Layer, row: Tensor, entry: Entry, nodes: Tensor) -> Parts:
        """Return what the parts of a layer that mix tokens return for nodes of a row, of shape (nodes, width) each."""
        parts = mixing_parts(layer)
        with watched(self._modules[index], parts) as seen, _ended(self._modules[index], parts), suppress(_Ended):
            self._decoder.layer(index, row, entry.calls[index])
        return tuple(each[nodes] for each in by_token(seen, parts, row.shape[1]))


@contextmanager
def _ended(layer: nn.Module, parts: Sequence[str]) -> Iterator[None]:
    """End the forward of a layer inside the block once all these parts have returned: what follows costs much."""
    lacking = set(parts)

    def note(part: str) -> Callable[..., None]:
        def end(*_args: object) -> None:
            lacking.discard(part)
            if not lacking:
                raise _Ended

        return end

    with ExitStack() as hooks:
        for part in parts:
            hooks.callback(layer.get_submodule(part).register_forward_hook(note(part)).remove)
        yield


class _Ended(Exception):  # noqa: N818
    """Ends a forward of which all is seen that was asked for."""


def _off(found: Parts, truth: Parts, at: Tensor | None = None) -> list[float]:
    """Return how far off the worst token is, for each part of a layer; infinite if not finite.

    It is a part of what differs from token to token, of this token or of the usual one: what all tokens have in common,
    such as a bias, is no measure of what a layer mixes.

    Args:
        found: what the parts returned, of shape (tokens, width) each.
        truth: what they return.
        at: the tokens to look at.
    """
    worst = []
    for mine, right in zip(found, truth, strict=True):
        sizes = (right - right.mean(dim=0)).norm(dim=-1)
        gaps = ((mine - right).norm(dim=-1) - _ROUNDING * right.norm(dim=-1)).clamp_min(0)
        off = gaps / sizes.clamp_min(max(float(sizes.median()), 1e-12))
        off = off if at is None else off[at]
        worst.append(float(off.max()) if bool(torch.isfinite(off).all()) else float("inf"))
    return worst


def _right(model: PreTrainedModel, layout: Layout, row: Row, gone: Removed, truth: tuple[Logs, Logs]) -> bool:
    """Return whether a layout's way scores a row like whole forwards of the model.

    Args:
        model: the model.
        layout: its layout, with the way.
        row: requests.
        gone: some players.
        truth: log-probabilities of the first requests by the intact model, and of the others without these players.
    """
    decoder = Decoder(model, layout, laid_out=False)
    try:
        found = sweep(decoder, row, [(), gone], batch_tokens=_BATCH_TOKENS).logprobs
    except _FAULTS:
        return False
    right, intact = np.concatenate(truth), len(truth[0])
    apart = np.abs(np.concatenate([found[0, :intact], found[1, intact:]]) - right)
    if not np.isfinite(apart).all():
        return False
    if model.dtype == torch.float32:
        return bool((apart <= 1e-3 + 1e-4 * np.abs(right)).all())
    # In a 16-bit type, most requests must agree, beside what these players do and what rounding does.
    rounding = max(0.02, torch.finfo(model.dtype).eps / 2 * float(np.median(np.abs(right))))
    return bool(np.median(apart) <= max(rounding, _OF_WRONG * float(np.median(np.abs(found[0] - found[1])))))
