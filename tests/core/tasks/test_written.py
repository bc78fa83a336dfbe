"""Tasks for which the model writes a text, against lm-eval: every document, its text, and its values by filter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest import mock

import lm_eval
import pytest
import torch
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from transformers import AutoTokenizer

from core.bench.measure import measure
from core.config.run_config import load_config
from core.errors import CornerstoneError
from core.proxies.study import check_proxies
from core.records.memory_recorder import MemoryRecorder
from core.records.records import WRITTEN
from core.study.left_out import fault_of
from core.study.listener import SILENT
from core.study.workbench import open_workbench
from core.tasks.definition import definition_of
from core.tasks.expand import source_of
from store.maintenance.check import check
from store.results import Page, Results, Selection
from store.study import Callbacks, run_study
from tests.support.plain_lm_eval import load, silenced
from tests.support.word_problems import write_word_problems

GSM8K = Path(lm_eval.tasks.__file__).parent / "gsm8k" / "gsm8k.yaml"
LABELS = ("Attn 0", "FFN 1", "Attn 2", "FFN 3", "FFN 29")


def player(label: str) -> int:
    kind, layer = label.split()
    return 2 * int(layer) + (kind == "FFN")


def theirs(folder: Path, task: dict[str, Any], removed: int | None) -> dict[int, dict[str, Any]]:
    """Return by document what lm-eval gives with a player silenced: the text, and values by metric and filter."""
    lm = HFLM(pretrained=load(folder), tokenizer=AutoTokenizer.from_pretrained(folder), batch_size=1)
    with silenced(lm.model, removed), torch.inference_mode(), mock.patch("lm_eval.evaluator.add_env_info"):
        found = lm_eval.simple_evaluate(
            model=lm, tasks=[task], bootstrap_iters=0, task_manager=TaskManager(include_defaults=False)
        )
    (samples,) = found["samples"].values()
    documents: dict[int, dict[str, Any]] = {}
    for sample in samples:
        document = documents.setdefault(sample["doc_id"], {"text": sample["resps"][0][0]})
        document |= {(name, sample["filter"]): sample[name] for name in sample["metrics"]}
    return documents


def same_as_lm_eval(folder: Path, place: Path, own: dict[str, Any], labels: tuple[str, ...], count: int) -> list[str]:
    """Hold the texts and values of every document against lm-eval's; return the texts.

    Args:
        folder: the model.
        place: an empty folder.
        own: fields of GSM8K's definition that a task of the user has in their place; none for GSM8K itself.
        labels: the players to remove, one by one.
        count: the number of rows.
    """
    rows, store = write_word_problems(place / "rows.jsonl", count), place / "store.duckdb"
    (place / "mine.yaml").write_text(json.dumps({"task": "mine", "include": str(GSM8K), **own}))
    task = {"name": str(place / "mine.yaml") if own else "gsm8k", "data": str(rows)}
    config = {"model": str(folder), "tasks": [task], "dtype": "float32", "order": "file", "remove": list(labels)}
    list(run_study(config, store))
    definition = definition_of("gsm8k", source_of("gsm8k")) | own
    fewshot = "test" if definition["num_fewshot"] else None
    definition |= {"dataset_path": "json", "dataset_name": None, "dataset_kwargs": {"data_files": {"test": str(rows)}}}
    definition |= {"training_split": None, "test_split": "test", "fewshot_split": fewshot}
    stored = Results(store).outcomes(Selection()).rows
    for removed in ((), *((player(label),) for label in labels)):
        mine = {row.doc_id: row for row in stored if row.removed == removed}
        expected = theirs(folder, definition, removed[0] if removed else None)
        assert mine.keys() == expected.keys()
        for doc_id, row in mine.items():
            assert row.written == expected[doc_id]["text"]
            assert json.loads(row.more or "") == {
                "exact_match": expected[doc_id]["exact_match", "strict-match"],
                "exact_match_flexible_extract": expected[doc_id]["exact_match", "flexible-extract"],
            }
            assert (row.logprobs, row.is_greedy) == ((), ())
    return [row.written or "" for row in stored]


def study(folder: Path, place: Path, told: list[str], **settings: Any) -> Results:
    """Run GSM8K on three word problems, without an example and with Attn 0 removed."""
    rows = write_word_problems(place / "rows.jsonl", 3)
    task = {"name": "gsm8k", "data": str(rows), "num_fewshot": 0}
    config = {"model": str(folder), "tasks": [task], "remove": ["Attn 0"], **settings}
    list(run_study(config, place / "store.duckdb", Callbacks(told.append)))
    return Results(place / "store.duckdb")


@pytest.mark.slow
def test_the_cost_is_told_first_and_nothing_is_written_twice(tiny_model_folder: Path, tmp_path: Path) -> None:
    told: list[str] = []
    first = study(tiny_model_folder, tmp_path, told, limit=2).outcomes(Selection()).rows
    cost = "the model writes up to 256 tokens an answer, at most 1 024 in all"
    assert f"{cost}; what is stored already is not written again" in told
    second = study(tiny_model_folder, tmp_path, told).outcomes(Selection()).rows
    assert (len(first), len(second)) == (4, 6)
    assert set(first) <= set(second)


@pytest.mark.slow
def test_it_is_read_by_the_values_of_its_filters_and_by_no_log_probability(
    tiny_model_folder: Path, tmp_path: Path
) -> None:
    results = study(tiny_model_folder, tmp_path, [])
    (group,) = results.groups(Selection()).rows
    assert group.values == ("exact_match", "exact_match_flexible_extract")
    (row,) = results.ablation(Selection(task="gsm8k")).rows
    assert (row.value, row.n, row.chance) == ("exact_match", 3, None)
    with pytest.raises(CornerstoneError, match="gsm8k has no value 'gold_logprob'; it has exact_match"):
        study(tiny_model_folder, tmp_path, [], value="gold_logprob")
    shown = results.documents(Selection(task="gsm8k"), (0,), "exact_match", Page()).rows
    stored = {(row.removed, row.doc_id): row.written for row in results.outcomes(Selection()).rows}
    assert [(one.written_intact, one.written) for one in shown] == [
        (stored[(), one.doc_id], stored[(0,), one.doc_id]) for one in shown
    ]
    assert all("#### " in one.choices[0] for one in shown)


@pytest.mark.slow
def test_proxies_read_the_prompts_and_the_comparison_of_speeds_is_refused(
    tiny_model_folder: Path, tmp_path: Path
) -> None:
    rows = write_word_problems(tmp_path / "rows.jsonl", 2)
    task = {"name": "gsm8k", "data": str(rows), "num_fewshot": 0}
    config = load_config(None, {"model": str(tiny_model_folder), "tasks": [task]})
    checked = check_proxies(config, None, MemoryRecorder(), SILENT)
    assert {row.task for row in checked.proxies} == {"gsm8k"}
    bench = open_workbench(config)
    with pytest.raises(CornerstoneError, match="gsm8k has the model write texts; choose a task that has choices"):
        measure(bench, bench.tasks[0], print)


def test_a_text_that_the_tasks_own_code_cannot_read_is_no_number(tiny_model_folder: Path, tmp_path: Path) -> None:
    rows = write_word_problems(tmp_path / "rows.jsonl", 1)
    task = {"name": "gsm8k", "data": str(rows), "num_fewshot": 0}
    bench = open_workbench(load_config(None, {"model": str(tiny_model_folder), "tasks": [task]}))
    (prepared,) = bench.tasks
    (document,) = prepared.documents
    unsound = prepared.written(document, (), None)
    assert (fault_of(unsound), unsound.other) == ("exact_match", {})
    sound = prepared.written(document, (), "so it is #### 24")
    assert (fault_of(sound), sound.metrics["exact_match"], sound.other) == (None, 1.0, {WRITTEN: "so it is #### 24"})


@pytest.mark.slow
def test_a_store_with_texts_is_sound(tiny_model_folder: Path, tmp_path: Path) -> None:
    study(tiny_model_folder, tmp_path, [])
    assert check(tmp_path / "store.duckdb", 1).sound


@pytest.mark.slow
def test_gsm8k_on_a_tiny_model(tiny_model_folder: Path, tmp_path: Path) -> None:
    texts = same_as_lm_eval(tiny_model_folder, tmp_path, {}, ("Attn 0", "FFN 3"), 6)
    assert len(set(texts)) > 6


SHORT = {"num_fewshot": 1, "generation_kwargs": {"until": ["Question:"], "do_sample": False, "max_gen_toks": 32}}
"""GSM8K with one example and short answers, because the default model takes its time."""


@pytest.mark.slow
def test_it_on_the_default_model(default_model_folder: Path, tmp_path: Path) -> None:
    texts = same_as_lm_eval(default_model_folder, tmp_path, SHORT, ("Attn 0", "FFN 11"), 2)
    assert len(set(texts)) == 6


@pytest.mark.slow
def test_it_on_the_default_model_with_longer_answers(default_model_folder: Path, tmp_path: Path) -> None:
    longer = {"num_fewshot": 3, "generation_kwargs": {"until": ["Question:"], "do_sample": False}}
    texts = same_as_lm_eval(default_model_folder, tmp_path, longer, LABELS, 5)
    assert any("####" in text for text in texts)
