"""The single tasks of groups and tags, by lm-eval's rules."""

from __future__ import annotations

from typing import Any

import pytest

from core.tasks.entries import IndexEntry
from core.tasks.group_tree import GroupTree

TASK = {"output_type": "multiple_choice", "training_split": "train"}
TASKS = {name: {**TASK, "task": name, "tag": ["letters"] if name in "ab" else []} for name in "abcd"}


def entry(definitions: dict[str, Any], name: str = "g", known: dict[str, IndexEntry] | None = None) -> IndexEntry:
    every = {one.name: one for one in GroupTree({**TASKS, **definitions}, known or {}).entries()}
    return every[name]


def group(*parts: Any, **more: Any) -> dict[str, Any]:
    return {"group": "g", "task": list(parts), **more}


def test_a_tag_stands_for_its_tasks_in_order() -> None:
    assert entry({}, "letters") == IndexEntry("letters", "tag", members=("a", "b"))


def test_a_group_holds_tasks_tags_groups_and_groups_within_it() -> None:
    inner = {"group": "inner", "task": ["d"], "aggregate_metric_list": [{"metric": "acc", "weight_by_size": False}]}
    definitions = {"g": group("letters", inner, {"group": "other"}), "other": {"group": "other", "task": "c"}}
    found = entry(definitions)
    assert (found.members, found.groups, found.fault) == (("a", "b", "d", "c"), ("g::inner", "other"), None)
    assert entry(definitions, "g::inner").weights == (("acc", False),)


def test_examples_that_a_group_sets_go_with_its_tasks_and_the_nearest_wins() -> None:
    five = {"task": "other", "num_fewshot": 5}
    definitions = {"g": group(five, {"task": "a", "fewshot_split": "train", "task_alias": "A", "num_fewshot": 0}, "b")}
    definitions["other"] = {"group": "other", "task": ["c", {"task": "d", "num_fewshot": 2}]}
    assert entry(definitions).shots == (("c", 5), ("d", 2), ("a", 0))


def test_known_entries_may_be_members() -> None:
    known = {
        "k": IndexEntry("k", "group", members=("x", "y"), shots=(("x", 3),), groups=("l",)),
        "z": IndexEntry("z", "task", output_type="multiple_choice"),
    }
    found = entry({"g": group("k", {"task": "z", "num_fewshot": 1})}, known=known)
    assert (found.members, found.shots, found.groups) == (("x", "y", "z"), (("x", 3), ("z", 1)), ("k", "l"))


@pytest.mark.parametrize(
    ("given", "weights"),
    [
        ({"metric": "acc"}, (("acc", True),)),
        ([{"metric": "acc", "weight_by_size": False}, {"metric": "f1"}], (("acc", False), ("f1", True))),
        ([{"metric": "acc", "filter_list": ["none"]}, {"metric": "em", "filter_list": "strict"}], (("acc", True),)),
        ([{"weight_by_size": True}, "acc"], ()),
        (None, ()),
    ],
)
def test_weights_are_those_of_tasks_scored_by_log_probabilities(given: Any, weights: Any) -> None:
    assert entry({"g": group("a", aggregate_metric_list=given)}).weights == weights


@pytest.mark.parametrize(
    ("definition", "fault"),
    [
        (group("a", metric_list=[]), "it changes metric_list of its members"),
        (group({"task": "a", "doc_to_text": "x"}), "it changes doc_to_text of its members"),
        (group({"task": "a", "fewshot_split": "test"}), "it changes fewshot_split of its members"),
        (group({"task": "e", "dataset_path": "x"}), "it defines e, or names it without there being such a task"),
        (group({"dataset_path": "x"}), "one of its entries names neither a task nor a group"),
        (group(5), "one of its entries names neither a task nor a group"),
        (group(), "it names no tasks"),
        (group("g"), "it holds g twice"),
        (group({"task": "a", "num_fewshot": "many"}), "num_fewshot of a is no whole number"),
        (group({"task": "a", "num_fewshot": 1}, "a"), "it holds a twice"),
    ],
)
def test_what_would_not_be_evaluated_as_in_lm_eval_is_a_fault(definition: dict[str, Any], fault: str) -> None:
    assert entry({"g": definition}).fault == fault


def test_groups_that_hold_each_other_are_a_fault() -> None:
    definitions = {"g": group("a", "h"), "h": {"group": "h", "task": ["g"]}}
    assert entry(definitions).fault == "it holds h twice"
