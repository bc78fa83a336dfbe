"""Log-probabilities and likeliest tokens from logits that come a part of the vocabulary at a time."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.engine.scoring import _of_targets


@given(data=st.data(), width=st.integers(1, 9), vocabulary=st.integers(1, 23), positions=st.integers(1, 3))
def test_the_vocabulary_in_parts_scores_as_a_whole(
    data: st.DataObject, width: int, vocabulary: int, positions: int
) -> None:
    states = data.draw(st.integers(1, 3))
    # Few distinct logits, so that many are equal: of those the first is the likeliest.
    drawn = data.draw(st.lists(st.integers(-2, 2), min_size=vocabulary, max_size=vocabulary))
    logits = torch.tensor(drawn).float().expand(states * positions, -1) + torch.arange(states * positions)[:, None]
    columns, targets = (
        np.array(data.draw(st.lists(st.integers(0, most - 1), min_size=4, max_size=4)))
        for most in (positions, vocabulary)
    )
    parts = (part.clone() for part in torch.split(logits, width, dim=-1))
    logprobs, greedy = _of_targets(parts, torch.Size((states, positions)), columns, targets)
    whole = logits.view(states, positions, -1)[:, columns]
    own = torch.from_numpy(targets).expand(states, -1)
    torch.testing.assert_close(logprobs, whole.log_softmax(-1).gather(-1, own[..., None])[..., 0])
    assert torch.equal(greedy, whole.argmax(-1) == own)
