"""Write a continuation of a prompt under many coalitions, token by token: the most likely one, as lm-eval would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from core.coalitions.players import Removed
from core.engine.caching_law import caching_way
from core.engine.continuing import Continuer, Opening, Rows
from core.engine.decoder import Decoder
from core.engine.prompt import Prompt, RuleBook, Rules
from core.engine.sizes import rows_at_once
from core.engine.sweep_sizes import SweepSizes


@dataclass(frozen=True, slots=True)
class Continuation:
    """The tokens that continue a prompt. It is not ``sound`` if logits were no numbers: it ends there."""

    tokens: tuple[int, ...]
    sound: bool


Choose = Callable[[int, Tensor], Tensor]
"""Chooses the next token of each row: from its number in the continuation and scores of shape (rows, vocabulary)."""


def likeliest(_number: int, scores: Tensor) -> Tensor:
    """Choose the tokens with the highest scores."""
    return scores.argmax(dim=-1)


@dataclass(frozen=True, slots=True)
class Step:
    """A token more for some coalitions.

    Attributes:
        coalitions: those that got one.
        logits: what the model gave for it, of shape (rows, vocabulary).
        tokens: the continuation so far, of shape (rows, tokens); the last column is new.
        sound: whether the logits are numbers. Where they are not, the new token means nothing.
        ended: whether the continuation ends here.
    """

    coalitions: tuple[Removed, ...]
    logits: Tensor
    tokens: Tensor
    sound: tuple[bool, ...]
    ended: tuple[bool, ...]


class Generator:
    """Continues prompts with one model, in the fastest way that was found right for it."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._continuer = Continuer(decoder, caching_way(decoder))

    @property
    def way(self) -> str:
        return self._continuer.way

    def continuations(
        self,
        prompt: Prompt,
        coalitions: Sequence[Removed],
        book: RuleBook,
        sizes: SweepSizes,
        on_batch: Callable[[float], None],
    ) -> list[Continuation]:
        """Return the most likely continuation of a prompt under each coalition; see ``steps`` for the arguments."""
        found: dict[Removed, Continuation] = {}
        for step in self.steps(prompt, coalitions, book, sizes, on_batch):
            for place, removed in enumerate(step.coalitions):
                if step.ended[place]:
                    sound = step.sound[place]
                    found[removed] = Continuation(tuple(step.tokens[place, : None if sound else -1].tolist()), sound)
        return [found[removed] for removed in coalitions]

    @torch.inference_mode()
    def steps(
        self,
        prompt: Prompt,
        coalitions: Sequence[Removed],
        book: RuleBook,
        sizes: SweepSizes,
        on_batch: Callable[[float], None],
        choose: Choose = likeliest,
    ) -> Iterator[Step]:
        """Continue a prompt under coalitions, and yield each token as it comes. All rows of a batch go together.

        Args:
            prompt: the prompt.
            coalitions: sets of removed players in any order.
            book: gives the rules of the prompt.
            sizes: bound what is held at once.
            on_batch: called between forwards with the part of the work that is done; what it raises ends the work.
                Between forwards the model is as it was, so that it may be used otherwise meanwhile.
            choose: chooses the tokens, from scores to which the rules of the prompt have been applied.
        """
        progress = _Progress(len(set(coalitions)) * prompt.most_new, on_batch)
        tokens = torch.tensor([prompt.tokens], device=self._decoder.device)
        opening = self._continuer.open(tokens, coalitions)
        progress.pause()
        for rows in self._batches(opening, prompt, coalitions, sizes, progress):
            rules = [book.rules(prompt) for _ in rows.coalitions]
            yield from self._continued(rows, rules, prompt, progress, choose)

    def _batches(
        self,
        opening: Opening,
        prompt: Prompt,
        coalitions: Sequence[Removed],
        sizes: SweepSizes,
        progress: _Progress,
    ) -> Iterator[Rows]:
        """Yield rows that have read the prompt, as many at once as the sizes allow."""
        first = self._continuer.first_layer
        # Coalitions that start from the same layer read the prompt together.
        waiting = sorted(dict.fromkeys(coalitions), key=lambda removed: (first(removed), removed))
        length = prompt.max_length if self._continuer.way == "whole" else len(prompt.tokens)
        reading = max(1, sizes.batch_tokens // length)
        most = rows_at_once(self._decoder.model, sizes, opening.bytes_per_token * prompt.max_length)
        if self._continuer.way == "whole":
            most = min(most, reading)
        if any(layer.experts is not None and layer.experts.form == "sorted" for layer in self._decoder.layout.layers):
            most = 1  # such experts are removed from a whole batch only
        for start in range(0, len(waiting), most):
            parts = []
            for group in _alike(waiting[start : start + most], first, reading):
                parts.append(self._continuer.start(opening, group))
                progress.pause()
            yield self._continuer.joined(parts)

    def _continued(
        self, rows: Rows, rules: Sequence[Rules], prompt: Prompt, progress: _Progress, choose: Choose
    ) -> Iterator[Step]:
        """Add a token to each row until all have ended, and yield each."""
        read = len(prompt.tokens)
        left = list(rules)
        while True:
            sound = tuple((~rows.logits.isnan().any(dim=-1)).tolist())
            new = choose(rows.tokens.shape[1] - read, left[0].processors(rows.tokens, rows.logits))
            texts = torch.cat([rows.tokens, new[:, None]], dim=1)
            ended = tuple(
                not right or bool(left[place].ends(texts[place : place + 1], None)) for place, right in enumerate(sound)
            )
            yield Step(rows.coalitions, rows.logits, texts[:, read:], sound, ended)
            progress.skip(sum(ended) * (prompt.max_length - texts.shape[1]))
            progress.advance(len(rows))
            places = [place for place, over in enumerate(ended) if not over]
            if not places:
                return
            left = [left[place] for place in places]
            rows = self._continuer.kept(rows, places)
            rows = self._continuer.advance(rows, new[torch.tensor(places, device=new.device)])


class _Progress:
    """Tells ``on_batch`` which part of the tokens that may be written is done."""

    def __init__(self, total: int, on_batch: Callable[[float], None]) -> None:
        self._total = total
        self._done = 0
        self._on_batch = on_batch

    def skip(self, tokens: int) -> None:
        self._done += tokens

    def advance(self, tokens: int) -> None:
        self._done += tokens
        self.pause()

    def pause(self) -> None:
        self._on_batch(self._done / self._total if self._total else 1.0)


def _alike(coalitions: Sequence[Removed], first: Callable[[Removed], int], most: int) -> Iterator[Sequence[Removed]]:
    """Yield neighbouring coalitions that start from the same layer, at most ``most`` at once."""
    start = 0
    for end in range(1, len(coalitions) + 1):
        full = end - start == most
        if end == len(coalitions) or full or first(coalitions[end]) != first(coalitions[start]):
            yield coalitions[start:end]
            start = end
