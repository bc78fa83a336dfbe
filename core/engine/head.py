"""Run what a model does after its layers, and yield the logits part by part of the vocabulary.

The model's own forward runs with its layers standing aside. What it does to logits after the product with the output
embedding, such as a cap or a scale, is looked at once: most models do nothing. Others do the same to every logit, so
that their forward runs again for each part with that part's logits in place of the product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from core.engine.onednn import faster, filled, product
from core.engine.removal import computes_as_its_class, forward_replaced
from core.engine.silence import returned
from core.engine.sizes import head_width
from core.engine.tracing import FAULTS
from core.models.layout import Layout

_After = Literal["nothing", "the same to each", "unknown"]
"""What a model does to logits after the product with the output embedding."""


class Head:
    """The part of a model after its layers. All methods expect ``torch.inference_mode``."""

    def __init__(self, model: Any, layers: Sequence[nn.Module], layout: Layout, *, laid_out: bool) -> None:
        self._model = model
        self._stays = [
            (layer, what.returns) for layer, what in zip(layers, layout.layers, strict=True) if what.sublayers
        ]
        self._laid_out = laid_out
        output = model.get_output_embeddings()
        plain = type(output) is nn.Linear and computes_as_its_class(output)
        self._output: nn.Linear | None = output if plain else None
        self._after: _After | None = None if self._output is not None else "unknown"

    def logits(self, hidden: Tensor, place: torch.device) -> Iterator[Tensor]:
        """Yield the logits of states (p, ...) after the last layer, in float32: parts of shape (p, width), in order.

        Each is a new tensor, which the caller may overwrite.

        Args:
            hidden: the states.
            place: the device of the embeddings.
        """
        if self._after is None:
            self._after = self._what_follows(hidden[:1], place)
        if self._output is None or self._after == "unknown":
            yield self._forward(hidden, place).reshape(len(hidden), -1).float()
            return
        normed = self._entering(hidden, place)
        for part in self._products(normed):
            if self._after == "nothing":
                yield part.float()
            else:
                with forward_replaced(self._output, lambda _given, part=part: part[None]):
                    finished = self._forward(hidden[:1], place)
                yield finished.reshape(part.shape).float()

    def _products(self, normed: Tensor) -> Iterator[Tensor]:
        """Yield the products of rows (p, width) with the output embedding, part by part of the vocabulary."""
        assert self._output is not None
        weight, bias = self._output.weight, self._output.bias
        rows, width = normed.to(weight.device), head_width(len(weight), weight.device)
        fast = self._laid_out and faster(weight.device, weight.dtype)
        multiply, rows = (product, filled(rows)) if fast else (linear, rows)
        for start in range(0, len(weight), width):
            part = slice(start, start + width)
            yield multiply(rows, weight[part], None if bias is None else bias[part])[: len(normed)]

    def _entering(self, hidden: Tensor, place: torch.device) -> Tensor:
        """Return what the output embedding receives for states, shape (p, width)."""
        assert self._output is not None
        received: list[Tensor] = []

        def receive(given: Tensor) -> Tensor:
            received.append(given)
            raise _Received

        with forward_replaced(self._output, receive), suppress(_Received):
            self._forward(hidden, place)
        (normed,) = received
        return normed.reshape(len(hidden), -1)

    def _forward(self, hidden: Tensor, place: torch.device) -> Tensor:
        """Return the logits that the model's own forward gives for states after the last layer."""
        with ExitStack() as stack:
            for layer, returns in self._stays:
                stack.enter_context(forward_replaced(layer, _giving(returned(hidden[:, None], returns))))
            # Each state is a text of one token, so that no number of states is too long for a text.
            texts = torch.zeros(len(hidden), 1, dtype=torch.long, device=place)
            logits: Tensor = self._model(input_ids=texts, use_cache=False).logits
        return logits

    def _what_follows(self, state: Tensor, place: torch.device) -> _After:
        """Return what the model does to logits, seen on some that are random and of all sizes that occur.

        They are those of a state of shape (1, ...), and of another one: what is done to them may depend on the state.
        """
        assert self._output is not None
        hidden = torch.cat([state, 2 * state.roll(1, dims=-1)])
        vocabulary = self._output.out_features
        weight = self._output.weight
        sizes = torch.logspace(-3, 3, vocabulary)
        given = torch.randn(len(hidden), 1, vocabulary, generator=torch.Generator().manual_seed(0)) * sizes
        given = given.to(weight.device, weight.dtype)

        def after(logits: Tensor) -> Tensor:
            with forward_replaced(self._output, lambda _given: logits.clone()):  # type: ignore[arg-type]
                return self._forward(hidden, place).float()

        whole = after(given)
        if torch.equal(whole, given.float()):
            return "nothing"
        half = vocabulary // 2
        try:
            same = whole.shape == given.shape and torch.equal(after(given[..., half:]), whole[..., half:])
        except torch.OutOfMemoryError:
            raise
        except FAULTS:
            return "unknown"  # it wants all logits
        alike = after(given[:1].expand_as(given))
        return "the same to each" if same and torch.equal(alike[0], alike[1]) else "unknown"


class _Received(Exception):  # noqa: N818
    """Ends a forward once the output embedding has been called."""


def _giving(out: Any) -> Callable[..., Any]:
    return lambda *_args, **_kwargs: out
