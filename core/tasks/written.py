"""Score a text that the model wrote as lm-eval does: by the task's filters, then by its ``process_results``.

lm-eval has each metric once for each filter. The values of the first filter have the names of the metrics; those of
another one have its name behind them: ``exact_match`` and ``exact_match_flexible_extract`` of GSM8K.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.task import Task

from core.errors import CornerstoneError

_NO_WORD = re.compile(r"\W+")


def value_names(task: Task, metrics: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the values that a task makes of a text, those of the first filter first.

    Raises:
        CornerstoneError: two values have the same name.
    """
    names = tuple(_named(metric, number, each.name) for number, each in enumerate(task._filters) for metric in metrics)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise CornerstoneError(f"two filters of filter_list make a value {twice[0]!r}; rename one of the filters")
    return names


def scores_of_text(task: Task, instance: Instance, text: str) -> dict[str, Any]:
    """Return what the task makes of a text that answers one of its requests, by the names of ``value_names``."""
    return {name: value for names in _by_filter(task, instance, text) for name, value in names.items()}


def _by_filter(task: Task, instance: Instance, text: str) -> Iterator[Mapping[str, Any]]:
    answered = copy.copy(instance)
    answered.resps, answered.filtered_resps = [text], {}
    for number, each in enumerate(task._filters):
        each.apply([answered])
        found = task.process_results(instance.doc, [answered.filtered_resps[each.name]])
        yield {_named(str(metric), number, each.name): value for metric, value in found.items()}


def right_text(task: Task, doc: Any) -> str:
    """Return the text that a task takes for right, or several in one; none if it names none."""
    target = task.doc_to_target(doc)
    if task.config.doc_to_choice is not None and isinstance(target, int):
        target = task.doc_to_choice(doc)[target]
    each = target if isinstance(target, list | tuple) else [target]
    return " | ".join(str(one) for one in each if one not in (None, ""))


def _named(metric: str, number: int, filter_name: str) -> str:
    return f"{metric}_{_NO_WORD.sub('_', filter_name)}" if number else metric
