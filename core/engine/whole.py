"""Score requests by whole forwards, one coalition at a time, where a layer reads more of others than hidden states.

Nothing is shared between coalitions, and requests share no row. So it is slow, but it asks nothing of the model.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from core.coalitions.players import Removed
from core.engine.decoder import Decoder
from core.engine.packing import Row
from core.engine.removal import removed_from
from core.engine.scoring import Scores, score_logits

_BATCH = 8
"""Most requests of one length in a forward."""


def score_whole(
    decoder: Decoder, rows: Sequence[Row], coalitions: Sequence[Removed], on_batch: Callable[[float], None]
) -> list[Scores]:
    """Score the requests of every row under every coalition.

    Args:
        decoder: the model.
        rows: packed requests.
        coalitions: sets of removed players in any order.
        on_batch: called between forwards with the part of the work that is done; what it raises ends the work.
    """
    requests = [(at, alone) for at, row in enumerate(rows) for alone in row.apart()]
    batches = _batches([alone for _, alone in requests])
    logprobs = np.zeros((len(coalitions), len(requests)))
    is_greedy = np.ones((len(coalitions), len(requests)), dtype=np.bool_)
    done, total = 0, len(batches) * len(coalitions)
    for line, removed in enumerate(coalitions):
        for batch in batches:
            # Between forwards the model is as it was, so that another sweep may run.
            with torch.inference_mode(), removed_from(decoder.model, decoder.layout, removed):
                logits = _logits(decoder, [requests[number][1] for number in batch])
            for number, of_text in zip(batch, logits, strict=True):
                alone = requests[number][1]
                at = torch.from_numpy(alone.nodes).to(of_text.device)
                logprobs[line, number], is_greedy[line, number] = score_logits(of_text[at], alone.targets)
            done += 1
            on_batch(done / total)
    homes = np.array([at for at, _ in requests])
    return [Scores(logprobs[:, homes == at], is_greedy[:, homes == at]) for at in range(len(rows))]


def _batches(requests: Sequence[Row]) -> list[list[int]]:
    """Return the numbers of requests in batches of one length each."""
    by_length: defaultdict[int, list[int]] = defaultdict(list)
    for number, row in enumerate(requests):
        by_length[len(row)].append(number)
    return [numbers[at : at + _BATCH] for numbers in by_length.values() for at in range(0, len(numbers), _BATCH)]


def _logits(decoder: Decoder, texts: Sequence[Row]) -> Tensor:
    """Return the logits of texts of one length, of shape (texts, tokens, vocabulary)."""
    tokens = torch.from_numpy(np.stack([row.tokens for row in texts])).to(decoder.device)
    logits: Tensor = decoder.model(input_ids=tokens, use_cache=False).logits
    return logits
