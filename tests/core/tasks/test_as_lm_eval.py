"""Groups and tasks of the user against lm-eval itself: every document of every task, and the scores of groups."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import lm_eval
import pytest
import torch
from lm_eval.api.group import Group
from lm_eval.api.task import Task
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from transformers import AutoTokenizer

from core.tasks.expand import expand
from store.results import Results, Selection
from store.study import RunConfig, run_study
from tests.support.plain_lm_eval import load, silenced

LIMIT = 2
WORDS = ("river", "stone", "paper", "light", "cloud", "metal", "animal", "plant", "city")
FFN_1 = 3


def rows(seed: int, count: int) -> list[dict[str, Any]]:
    """Return rows in the form of MMLU's."""
    return [
        {
            "question": f"Which {WORDS[(seed + i) % 9]} has the {WORDS[(seed * i + 2) % 9]}?",
            "choices": [WORDS[(seed + i + k) % 9] for k in range(4)],
            "answer": (seed + i) % 4,
        }
        for i in range(count)
    ]


def write_rows(path: Path, given: Sequence[Mapping[str, Any]]) -> None:
    path.write_text("\n".join(map(json.dumps, given)))


def theirs(folder: Path, tasks: Sequence[object], limit: int | None = LIMIT) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Yield lm-eval's results of tasks with the intact model, and without the FFN of the second layer."""
    model = load(folder)
    lm = HFLM(pretrained=model, tokenizer=AutoTokenizer.from_pretrained(folder), batch_size=16)
    manager = TaskManager(include_defaults=False)
    for player in (None, FFN_1):
        with (
            silenced(model, player),
            torch.inference_mode(),
            mock.patch("lm_eval.evaluator.add_env_info"),
        ):
            found = lm_eval.simple_evaluate(
                model=lm, tasks=list(tasks), limit=limit, bootstrap_iters=0, task_manager=manager
            )
        yield () if player is None else (player,), found


def ours(folder: Path, store: Path, *tasks: str, limit: int | None = LIMIT, **options: Any) -> Results:
    options = {"model": str(folder), "tasks": list(tasks), "limit": limit, "order": "file", **options}
    list(run_study({**options, "remove": ["FFN 1"], "dtype": "float32"}, store))
    return Results(store)


def same_documents(results: Results, removed: tuple[int, ...], found: Any) -> None:
    """Hold every stored document of a coalition against lm-eval's."""
    for name, samples in found["samples"].items():
        stored = [row for row in results.outcomes(Selection(task=name)).rows if row.removed == removed]
        assert [row.doc_id for row in stored] == [sample["doc_id"] for sample in samples]
        for row, sample in zip(stored, samples, strict=True):
            logprobs, greedy = zip(*sample["filtered_resps"], strict=True)
            assert row.logprobs == pytest.approx(logprobs, abs=1e-3)
            assert row.is_greedy == tuple(map(bool, greedy))
            assert row.acc == sample["acc"]


@pytest.fixture(scope="module")
def mmlu(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with rows for each of MMLU's tasks, more for some than for others."""
    folder = tmp_path_factory.mktemp("mmlu")
    members = expand(RunConfig(tasks=("mmlu",))).config.tasks  # type: ignore[arg-type]
    assert len(members) == 57
    for number, task in enumerate(members):
        write_rows(folder / f"{task.name}.jsonl", rows(number, 1 + number % 4))
    return folder


def official(name: str, data: Path) -> Task:
    """Return an official task of lm-eval over local data."""
    definition = next(iter(expand(RunConfig(tasks=(name,))).sources.values())).definition  # type: ignore[arg-type]
    manager = TaskManager(include_defaults=False)
    entry = manager._factory  # lm-eval has no public way to change the data of a task
    from lm_eval.tasks._index import Entry, Kind

    overrides = {
        "dataset_path": "json",
        "dataset_name": None,
        "dataset_kwargs": {"data_files": {"test": str(data)}},
        "fewshot_split": None,
    }
    built = entry.build(Entry(name, Kind.TASK, definition), overrides=overrides, registry={})
    assert isinstance(built, Task)
    return built


def scores(found: Any) -> dict[str, Any]:
    """Return what lm-eval aggregates the scores of groups from."""
    return {
        name: {**result, "sample_len": len(found["samples"][name])}
        for name, result in found["results"].items()
        if name in found["samples"]
    }


@pytest.mark.parametrize("name", ["mmlu_social_sciences", pytest.param("mmlu", marks=pytest.mark.slow)])
def test_mmlu_is_scored_as_in_lm_eval_and_its_tasks_are_found_alone(
    name: str, mmlu: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    config = RunConfig(tasks=({"name": name, "data": str(mmlu)},))  # type: ignore[arg-type]
    expanded = expand(config)
    tasks = {task.name: official(task.name, mmlu / f"{task.name}.jsonl") for task in expanded.config.tasks}
    results = ours(tiny_model_folder, tmp_path / "s.duckdb", f"{name}={mmlu}")
    for removed, found in theirs(tiny_model_folder, list(tasks.values())):
        same_documents(results, removed, found)
        for group in expanded.groups:
            reference = Group.from_config(
                {
                    "group": group.name,
                    "aggregate_metric_list": [
                        {"metric": metric, "weight_by_size": by_size} for metric, by_size in group.weights
                    ],
                }
            )
            for member in group.members:
                reference.add(tasks[member])
            (row,) = [
                row
                for row in results.coalitions(Selection(task=group.name)).rows
                if (row.task, row.removed) == (group.name, removed)
            ]
            assert row.acc == pytest.approx(reference.aggregate(scores(found))["acc,none"], abs=1e-12)
            assert row.n == sum(len(found["samples"][member]) for member in group.members)
    # A task that is evaluated alone is the same task: all of its outcomes are there.
    outcomes = results.runs().rows[0].outcomes
    ours(tiny_model_folder, tmp_path / "s.duckdb", f"mmlu_sociology={mmlu / 'mmlu_sociology.jsonl'}")
    assert outcomes > 0
    assert results.runs().rows[0].outcomes == 0


KINDS = {
    "mutual": {
        "doc_to_text": "{{question}}",
        "doc_to_choice": "choices",
        "doc_to_target": "answer",
        "metric_list": [{"metric": name} for name in ("acc", "acc_norm", "acc_mutual_info", "brier_score")],
    },
    "several": {
        "doc_to_text": "{{question}}",
        "doc_to_choice": "choices",
        "doc_to_target": "{{[answer, 0]}}",
        "metric_list": [{"metric": name} for name in ("acc", "acc_norm", "exact_match")],
    },
    "texts": {
        "doc_to_text": "{{question}}",
        "doc_to_choice": ["yes", "no"],
        "doc_to_target": "{{['yes', 'no'][answer % 2]}}",
        "description": "Answer.\n",
        "target_delimiter": ": ",
        "metric_list": [{"metric": "acc"}, {"metric": "f1"}, {"metric": "mcc"}],
    },
    "next": {
        "output_type": "loglikelihood",
        "doc_to_text": "{{question}}",
        "doc_to_target": "{{' ' ~ choices[answer]}}",
        "metric_list": [{"metric": "acc"}, {"metric": "perplexity"}],
    },
    "pages": {
        "output_type": "loglikelihood_rolling",
        "doc_to_text": "",
        "doc_to_target": "question",
        "metric_list": [{"metric": name} for name in ("word_perplexity", "byte_perplexity", "bits_per_byte")],
    },
}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Return a folder with a task of each kind, and with groups of two of them, weighed in both ways."""
    folder = tmp_path / "own"
    folder.mkdir()
    common = {"output_type": "multiple_choice", "dataset_path": "json", "test_split": "test"}
    for number, (name, fields) in enumerate(KINDS.items()):
        data = folder / f"{name}.jsonl"
        write_rows(data, rows(number, 3 + 2 * number))
        kwargs = {"data_files": {"test": str(data)}}
        (folder / f"{name}.yaml").write_text(json.dumps({"task": name, **common, **fields, "dataset_kwargs": kwargs}))
    for name, by_size in (("sized", True), ("alike", False)):
        metrics = [{"metric": metric, "weight_by_size": by_size} for metric in ("acc", "acc_norm")]
        content = {"group": name, "task": ["mutual", "several"], "aggregate_metric_list": metrics}
        (folder / f"{name}.yaml").write_text(json.dumps(content))
    return folder


def test_every_kind_of_task_is_scored_as_in_lm_eval(own: Path, tiny_model_folder: Path, tmp_path: Path) -> None:
    manager = TaskManager(include_path=str(own), include_defaults=False)
    tasks = manager.load(list(KINDS))["tasks"]
    results = ours(tiny_model_folder, tmp_path / "s.duckdb", *KINDS, limit=None, include_path=[str(own)])
    for removed, found in theirs(tiny_model_folder, list(tasks.values()), None):
        for name, samples in found["samples"].items():
            stored = [row for row in results.outcomes(Selection(task=name)).rows if row.removed == removed]
            assert len(stored) == len(samples)
            for row, sample in zip(stored, samples, strict=True):
                given = [resp if isinstance(resp, tuple | list) else (resp, None) for resp in sample["filtered_resps"]]
                assert row.logprobs == pytest.approx([logprob for logprob, _ in given], abs=1e-3)
            with results.opened() as db:
                kept = db.execute(
                    """SELECT o.acc, o.acc_norm, o.more, o.other FROM outcomes o
                    JOIN documents d USING (document) JOIN tasks t USING (task) JOIN coalitions c USING (coalition)
                    JOIN members m ON m.document = o.document
                    WHERE t.name = ? AND c.removed = ?::INTEGER[] ORDER BY m.doc_id""",
                    [name, list(removed)],
                ).fetchall()
            for metric, aggregate in tasks[name].aggregation().items():
                values = [_value(metric, *row) for row in kept]
                assert aggregate(values) == pytest.approx(found["results"][name][f"{metric},none"], rel=1e-4), metric


def _value(metric: str, acc: float, acc_norm: float, more: str | None, other: str | None) -> Any:
    value = {"acc": acc, "acc_norm": acc_norm, **json.loads(more or "{}"), **json.loads(other or "{}")}[metric]
    return tuple(value) if isinstance(value, list) else value


@pytest.mark.slow
def test_a_group_of_the_users_is_weighed_by_documents_or_alike_as_in_lm_eval(
    own: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    manager = TaskManager(include_path=str(own), include_defaults=False)
    store = tmp_path / "s.duckdb"
    results = ours(tiny_model_folder, store, "sized", "alike", limit=None, include_path=[str(own)])
    loaded = {name: manager.load(name)["groups"][name] for name in ("sized", "alike")}
    tasks = {task.task_name: task for group in loaded.values() for task in group.get_all_tasks()}
    seen = set()
    for removed, found in theirs(tiny_model_folder, list(tasks.values()), None):
        for name, group in loaded.items():
            expected = group.aggregate(scores(found))
            for value in ("acc", "acc_norm"):
                (row,) = [
                    row
                    for row in results.coalitions(Selection(task=name), value).rows
                    if (row.task, row.removed) == (name, removed)
                ]
                assert row.acc == pytest.approx(expected[f"{value},none"], abs=1e-12)
                seen.add(round(row.acc or 0, 9))
    assert len(seen) > 2  # so the two ways of weighing were told apart
