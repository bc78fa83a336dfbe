"""Which tasks there are to choose from, and what is known of each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.tasks.choices import TaskChoice, lm_eval_choices, shipped_choices, task_facts
from core.tasks.dataset_cache import cached_splits


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "datasets"))
    return tmp_path / "datasets"


def keep(cache: Path, path: str, content: object) -> None:
    folder = cache / path
    folder.mkdir(parents=True)
    (folder / "dataset_info.json").write_text(content if isinstance(content, str) else json.dumps(content))


def test_shipped_tasks_are_known_at_once() -> None:
    found = {task.name: task for task in shipped_choices()}
    assert found["agreement"].documents == 120
    assert all(task.ships and task.description for task in found.values())


def test_lm_evals_tasks_say_what_they_are() -> None:
    found = {task.name: task for task in lm_eval_choices()}
    assert len(found) > 10_000
    assert found["arc_easy"].known
    assert found["mmlu"].description == "a group of 57 tasks"
    assert found["gsm8k"].description == "the model writes its answer"
    assert "runs the code" in str(found["humaneval"].refused)


def test_documents_are_counted_where_the_data_are_cached(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("dataset_path: some/data\ntest_split: test\nvalidation_split: validation\n")
    (tmp_path / "task.yaml").write_text("include: base.yaml\ntask: x\ndataset_name: easy\n")
    task = TaskChoice("x", definition=tmp_path / "task.yaml")
    facts = task_facts(task)
    assert facts is not None
    assert (facts.dataset, facts.cached, facts.documents) == ("some/data easy", False, None)
    splits = {"test": {"num_examples": 2376}, "validation": {"num_examples": 570}}
    keep(cache, "some___data/easy/0.0.0/abc.incomplete", {"splits": splits})
    assert cached_splits("some/data", "easy") is None
    keep(cache, "some___data/easy/0.0.0/abc", {"splits": splits})
    facts = task_facts(task)
    assert facts is not None
    assert (facts.cached, facts.documents) == (True, 2376)
    assert task_facts(TaskChoice("g", "group")) is None
    assert task_facts(TaskChoice("x", definition=tmp_path / "nowhere.yaml")) is None


@pytest.mark.parametrize("content", ["", "[]", {}, {"splits": 3}, {"splits": {"test": {"num_examples": "many"}}}])
def test_a_damaged_cache_counts_nothing(content: object, cache: Path) -> None:
    keep(cache, "some___data/0.0.0", content)
    assert not cached_splits("some/data", None)
