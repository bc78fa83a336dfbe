"""Tasks over local files: the documents of ordinary files are those of other readers, and faults have their line."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets
import pytest

from core.errors import CornerstoneError
from core.machine.quiet_libraries import quiet_libraries
from core.tasks.build import BuiltTask, build_task
from core.tasks.expand import source_of
from core.tasks.index import shipped_tasks

BENCHMARKS = ("arc_challenge", "arc_easy", "boolq", "openbookqa", "piqa", "winogrande")


def built(name: str, data: Path | None, num_fewshot: int | None = None) -> BuiltTask:
    return build_task(name, source_of(name), data=data, num_fewshot=num_fewshot, offline=True, narrate=print)


def written(folder: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def read_by_others(path: Path, folder: Path) -> datasets.Dataset:
    with quiet_libraries():
        return datasets.load_dataset("json", data_files={"test": str(path)}, cache_dir=str(folder))["test"]


def the_same(name: str, path: Path, folder: Path) -> None:
    """Hold the documents of a task against those that lm-eval would read of the same file."""
    ours, theirs = built(name, path).task.dataset["test"], read_by_others(path, folder)
    assert ours.features == theirs.features
    assert list(ours) == list(theirs)


@pytest.mark.parametrize("name", [task.name for task in shipped_tasks()])
def test_shipped_tasks_have_the_documents_that_they_ever_had(name: str, tmp_path: Path) -> None:
    the_same(name, next(task.data for task in shipped_tasks() if task.name == name), tmp_path)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_benchmarks_have_the_documents_that_they_ever_had(name: str, shared_tasks: Path, tmp_path: Path) -> None:
    the_same(name, shared_tasks / f"{name}.jsonl", tmp_path)


def test_missing_fields_nulls_and_numbers_are_read_as_ever(tmp_path: Path) -> None:
    sound = {"goal": "g", "sol1": "a", "sol2": "b", "label": 0}
    rows = [
        {**sound, "score": 1, "extra": {"a": 1, "b": None}},
        {**sound, "score": 2.5, "list": []},
        {**sound, "list": [1, None], "none": None, "extra": {"a": 2, "b": "x"}},
    ]
    the_same("piqa", written(tmp_path, rows), tmp_path)


def test_the_rows_are_no_part_of_what_identifies_the_task(tmp_path: Path) -> None:
    task = built("piqa", written(tmp_path, [{"goal": "g", "sol1": "a", "sol2": "b", "label": 0}])).task
    assert "custom_dataset" not in task.dump_config()


def test_text_that_looks_like_a_date_or_a_number_stays_text(tmp_path: Path) -> None:
    choices = ["2020-01-01", "2021-02-03T04:05:06Z"], ["3.10", "3.9"], ["1e5", "0x10"], ["True", "None"]
    rows = [
        {"question": "2020-01-01", "choices": {"text": texts, "label": ["A", "B"]}, "answerKey": "B"}
        for texts in choices
    ]
    for some in (rows[:1], rows):  # also where every row has dates
        task = built("arc_easy", written(tmp_path, some))
        assert [task.task.doc_to_choice(doc) for doc in task.docs] == list(choices[: len(some)])
        assert "2020-01-01\n" in task.task.doc_to_text(task.docs[0])
    rows = [{"text": "When?", "choices": texts, "gold": 1} for texts in choices]
    task = built("agreement", written(tmp_path, rows))
    assert [task.task.doc_to_choice(doc) for doc in task.docs] == list(choices)


def arc(choices: object, **fields: object) -> dict[str, Any]:
    return {"question": "what?", "choices": {"text": choices, "label": ["A", "B"]}, "answerKey": "A", **fields}


SOUND = arc(["a", "b"])
HELLASWAG = {"ctx_a": "a", "ctx_b": "b", "activity_label": "x", "endings": ["1", "2", "3", "4"], "label": "2"}
WRONG: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "line 1: agreement needs a list of texts in 'choices', not 'are'": (
        "agreement",
        [{"text": "t", "choices": "are", "gold": 0}],
    ),
    "line 2: .*the field 'choices.text' is a number here and text in line 1": (
        "arc_easy",
        [arc(["3.10", "3.9"]), arc([4, 5])],
    ),
    "line 1: .*its choices .doc_to_choice., from 'choices': a list of texts is needed, not .4, 5.": (
        "arc_easy",
        [arc([4, 5])],
    ),
    "line 1: .*its choices .doc_to_choice., from 'choices': it makes something that is no list": (
        "arc_easy",
        [arc("are")],
    ),
    "line 1: .*its answer .doc_to_target., from 'answerKey', 'choices': the gold answer 'C' is": (
        "arc_easy",
        [arc(["a", "b"], answerKey="C")],
    ),
    "line 1: .*its prompt .doc_to_text., from 'choices', 'question': 'choices' has 3 items, and item 3 is needed": (
        "mmlu_anatomy",
        [{"question": "q", "choices": ["a", "b", "c"], "answer": 0}],
    ),
    "line 1: .*its choices .doc_to_choice., from 'mc1_targets': 'mc1_targets' has no 'choices', or it is null": (
        "truthfulqa_mc1",
        [{"question": "q", "mc1_targets": {"labels": [1]}}],
    ),
    "line 2: .*'ctx_a' is null or missing": (
        "hellaswag",
        [HELLASWAG, {key: value for key, value in HELLASWAG.items() if key != "ctx_a"}],
    ),
}


@pytest.mark.parametrize("sentence", WRONG)
def test_rows_10_and_23_a_fault_has_its_file_line_and_field(sentence: str, tmp_path: Path) -> None:
    name, rows = WRONG[sentence]
    with pytest.raises(CornerstoneError, match=rf"rows\.jsonl, {sentence}"):
        built(name, written(tmp_path, rows))


def test_a_number_where_a_template_makes_text_works_as_in_lm_eval(tmp_path: Path) -> None:
    task = built("arc_easy", written(tmp_path, [{**SOUND, "question": 5}]))
    assert task.task.doc_to_text(task.docs[0]) == "Question: 5\nAnswer:"


def test_the_row_that_a_tasks_own_code_cannot_use_is_found_soon_and_without_progress_bars(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, [*[HELLASWAG] * 1999, {**HELLASWAG, "label": "x"}, *[HELLASWAG] * 100])
    began = time.process_time()
    with pytest.raises(CornerstoneError, match=r"rows\.jsonl, line 2000: hellaswag cannot use the data \(.*'x'"):
        built("hellaswag", path)
    assert time.process_time() - began < 10
    assert capfd.readouterr().err == ""


def test_a_value_that_a_task_looks_up_and_does_not_know_is_named_with_its_field(tmp_path: Path) -> None:
    row = {"sentence": "The _ is x", "option1": "a", "option2": "b", "answer": "3"}
    with pytest.raises(CornerstoneError, match=r"line 1: .*'3' in the field 'answer' is no value that it knows"):
        built("winogrande", written(tmp_path, [row]))
