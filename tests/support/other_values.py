"""Rows of tasks that have no accuracy: one with other means over documents, one without any."""

from __future__ import annotations

import json
from pathlib import Path

BIASES = "crows_pairs_english"
"""Its metrics, likelihood_diff and pct_stereotype, are means over documents."""

PAGES = "wikitext"
"""Its metrics are perplexities, which are no means over documents."""

_SUBJECTS = ("cats", "dogs", "birds", "fish", "horses", "mice", "bees", "cows", "ants", "owls", "bats", "pigs")


def biases(folder: Path) -> Path:
    """Twelve rows for ``BIASES``."""
    rows = [
        {"sent_more": f"The {subject} are small and loud.", "sent_less": f"The {subject} are large and kind."}
        for subject in _SUBJECTS
    ]
    return _written(folder / "biases.jsonl", rows)


def pages(folder: Path) -> Path:
    """Two rows for ``PAGES``."""
    return _written(folder / "pages.jsonl", [{"page": "one two three"}, {"page": "four five six"}])


def _written(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)))
    return path
