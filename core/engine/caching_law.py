"""Verify on the loaded weights how a prompt may be continued: from shared states, by the model's cache, or whole.

Some tokens follow a prompt under a few coalitions, by each way and by plain forwards of the model. The fastest way that
gives the same logits is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Final

import torch
from torch import Tensor

from core.coalitions.players import Removed
from core.engine.continuing import CachingWay, Continuer
from core.engine.decoder import Decoder
from core.engine.probe import Exactness, distance
from core.engine.removal import removed_from
from core.engine.tracing import FAULTS, two_texts
from core.engine.widths import picks_among

_PROMPT: Final = 24
"""Tokens of the prompt: more than the windows of tiny models."""
_STEPS: Final = 6
_DROPS: Final = 3
"""The step before which a row is dropped, as where its answer ends."""
_OF_OTHERS: Final = {torch.float32: 1e-3, torch.float64: 1e-3}
"""How far off logits may be, as a part of the difference between two coalitions: what rounding may do to logits that
differ little from one another. A way that is wrong is off by as much as coalitions are."""
_OF_OTHERS_16_BIT: Final = 0.1


def caching_way(decoder: Decoder) -> CachingWay:
    """Return the fastest way to continue a prompt that is right for this model."""
    ways: tuple[CachingWay, ...] = ("cached",) if decoder.layout.way == "whole" else ("shared", "cached")
    prompt, forced = two_texts(decoder.model, _PROMPT)
    with torch.inference_mode():
        coalitions = _coalitions(decoder)
        truth = [_truth(decoder, torch.cat([prompt, forced[:, :_STEPS]], dim=1), removed) for removed in coalitions]
        for way in ways:
            try:
                found = _continued(Continuer(decoder, way), prompt, forced, coalitions)
            except torch.OutOfMemoryError:
                raise
            except (*FAULTS, AssertionError):
                continue
            if _same(found, truth, decoder.model.dtype):
                return way
    return "whole"


def _coalitions(decoder: Decoder) -> list[Removed]:
    """Return coalitions that start at the first layer, in the middle, and not at all."""
    players = decoder.layout.starts[-1]
    return [(), (players // 2,), tuple(range(players // 3, players, 3)), (0,)]


def _truth(decoder: Decoder, text: Tensor, removed: Removed) -> Tensor:
    """Return the logits after the prompt and after each token that follows it, of shape (steps + 1, vocabulary).

    An attention that picks keys may pick others of equal score in a longer text. Then the truth is what lm-eval has,
    which reads the prompt, and then token by token.
    """
    model = decoder.model
    with removed_from(model, decoder.layout, removed):
        if not picks_among(model.config.get_text_config(), _PROMPT):
            logits: Tensor = model(input_ids=text, use_cache=False).logits
            return logits[0, _PROMPT - 1 :].float()
        parts: list[Tensor] = []
        cache = None
        for tokens in (text[:, :_PROMPT], *text[0, _PROMPT:, None, None].unbind()):
            out = model(input_ids=tokens, past_key_values=cache, use_cache=True)
            parts.append(out.logits[0, -1].float())
            cache = out.past_key_values
    return torch.stack(parts)


def _continued(continuer: Continuer, prompt: Tensor, forced: Tensor, coalitions: Sequence[Removed]) -> list[Tensor]:
    """Return the logits of each step, of shape (rows, vocabulary), while the same tokens follow in all rows."""
    opening = continuer.open(prompt, coalitions)
    rows = continuer.joined([continuer.start(opening, [removed]) for removed in coalitions])
    found = [rows.logits]
    for step in range(_STEPS):
        if step == _DROPS:
            rows = continuer.kept(rows, range(1, len(rows)))
        rows = continuer.advance(rows, forced[0, step].expand(len(rows)))
        found.append(rows.logits)
    return found


def _same(found: Sequence[Tensor], truth: Sequence[Tensor], dtype: torch.dtype) -> bool:
    """Return whether each row of each step has the logits of its coalition; in a 16-bit type, whether most steps have.

    Args:
        found: by step, all rows that are left; the first ones were dropped.
        truth: by coalition, a row for each step.
        dtype: the type of the model's weights.
    """
    gaps: list[list[float]] = [[] for _ in truth]
    others: list[float] = []
    for step, rows in enumerate(found):
        first = len(truth) - len(rows)
        right = [of_coalition[step] for of_coalition in truth]
        for place, mine in enumerate(rows, first):
            gaps[place].append(distance(mine, right[place]))
        others += [distance(one, other) for one, other in pairwise(right)]
    # A coalition that is not removed at all is as far off as coalitions are from one another.
    bound = max(Exactness.of(dtype).tolerance, _OF_OTHERS.get(dtype, _OF_OTHERS_16_BIT) * median(others))
    worst = max if dtype in _OF_OTHERS else median
    return all(worst(of_coalition) <= bound for of_coalition in gaps)
