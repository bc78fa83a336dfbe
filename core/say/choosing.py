"""Draw tokens by a seed, so that two models differ only where their probabilities do."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from core.engine.generation import Choose


def drawn(seed: int, temperature: float) -> Choose:
    """Return a function that draws each token from all tokens, by their probabilities at a temperature.

    The token with the largest sum of score / temperature and Gumbel noise is a draw from the softmax (Gumbel, 1954).
    The noise depends on the seed and the token's number alone, so all rows get the same: models that agree draw the
    same token.
    """

    def choose(number: int, scores: Tensor) -> Tensor:
        noise = np.random.default_rng([seed, number]).gumbel(size=scores.shape[-1]).astype(np.float32)
        return (scores / temperature + torch.from_numpy(noise).to(scores.device)).argmax(dim=-1)

    return choose
