"""Score requests from the states after the last layer: apply the head, and sum over the vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.engine.decoder import Decoder
from core.engine.packing import Row


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of a row's requests; both arrays have shape (coalitions, requests).

    ``logprobs`` are natural logarithms, summed over a request's continuation. ``is_greedy`` tells whether each token of
    the continuation was the model's most likely one.
    """

    logprobs: NDArray[np.float64]
    is_greedy: NDArray[np.bool_]


def score(decoder: Decoder, row: Row, finals: Sequence[Tensor], most: int, pause: Callable[[], None]) -> Scores:
    """Score the states after the last layer, at most ``most`` positions at once; call ``pause`` in between.

    Each state has shape (p, hidden): the row's p scored positions in order.
    """
    nodes, slots = np.unique(row.nodes, return_inverse=True)
    # The first axis is the request, so that a target adds to its request under all coalitions at once.
    logprobs = np.zeros((row.request_count, len(finals)))
    is_greedy = np.ones((row.request_count, len(finals)), dtype=np.bool_)
    width = min(len(nodes), most)
    height = most // width
    for left in range(0, len(nodes), width):
        here = (slots >= left) & (slots < left + width)
        requests, targets, columns = row.requests[here], row.targets[here], slots[here] - left
        for top in range(0, len(finals), height):
            pause()
            batch = finals[top : top + height]
            hidden = torch.stack([state[left : left + width].to(decoder.device) for state in batch])
            scored, greedy = _of_targets(decoder.head(hidden.flatten(0, 1)), hidden.shape[:2], columns, targets)
            block = slice(top, top + height)
            np.add.at(logprobs[:, block], requests, scored.double().T.numpy())
            np.logical_and.at(is_greedy[:, block], requests, greedy.T.numpy())
    return Scores(logprobs.T, is_greedy.T)


def joined(parts: Sequence[Scores]) -> Scores:
    """Return the scores of rows as those of one row that has all their requests, in order."""
    if len(parts) == 1:
        return parts[0]
    logprobs, is_greedy = ([getattr(part, name) for part in parts] for name in ("logprobs", "is_greedy"))
    return Scores(np.concatenate(logprobs, axis=1), np.concatenate(is_greedy, axis=1))


def score_logits(logits: Tensor, targets: NDArray[np.int64]) -> tuple[float, bool]:
    """Return the log-probability of tokens, summed, and whether each is the most likely one.

    Args:
        logits: shape (targets, vocabulary).
        targets: token ids.
    """
    columns = np.arange(len(targets))
    scored, greedy = _of_targets([logits.float().clone()], torch.Size((1, len(targets))), columns, targets)
    return float(scored.double().sum()), bool(greedy.all())


def _of_targets(
    parts: Iterable[Tensor], shape: torch.Size, columns: NDArray[np.int64], targets: NDArray[np.int64]
) -> tuple[Tensor, Tensor]:
    """Return log-probabilities of tokens and whether each is the most likely; both have shape (states, targets).

    Args:
        parts: logits of shape (states x positions, width), one part of the vocabulary at a time; they are overwritten.
        shape: (states, positions).
        columns: the position of each target.
        targets: token ids.
    """
    tops, log_sums = [], []
    logits = torch.zeros(shape[0], len(targets))
    # Whether a target has the largest logit of its part of the vocabulary, and the number of that part.
    leads, home = torch.zeros(shape[0], len(targets), dtype=torch.bool), torch.zeros(len(targets), dtype=torch.long)
    start = 0
    for number, part in enumerate(parts):
        inside = np.flatnonzero((targets >= start) & (targets < start + part.shape[-1]))
        top = part.amax(-1, keepdim=True)
        if inside.size:
            there = part.view(*shape, -1)[:, columns[inside]]
            own = torch.from_numpy(targets[inside] - start).to(part.device)
            logits[:, inside] = there.gather(-1, own.expand(shape[0], -1)[..., None])[..., 0].cpu()
            leads[:, inside] = (there.argmax(-1) == own).cpu()
            home[inside] = number
        tops.append(top)
        log_sums.append(part.sub_(top).exp_().sum(-1, keepdim=True).log_().add_(top))
        start += part.shape[-1]
    log_sum = torch.cat(log_sums, -1).logsumexp(-1).view(shape).cpu()[:, columns]
    # Among equal logits the first counts as the most likely, as in argmax.
    leading = torch.cat(tops, -1).argmax(-1).view(shape).cpu()[:, columns]
    return logits - log_sum, leads & (leading == home)
