"""Write the most likely continuation of a prompt under many coalitions, token by token, as lm-eval would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

from core.coalitions.players import Removed
from core.engine.caching_law import caching_way
from core.engine.continuing import Continuer, Opening, Rows
from core.engine.decoder import Decoder
from core.engine.prompt import Prompt, RuleBook, Rules
from core.engine.sizes import SweepSizes, rows_at_once


@dataclass(frozen=True, slots=True)
class Continuation:
    """The tokens that continue a prompt. It is not ``sound`` if logits were no numbers: it ends there."""

    tokens: tuple[int, ...]
    sound: bool


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
        """Return the continuation of a prompt under each coalition.

        Args:
            prompt: the prompt.
            coalitions: sets of removed players in any order.
            book: gives the rules of the prompt.
            sizes: bound what is held at once.
            on_batch: called between forwards with the part of the work that is done; what it raises ends the work.
                Between forwards the model is as it was, so that it may be used otherwise meanwhile.
        """
        found: dict[Removed, Continuation] = {}
        progress = _Progress(len(set(coalitions)) * prompt.most_new, on_batch)
        with torch.inference_mode():
            tokens = torch.tensor([prompt.tokens], device=self._decoder.device)
            opening = self._continuer.open(tokens, coalitions)
            progress.pause()
            for rows in self._batches(opening, prompt, coalitions, sizes, progress):
                rules = [book.rules(prompt) for _ in rows.coalitions]
                found.update(self._continued(rows, rules, prompt, progress))
        return [found[removed] for removed in coalitions]

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
        self, rows: Rows, rules: Sequence[Rules], prompt: Prompt, progress: _Progress
    ) -> Iterator[tuple[Removed, Continuation]]:
        """Add the most likely token to each row until all have ended, and yield what ended."""
        read = len(prompt.tokens)
        left = list(rules)
        while True:
            numbers = ~rows.logits.isnan().any(dim=-1)
            new = left[0].processors(rows.tokens, rows.logits).argmax(dim=-1)
            texts = torch.cat([rows.tokens, new[:, None]], dim=1)
            places = []
            for place, (removed, sound) in enumerate(zip(rows.coalitions, numbers.tolist(), strict=True)):
                text = texts[place : place + 1]
                if sound and not bool(left[place].ends(text, None)):
                    places.append(place)
                    continue
                end = None if sound else -1
                yield removed, Continuation(tuple(text[0, read:end].tolist()), sound)
                progress.skip(prompt.max_length - text.shape[1])
            progress.advance(len(rows))
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
