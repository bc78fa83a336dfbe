"""Fingerprints are the same in every process, and differ whenever a number might differ."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from types import FunctionType

import pytest

from core.engine.encoding import RequestEncoder
from core.engine.fetch import find_model
from core.engine.load import load_model
from core.tasks.build import build_task
from core.tasks.expand import source_of
from core.tasks.json_value import json_value
from core.tasks.prepare import PreparedTask, prepare_task

ROWS: dict[str, list[dict[str, object]]] = {
    "winogrande": [
        {"sentence": f"the cat {i} saw that _ ran", "option1": "cat", "option2": "dog", "answer": "1"} for i in range(4)
    ],
    "hellaswag": [
        {"activity_label": "Running", "ctx_a": f"she {i} runs", "ctx_b": "then", "endings": ["a", "b"], "label": "0"}
        for i in range(4)
    ],
    "piqa": [{"goal": f"goal {i}", "sol1": "a", "sol2": "b", "label": 0} for i in range(4)],
    "cola": [{"sentence": f"he {i} goes", "label": i % 2} for i in range(4)],
    "mrpc": [{"sentence1": f"he {i} goes", "sentence2": "he went", "label": i % 2} for i in range(4)],
}


@pytest.fixture(scope="module")
def encoder(tiny_model_folder: Path) -> RequestEncoder:
    source = find_model(str(tiny_model_folder), revision=None, offline=True, narrate=print)
    return RequestEncoder(load_model(source, device="cpu"))


def write(path: Path, rows: list[Mapping[str, object]]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def prepare(
    encoder: RequestEncoder, task: str, data: Path, num_fewshot: int | None = None, *, chat: bool = False
) -> PreparedTask:
    built = build_task(task, source_of(task), data=data, num_fewshot=num_fewshot, offline=True, narrate=print)
    return prepare_task(built, encoder, limit=None, order="file", seed=0, apply_chat_template=chat)


@pytest.mark.parametrize("task", ["winogrande", "hellaswag", "piqa"])
def test_a_task_built_again_is_the_same_task(encoder: RequestEncoder, tmp_path: Path, task: str) -> None:
    """Also tasks that functions define, whose addresses in memory differ each time."""
    data = write(tmp_path / "rows.jsonl", ROWS[task])
    one, other = prepare(encoder, task, data), prepare(encoder, task, write(tmp_path / "copy.jsonl", ROWS[task]))
    assert one.record == other.record
    assert one.data.fingerprint == other.data.fingerprint
    assert [document.record for document in one.documents] == [document.record for document in other.documents]


def function_in(path: Path, text: str) -> FunctionType:
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.score


def test_a_function_is_what_its_file_says_not_where_it_lies_in_memory(tmp_path: Path) -> None:
    text = "helper = 1\ndef score(doc):\n    return helper\n"
    one, same = (function_in(tmp_path / "utils.py", text) for _ in range(2))
    assert one is not same
    here = json_value({"process_results": one})
    assert here == json_value({"process_results": same})
    assert " at 0x" not in json.dumps([here, json_value(object())])
    assert json_value({"process_results": function_in(tmp_path / "utils.py", text.replace("1", "2"))}) != here


def test_prompt_settings_are_the_tasks_and_rows_are_the_datas(encoder: RequestEncoder, tmp_path: Path) -> None:
    data = write(tmp_path / "rows.jsonl", ROWS["piqa"])
    plain, shots, chat = (
        prepare(encoder, "piqa", data),
        prepare(encoder, "piqa", data, num_fewshot=1),
        prepare(encoder, "piqa", data, chat=True),
    )
    assert len({one.record.fingerprint for one in (plain, shots, chat)}) == 3
    assert len({one.documents[0].record.key for one in (plain, shots, chat)}) == 3
    assert {one.data.fingerprint for one in (shots, chat)} == {plain.data.fingerprint}
    changed = prepare(
        encoder, "piqa", write(tmp_path / "more.jsonl", [*ROWS["piqa"][:3], {**ROWS["piqa"][3], "label": 1}])
    )
    assert changed.record == plain.record
    assert changed.data.fingerprint != plain.data.fingerprint
    same, other = ([d.record.key for d in one.documents] for one in (plain, changed))
    assert same[:3] == other[:3]
    assert same[3] != other[3]  # the gold answer is part of a document


def test_doc_id_counts_what_the_task_makes_of_the_rows(encoder: RequestEncoder, tmp_path: Path) -> None:
    """This task's process_docs drops questions that have no answer; lm-eval numbers what is left."""
    rows = [{"question": f"q{i}", "candidates": list("abcd"), "answer": answer} for i, answer in enumerate([0, 9, 2])]
    documents = prepare(encoder, "eus_exams_es_ejadministrativo", write(tmp_path / "rows.jsonl", rows)).documents
    assert [document.record.doc_id for document in documents] == [0, 1]
    assert "q2" in documents[1].record.prompt


@pytest.mark.parametrize(("task", "means", "others"), [("cola", (), ("mcc",)), ("mrpc", ("acc",), ("f1",))])
def test_metrics_that_are_no_means_are_kept_apart(
    encoder: RequestEncoder, tmp_path: Path, task: str, means: tuple[str, ...], others: tuple[str, ...]
) -> None:
    prepared = prepare(encoder, task, write(tmp_path / "rows.jsonl", ROWS[task]))
    assert (prepared.record.mean_metrics, prepared.record.other_metrics) == (means, others)
    outcome = prepared.outcome(prepared.documents[1], (), [-2.0, -1.0], [False, False])
    assert dict(outcome.metrics) == dict.fromkeys(means, 1.0)
    assert dict(outcome.other) == {name: [1, 1] for name in others}  # gold and prediction, for lm-eval to aggregate
