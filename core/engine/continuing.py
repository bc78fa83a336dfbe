"""Continue a prompt token by token under several coalitions at once, a row of a batch each.

The intact model reads the prompt once. A coalition starts from the state before its first removed player: the layers
below stand aside, and what the intact model keeps of past tokens there is copied. From then on all rows go through the
model's own forward together, with the players that each row lacks silent in that row. All rows have equally many
tokens, so none is padded.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any, Literal

import torch
from torch import Tensor
from transformers import DynamicCache

from core.coalitions.players import Removed
from core.engine.cache_rows import chosen, is_empty, joined, repeated, size_of
from core.engine.decoder import Decoder
from core.engine.layers import decoder_layers
from core.engine.removal import SilentRows, forward_replaced, removed_in_rows, silent_rows
from core.engine.silence import returned
from core.engine.tracing import received_by

CachingWay = Literal["shared", "cached", "whole"]
"""How a prompt is continued, the fastest way first.

``shared``: coalitions share what the intact model makes of the prompt. ``cached``: each reads the prompt by itself, and
the model's cache keeps past tokens. ``whole``: the model reads all tokens again for each new one.
"""


@dataclass(frozen=True, slots=True)
class Opening:
    """The states of the intact model after it has read a prompt; coalitions start from them.

    ``tokens`` has shape (1, tokens). ``states`` are the hidden states before some layers, by their numbers.
    """

    tokens: Tensor
    states: dict[int, Tensor]
    cache: DynamicCache | None
    logits: Tensor

    @property
    def bytes_per_token(self) -> float:
        """Return how many bytes a token takes in the cache of one row."""
        return 0.0 if self.cache is None else size_of(self.cache.layers) / self.tokens.shape[1]


@dataclass(frozen=True, slots=True)
class Rows:
    """A prompt as far as it is continued, under one coalition in each row.

    ``tokens`` has shape (rows, tokens); ``logits`` are those of the next token, in float32, of shape (rows,
    vocabulary).
    """

    coalitions: tuple[Removed, ...]
    tokens: Tensor
    cache: DynamicCache | None
    logits: Tensor
    silent: SilentRows

    def __len__(self) -> int:
        return len(self.coalitions)


class Continuer:
    """Continues prompts with one model. All methods expect ``torch.inference_mode``."""

    def __init__(self, decoder: Decoder, way: CachingWay) -> None:
        self.way = way
        self._model = decoder.model
        self._layout = decoder.layout
        self._layers = decoder_layers(decoder.model, decoder.layout.path)
        taken = signature(type(decoder.model).forward).parameters
        self._cache_name = "cache_params" if "cache_params" in taken else "past_key_values"
        self._last_only = {"logits_to_keep": 1} if "logits_to_keep" in taken else {}

    def first_layer(self, removed: Removed) -> int:
        """Return the number of the first layer that lacks a player; the number of layers for the intact model."""
        return bisect_right(self._layout.starts, min(removed)) - 1 if removed else len(self._layers)

    def open(self, tokens: Tensor, coalitions: Sequence[Removed]) -> Opening:
        """Let the intact model read a prompt of shape (1, tokens).

        Args:
            tokens: the prompt.
            coalitions: those that will start from it.
        """
        if self.way != "shared":
            cache = self._new_cache()
            return Opening(tokens, {}, cache, self._logits(tokens, cache, ()))
        wanted = {self.first_layer(removed) for removed in coalitions} - {0, len(self._layers)}
        states: dict[int, Tensor] = {}

        def keeping(index: int) -> Callable[..., None]:
            def keep(_module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
                states[index] = received_by(args, kwargs).hidden

            return keep

        cache = self._new_cache()
        with ExitStack() as hooks:
            for index in wanted:
                handle = self._layers[index].register_forward_pre_hook(keeping(index), with_kwargs=True)
                hooks.callback(handle.remove)
            logits = self._logits(tokens, cache, ())
        return Opening(tokens, states, cache, logits)

    def start(self, opening: Opening, coalitions: Sequence[Removed]) -> Rows:
        """Let the model read a prompt under coalitions; those that share their first layer should go together."""
        count, silent = len(coalitions), silent_rows(self._layout, coalitions)
        tokens = opening.tokens.expand(count, -1)
        first = min(map(self.first_layer, coalitions)) if self.way == "shared" else 0
        cache = self._new_cache()
        if first == len(self._layers):
            logits = opening.logits.expand(count, -1)
        else:
            with ExitStack() as aside:
                state = _repeated(opening.states[first], count) if first else tokens
                for index in range(first):
                    if self._layout.layers[index].sublayers:
                        out = returned(state, self._layout.layers[index].returns)
                        aside.enter_context(forward_replaced(self._layers[index], _giving(out)))
                logits = self._logits(tokens, cache, silent)
        if cache is not None and opening.cache is not None and first > 0:
            pairs = enumerate(zip(cache.layers, opening.cache.layers, strict=True))
            for index, (mine, theirs) in pairs:
                if is_empty(mine) and not is_empty(theirs):
                    cache.layers[index] = repeated(theirs, count)
        return Rows(tuple(coalitions), tokens, cache, logits, silent)

    def joined(self, parts: Sequence[Rows]) -> Rows:
        """Return the rows of several batches as one. The caches of the parts are emptied, as they may be large."""
        if len(parts) == 1:
            return parts[0]
        coalitions = tuple(removed for part in parts for removed in part.coalitions)
        cache = parts[0].cache
        if cache is not None:
            for index in range(len(cache.layers)):
                caches = [part.cache for part in parts if part.cache is not None]
                cache.layers[index] = joined([one.layers[index] for one in caches])
                for one in caches[1:]:
                    one.layers[index] = None
        return Rows(
            coalitions,
            torch.cat([part.tokens for part in parts]),
            cache,
            torch.cat([part.logits for part in parts]),
            silent_rows(self._layout, coalitions),
        )

    def kept(self, rows: Rows, places: Sequence[int]) -> Rows:
        """Return some of the rows; the others are dropped."""
        if len(places) == len(rows):
            return rows
        at = torch.tensor(places)
        if rows.cache is not None:
            for index, layer in enumerate(rows.cache.layers):
                rows.cache.layers[index] = chosen(layer, at)
        coalitions = tuple(rows.coalitions[place] for place in places)
        at = at.to(rows.tokens.device)
        return Rows(coalitions, rows.tokens[at], rows.cache, rows.logits[at], silent_rows(self._layout, coalitions))

    def advance(self, rows: Rows, new: Tensor) -> Rows:
        """Add a token to each row, and return the rows with the logits of the one after it."""
        tokens = torch.cat([rows.tokens, new[:, None]], dim=1)
        read = tokens if rows.cache is None else new[:, None]
        return replace(rows, tokens=tokens, logits=self._logits(read, rows.cache, rows.silent))

    def _new_cache(self) -> DynamicCache | None:
        if self.way == "whole":
            return None
        return DynamicCache(config=self._model.config.get_text_config(decoder=True))

    def _logits(self, tokens: Tensor, cache: DynamicCache | None, silent: SilentRows) -> Tensor:
        """Return the logits after the last token of each row; ``cache`` takes in the tokens."""
        kept = {"use_cache": False} if cache is None else {self._cache_name: cache, "use_cache": True}
        with removed_in_rows(self._model, self._layout, silent or silent_rows(self._layout, [()])):
            out = self._model(input_ids=tokens, **kept, **self._last_only)
        logits: Tensor = out.logits[:, -1].to(copy=True, dtype=torch.float32, device=tokens.device)
        return logits


def _giving(out: Any) -> Callable[..., Any]:
    return lambda *_args, **_kwargs: out


def _repeated(state: Tensor, count: int) -> Tensor:
    """Return hidden states of one text, of shape (1, tokens, ...), for so many texts."""
    return state.repeat(count, *[1] * (state.dim() - 1))
