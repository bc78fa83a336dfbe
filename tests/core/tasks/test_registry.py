"""Every task that lm-eval ships is accepted, or refused for a reason that is listed here. No data are read."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from core.errors import CornerstoneError
from core.tasks.definition import definition_of, refuse_what_is_not_scored
from core.tasks.entries import OUTPUT_TYPES, PYTHON, UNSAID
from core.tasks.expand import Source
from core.tasks.index import lm_eval_tasks

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
SCORED = 8478
"""The tasks in YAML that are multiple choice, log-likelihood or rolling log-likelihood."""

# What the code of tasks needs: the first three are gone from the versions in use, the others may be installed.
NOT_THERE = {
    "transformers.data.metrics": 14,
    "load_metric": 5,
    "Error loading evaluation metrics": 6,
    "tinyBenchmarks": 5,
    "statsmodels": 2,
    "Please install evaluation metrics": 1,
}
FAULTS = {
    "it changes metric_list of its members": 7,
    "it defines": 8,
    "one of its entries names neither": 1,
}


def test_each_task_is_of_a_known_kind_and_the_readme_has_the_count() -> None:
    tasks = [entry for entry in lm_eval_tasks() if entry.kind == "task"]
    kinds = Counter(task.output_type for task in tasks)
    assert set(kinds) == {*OUTPUT_TYPES, UNSAID, PYTHON}
    assert (len(tasks), sum(kinds[kind] for kind in OUTPUT_TYPES)) == (13_123, SCORED)
    assert [task.name for task in tasks if task.refusal is None and task.output_type not in OUTPUT_TYPES] == []
    told = re.search(r"(\d+) of the (\d+) tasks that lm-eval\s+[\d.]+ ships for that", README)
    assert told is not None, "the README does not say how many tasks there are"
    accepted, scored = (int(number) for number in told.groups())
    assert (accepted, scored) == (SCORED - sum(NOT_THERE.values()), SCORED)


def test_each_group_can_be_evaluated_or_says_why_not() -> None:
    entries = {entry.name: entry for entry in lm_eval_tasks()}
    faults: Counter[str] = Counter()
    for entry in entries.values():
        if entry.fault is not None:
            (reason,) = [reason for reason in FAULTS if entry.fault.startswith(reason)]
            faults[reason] += 1
        elif entry.kind != "task":
            assert entry.members, entry.name
            assert all(entries[member].kind == "task" for member in entry.members), entry.name
            assert all(entries[group].kind == "group" for group in entry.groups), entry.name
    assert faults == FAULTS
    assert [len(entries[name].members) for name in ("mmlu", "ai2_arc", "blimp", "lambada")] == [57, 2, 67, 2]


@pytest.mark.slow
def test_each_definition_can_be_used_but_for_code_that_cannot_be_imported() -> None:
    refused: defaultdict[str, list[str]] = defaultdict(list)
    for entry in lm_eval_tasks():
        if entry.kind != "task" or entry.output_type not in OUTPUT_TYPES or entry.definition is None:
            continue
        source = Source(entry.definition)
        try:
            refuse_what_is_not_scored(entry.name, definition_of(entry.name, source), source)
        except CornerstoneError as error:
            said = str(error)
            assert "cannot be imported" in said, said
            reason = next((reason for reason in NOT_THERE if reason in said), said)
            refused[reason].append(entry.name)
    assert {reason: len(names) for reason, names in refused.items()} == NOT_THERE
