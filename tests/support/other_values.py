"""Tasks that have no accuracy: with other means over documents, with values of the corpus, without any value."""

from __future__ import annotations

import json
from pathlib import Path

BIASES = "crows_pairs_english"
"""Its metrics, likelihood_diff and pct_stereotype, are means over documents."""

PAGES = "wikitext"
"""Its metrics are perplexities: values of the corpus, and no means over documents."""

VALUELESS = "surprise"
"""A task of the user's own, whose only metric is a perplexity of single continuations: no value."""

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


def valueless(folder: Path) -> Path:
    """The definition of ``VALUELESS``, with two rows."""
    rows = [{"start": "one two", "end": " three"}, {"start": "four five", "end": " six"}]
    definition = {
        "task": VALUELESS,
        "output_type": "loglikelihood",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(_written(folder / "surprise.jsonl", rows))}},
        "test_split": "test",
        "doc_to_text": "{{start}}",
        "doc_to_target": "{{end}}",
        "metric_list": [{"metric": "perplexity"}],
    }
    path = folder / "surprise.yaml"
    path.write_text(json.dumps(definition))
    return path


def _written(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)))
    return path
