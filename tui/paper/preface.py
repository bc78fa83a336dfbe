"""The sentences before all tables: on the basis of their numbers."""

from __future__ import annotations

from core.estimators.windows import WindowFirst
from core.values.derived import is_accuracy, named
from store.reading.paper import PaperSelection


def preface(selection: PaperSelection) -> list[str]:
    """Return the sentences on the basis of all numbers: value, estimator and intervals."""
    value = (
        f"value {named(selection.value)}" if selection.value else "value: acc_norm where the task defines it, else acc"
    )
    compared = selection.value is None or is_accuracy(selection.value)
    apart = "" if compared else " The paper's own numbers are of accuracies, so they do not stand beside these."
    windows = WindowFirst(selection.max_removed).described()
    return [
        "Investigating Layer Importance in Large Language Models (Zhang, Dong, Kawaguchi 2024), from what is stored; "
        f"{value}; estimator {selection.estimator}, {windows}; in brackets 95% intervals, from documents drawn again "
        f"within each task.{apart}"
    ]
