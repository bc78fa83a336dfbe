"""Tasks of the user: what is wrong is told with file and field, and nothing of theirs runs unless it is trusted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jinja2
import pytest
from lm_eval.config.task import TaskConfig as LmEvalTask

from core.config.run_config import load_config
from core.errors import CornerstoneError, Mend
from core.study.early_checks import refuse_at_once
from core.tasks.build import BuiltTask, build_task
from core.tasks.expand import expand
from core.tasks.task_yaml import _FIELDS

SOUND = {
    "task": "mine",
    "output_type": "multiple_choice",
    "doc_to_text": "{{q}}",
    "doc_to_choice": "{{c}}",
    "doc_to_target": "g",
    "dataset_path": "json",
    "dataset_kwargs": {"data_files": {"test": "rows.jsonl"}},
    "test_split": "test",
}
WRITING = {
    "task": "mine",
    "output_type": "generate_until",
    "doc_to_text": "{{q}}",
    "doc_to_target": "{{c[g]}}",
    "dataset_path": "json",
    "dataset_kwargs": {"data_files": {"test": "rows.jsonl"}},
    "test_split": "test",
    "metric_list": [{"metric": "exact_match"}],
}
ROWS = [{"q": "one", "c": ["a", "b"], "g": 0}, {"q": "two", "c": ["a", "b"], "g": 1}]


def write(folder: Path, text: str | dict[str, Any], name: str = "mine.yaml") -> Path:
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    path = folder / name
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    return path


def built(path: Path, **options: Any) -> BuiltTask:
    found = expand(load_config(None, {"tasks": [str(path)], **options}))
    (task,) = found.config.tasks
    return build_task(
        task.name, found.sources[task.name], data=task.data, num_fewshot=None, offline=True, narrate=print
    )


def test_the_known_fields_are_those_of_lm_eval() -> None:
    assert set(_FIELDS) - {"group", "class"} == set(LmEvalTask.__dataclass_fields__)


def test_a_task_is_read_with_its_includes_and_its_data_beside_it(tmp_path: Path) -> None:
    own = {key: SOUND[key] for key in ("task", "doc_to_target")}
    write(tmp_path, {**SOUND, "task": "other", "doc_to_text": "no"}, "base.yaml")
    write(tmp_path, {"doc_to_text": "{{q}}?"}, "prompt.yaml")
    path = write(tmp_path, {**own, "include": ["base.yaml", "prompt.yaml"]})
    task = built(path)
    assert (task.name, task.origin) == ("mine", str(tmp_path.resolve() / "rows.jsonl"))
    assert [task.task.doc_to_text(doc) for doc in task.docs] == ["one?", "two?"]


WRONG: dict[str, str | dict[str, Any]] = {
    "line 2: not valid YAML": "task: mine\nx: [",
    "a task is a mapping of fields": "- mine",
    "names neither a task nor a group": "output_type: multiple_choice",
    "task should be a name without =, not 'a=b'": {**SOUND, "task": "a=b"},
    "unknown field 'doc_to_txt'; did you mean 'doc_to_text'": {**SOUND, "doc_to_txt": "x"},
    "doc_to_choice should be text or a list or a mapping or a function, not 5": {**SOUND, "doc_to_choice": 5},
    "num_fewshot should be a whole number or a function, not True": {**SOUND, "num_fewshot": True},
    r"tag should be text or a list of texts, not \[\['a'\]\]": {**SOUND, "tag": [["a"]]},
    "tag should be text or a list of texts, not 5": {"group": "mine", "task": ["a"], "tag": 5},
    "aggregate_metric_list should be a list or a mapping, not 5": {
        "group": "mine",
        "task": ["a"],
        "aggregate_metric_list": 5,
    },
    "entry 1 of metric_list should be a mapping with `metric:`": {**SOUND, "metric_list": ["acc"]},
    "entry 1 of metric_list: lm-eval has no metric 'bleurt'": {**SOUND, "metric_list": [{"metric": "bleurt"}]},
    "entry 1 of metric_list: hf_evaluate would fetch": {
        **SOUND,
        "metric_list": [{"metric": "acc", "hf_evaluate": True}],
    },
    "entry 1 of metric_list: lm-eval has no aggregation 'sum'": {
        **SOUND,
        "metric_list": [{"metric": "acc", "aggregation": "sum"}],
    },
    "output_type 'choice' is none of": {**SOUND, "output_type": "choice"},
    "filter_list is for tasks that generate": {**SOUND, "filter_list": [{"name": "x", "filter": []}]},
    "repeats is for tasks that generate": {**SOUND, "repeats": 3},
    "doc_to_image is no text": {**SOUND, "doc_to_image": "image"},
    "pickles are not read": {**SOUND, "dataset_path": "pandas"},
    "includes itself": {**SOUND, "include": "mine.yaml"},
    "base.yaml, which .*mine.yaml includes: No such file": {**SOUND, "include": "base.yaml"},
    "include should be the path of a file, not 5": {**SOUND, "include": 5},
    "appears twice": "task: mine\ntask: yours",
    "characters, which is too large|KiB, which is too large": "task: " + "x" * 300_000,
    "needs a text behind it": "task: mine\nprocess_docs: !function [a, b]",
    "it is a class in Python": {"task": "mine", "class": "os.system"},
    "it draws texts at random": {**WRITING, "generation_kwargs": {"do_sample": True, "temperature": 0.7}},
    "random \\(do_sample\\), so that": {**WRITING, "generation_kwargs": {"temperature": 0.2}},
    "it takes 4 texts of each document": {**WRITING, "repeats": 4},
    "filter_list should be a list, not 'regex'": {**WRITING, "filter_list": "regex"},
    "entry 1 of filter_list should have a `name:`": {**WRITING, "filter_list": [{"filter": []}]},
    "entry 1 of filter_list: each step should have a `function:`": {
        **WRITING,
        "filter_list": [{"name": "x", "filter": ["regex"]}],
    },
    "entry 2 of filter_list: lm-eval has no filter 'regexp'": {
        **WRITING,
        "filter_list": [
            {"name": "x", "filter": [{"function": "take_first"}]},
            {"name": "y", "filter": [{"function": "regexp"}]},
        ],
    },
    "two entries of filter_list are named 'y'": {
        **WRITING,
        "filter_list": [{"name": name, "filter": [{"function": "take_first"}]} for name in ("x", "y", "y")],
    },
    "it sets num_beams": {**WRITING, "generation_kwargs": {"num_beams": 2}},
    "it runs the code that the model writes": {**WRITING, "unsafe_code": True},
    "entry 1 of metric_list: lm-eval has no metric 'rogue'": {**WRITING, "metric_list": [{"metric": "rogue"}]},
    "'!!python/object|could not determine a constructor": "task: !!python/object/apply:os.system [ls]",
}


@pytest.mark.parametrize("sentence", WRONG)
def test_what_is_wrong_is_told_with_its_file_and_field(sentence: str, tmp_path: Path) -> None:
    path = write(tmp_path, WRONG[sentence])
    with pytest.raises(CornerstoneError, match=sentence) as raised:
        built(path)
    assert "mine" in str(raised.value)
    assert str(raised.value).isprintable()


CODE = "from pathlib import Path\nPath(__file__).with_name('ran').touch()\ndef text(doc):\n    return doc['q'] + '!'\n"


def test_code_runs_only_if_it_is_trusted(tmp_path: Path, tiny_model_folder: Path) -> None:
    (tmp_path / "code.py").write_text(CODE)
    path = write(tmp_path, json.dumps({**SOUND, "doc_to_text": "CODE"}).replace('"CODE"', "!function code.text"))
    config = load_config(None, {"model": str(tiny_model_folder), "tasks": [str(path)]})
    with pytest.raises(CornerstoneError, match=r"mine runs code of its own \(!function code\.text\)") as raised:
        refuse_at_once(config)
    assert raised.value.mend == Mend.TRUST_TASK_CODE
    with pytest.raises(CornerstoneError, match="only done if you trust it"):
        built(path)
    assert not (tmp_path / "ran").exists()
    task = built(path, trust_task_code=True)
    assert task.task.doc_to_text(task.docs[0]) == "one!"
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("include", [True, False])
def test_code_that_an_include_or_a_metric_names_is_code_too(include: bool, tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(CODE)
    text = json.dumps({**SOUND, "metric_list": [{"metric": "CODE", "aggregation": "mean"}]})
    path = write(tmp_path, text.replace('"CODE"', "!function code.text"), "base.yaml" if include else "mine.yaml")
    if include:
        path = write(tmp_path, {"task": "mine", "include": "base.yaml"})
    with pytest.raises(CornerstoneError, match="only done if you trust it"):
        built(path)
    assert not (tmp_path / "ran").exists()


def test_code_that_fails_or_is_not_there_is_told(tmp_path: Path) -> None:
    for code, said in (("1 / 0", "division by zero"), ("import nowhere_at_all", "nowhere_at_all"), ("", "no function")):
        (tmp_path / "code.py").write_text(code)
        path = write(tmp_path, json.dumps({**SOUND, "doc_to_text": "CODE"}).replace('"CODE"', "!function code.text"))
        with pytest.raises(CornerstoneError, match=f"the code of mine cannot be imported .*{said}"):
            built(path, trust_task_code=True)


def prompt_of(path: Path) -> str:
    task = built(path)
    return str(task.task.fewshot_context(task.docs[0], num_fewshot=0))


ESCAPES = (
    "{{ ''.__class__.__mro__ }}",
    "{{ cycler.__init__.__globals__.os.system('touch ran') }}",
    "{{ self|attr('__init__') }}",
    "{{ q['__class__'] }}",
)


@pytest.mark.parametrize("template", ESCAPES)
@pytest.mark.parametrize("field", ["doc_to_text", "doc_to_choice", "doc_to_target", "description"])
def test_a_template_reaches_nothing_but_the_document(
    field: str, template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path, {**SOUND, field: template})
    with pytest.raises((CornerstoneError, jinja2.TemplateError), match=r"unsafe|undefined"):
        prompt_of(path)
    assert not (tmp_path / "ran").exists()


def test_a_folder_is_read_whole_and_names_are_given_once(tmp_path: Path) -> None:
    write(tmp_path, SOUND, "a.yaml")
    write(tmp_path, SOUND, "b.yml")
    with pytest.raises(CornerstoneError, match=r"b\.yml and .*a\.yaml both define 'mine'"):
        expand(load_config(None, {"tasks": ["mine"], "include_path": [str(tmp_path)]}))
    (tmp_path / "b.yml").unlink()
    (tmp_path / "a.yaml").unlink()
    with pytest.raises(CornerstoneError, match="none of its YAML files names a task or a group"):
        expand(load_config(None, {"tasks": [f"{tmp_path}/"]}))
