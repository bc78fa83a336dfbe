"""Every task that lm-eval ships is accepted, or refused for a reason that is listed here. No data are read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import pytest

from core.errors import CornerstoneError
from core.tasks.definition import definition_of, refuse_what_is_not_scored
from core.tasks.entries import OUTPUT_TYPES, PYTHON, WRITES
from core.tasks.expand import Source
from core.tasks.index import lm_eval_tasks

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
SCORED = 8478
"""The tasks in YAML that are multiple choice, log-likelihood or rolling log-likelihood."""
WRITTEN = 4615
"""The tasks in YAML for which the model writes a text."""

# Why tasks of the second kind are refused by their definitions.
REFUSED = {
    "it draws texts at random": 282,
    "doc_to_image is no text": 45,
    "it runs the code that the model writes": 35,
    "it sets num_beams": 6,
    "it takes 64 texts of each document": 2,
    "it takes 10 texts of each document": 1,
    "doc_to_audio is no text": 1,
}
# Why others are, by their metrics: the first would be fetched and run, lm-eval has no way to read the others.
UNKNOWN_METRICS = {"hf_evaluate would fetch and run code": 2, "needs an aggregation": 1, "lm-eval has no metric": 1}
WITHOUT_LIBRARY = 153
"""Tasks of the second kind whose code needs libraries that are not among ours."""
WITH_JSONSCHEMA = 3
"""Those of them that jsonschema is enough for, which the extra ``ray`` brings."""

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


def test_each_task_is_of_a_known_kind_and_the_readme_has_the_counts() -> None:
    tasks = [entry for entry in lm_eval_tasks() if entry.kind == "task"]
    kinds = Counter(task.output_type for task in tasks)
    assert set(kinds) == {*OUTPUT_TYPES, WRITES, PYTHON}
    assert (len(tasks), sum(kinds[kind] for kind in OUTPUT_TYPES), kinds[WRITES]) == (13_123, SCORED, WRITTEN)
    refused = [task for task in tasks if task.refusal is not None and task.output_type != PYTHON]
    assert {task.output_type for task in refused} == {WRITES}
    assert Counter(_reason(str(task.refusal), REFUSED) for task in refused) == REFUSED
    told = re.search(r"(\d+) of the (\d+) tasks that lm-eval\s+[\d.]+ ships for that", README)
    assert told is not None, "the README does not say how many tasks there are"
    assert tuple(map(int, told.groups())) == (SCORED - sum(NOT_THERE.values()), SCORED)
    told = re.search(r"(\d+) of\s+the (\d+) for which\s+the model writes", README)
    assert told is not None, "the README does not say for how many tasks the model writes"
    left_out = sum(REFUSED.values()) + sum(UNKNOWN_METRICS.values()) + WITHOUT_LIBRARY
    assert tuple(map(int, told.groups())) == (WRITTEN - left_out, WRITTEN)


def _reason(said: str, reasons: Iterable[str]) -> str:
    return next((reason for reason in reasons if reason in said), said)


def test_each_group_can_be_evaluated_or_says_why_not() -> None:
    entries = {entry.name: entry for entry in lm_eval_tasks()}
    faults: Counter[str] = Counter()
    for entry in entries.values():
        if entry.kind == "task":
            continue
        if entry.fault is not None:
            (reason,) = [reason for reason in FAULTS if entry.fault.startswith(reason)]
            faults[reason] += 1
        else:
            assert entry.members, entry.name
            assert all(entries[member].kind == "task" for member in entry.members), entry.name
            assert all(entries[group].kind == "group" for group in entry.groups), entry.name
    assert faults == FAULTS
    assert [len(entries[name].members) for name in ("mmlu", "ai2_arc", "blimp", "lambada")] == [57, 2, 67, 2]


@pytest.mark.slow
def test_each_definition_can_be_used_but_for_code_that_cannot_be_imported() -> None:
    scored: Counter[str] = Counter()
    written: Counter[str] = Counter()
    for entry in lm_eval_tasks():
        if entry.kind != "task" or entry.refusal is not None or entry.definition is None:
            continue
        source = Source(entry.definition)
        try:
            refuse_what_is_not_scored(entry.name, definition_of(entry.name, source), source)
        except CornerstoneError as error:
            said = str(error)
            if entry.output_type == WRITES:
                written["" if "cannot be imported" in said else _reason(said, UNKNOWN_METRICS)] += 1
            else:
                assert "cannot be imported" in said, said
                scored[_reason(said, NOT_THERE)] += 1
    assert scored == NOT_THERE
    there = WITH_JSONSCHEMA if find_spec("jsonschema") else 0
    assert written == {**UNKNOWN_METRICS, "": WITHOUT_LIBRARY - there}
