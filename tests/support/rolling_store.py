"""A store of a rolling task: log-likelihoods with words and bytes, as lm-eval hands them to its metrics."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.coalitions.schedules import windows
from core.config.run_config import RunConfig
from tests.support.store_records import PLAYERS, assignment, documents, keep, outcome, task, to_run

VALUES = ("word_perplexity", "byte_perplexity", "bits_per_byte")


def rolling_store(path: Path, pages: int = 8, nats: float = 1.0) -> RunConfig:
    """Store windows of a task whose documents differ in length; return the configuration of its run.

    ``nats`` is the intact model's loss, per byte.
    """
    generator = np.random.default_rng(0)
    sizes = generator.integers(40, 400, pages)
    asked = assignment(
        documents(range(pages), prefix="page", choices=1),
        windows(PLAYERS, 4),
        of_task=task("wikitext", means=(), others=VALUES),
    )
    config = to_run(tasks="wikitext", schedule=["windows"])
    kept = []
    for document, size in zip(asked.documents, sizes.tolist(), strict=True):
        for removed in asked.coalitions:
            loglikelihood = -size * (nats + sum(0.3 / (1 + player) for player in removed) + 0.05 * generator.normal())
            weights = {"word_perplexity": size // 5, "byte_perplexity": size, "bits_per_byte": size}
            other = {name: [loglikelihood, weight] for name, weight in weights.items()}
            kept.append(outcome(document.key, removed, logprobs=[loglikelihood], metrics={}, other=other))
    keep(path, asked, kept, config=config)
    return config
