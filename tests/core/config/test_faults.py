"""Faults of models, data files and configurations: one sentence each, before any work."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.config.run_config import load_config
from core.engine.encoding import RequestEncoder
from core.engine.fetch import find_model
from core.engine.load import LoadedModel, load_model
from core.errors import CornerstoneError
from core.tasks.build import build_task
from core.tasks.expand import source_of
from core.tasks.prepare import PreparedTask, prepare_task

ROW = {"question": "what is up?", "choices": {"text": ["a", "b"], "label": ["A", "B"]}, "answerKey": "A"}


def load(path: Path) -> LoadedModel:
    return load_model(find_model(str(path), revision=None, offline=True, narrate=print), device="cpu")


@pytest.fixture(scope="module")
def encoder(tiny_model_folder: Path) -> RequestEncoder:
    return RequestEncoder(load(tiny_model_folder))


def prepare(encoder: RequestEncoder, task: str, data: Path | None, num_fewshot: int | None = None) -> PreparedTask:
    built = build_task(task, source_of(task), data=data, num_fewshot=num_fewshot, offline=True, narrate=print)
    return prepare_task(built, encoder, limit=None, order="file", seed=0, apply_chat_template=False)


def one_sentence(raised: pytest.ExceptionInfo[CornerstoneError]) -> str:
    text = str(raised.value)
    assert "\n" not in text
    return text


def set_config(key: str, value: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))

    return change


def cut(name: str, length: int) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:length]) and None


def forget_tokenizer(folder: Path) -> None:
    for path in folder.glob("tokenizer*"):
        path.unlink()


DAMAGE = {
    "lacks 18 weights that its config.json asks for, .* such as model.layers.4": set_config("num_hidden_layers", 6),
    "lacks 39 weights that its config.json asks for, or has them in another shape": set_config("hidden_size", 32),
    "'bert' is an encoder, whose tokens see those after them": set_config("model_type", "bert"),
    "cannot load .*no_such_model": set_config("model_type", "no_such_model"),
    "cannot load .*: .*num_hidden_layers": set_config("num_hidden_layers", "many"),
    "cannot load .*header": cut("model.safetensors", 100),
    "cannot load .* not a valid JSON file": cut("config.json", 20),
    "cannot load .*: Couldn't instantiate the backend tokenizer from one of: .+": forget_tokenizer,
}


@pytest.mark.parametrize("sentence", DAMAGE)
def test_a_damaged_model_is_refused(sentence: str, tiny_model_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_model_folder, tmp_path / "model")
    DAMAGE[sentence](folder)
    with pytest.raises(CornerstoneError, match=sentence) as raised:
        load(folder)
    one_sentence(raised)


@pytest.mark.parametrize("content", [b"", b"GGUFxxxx", b"GGUF" + b"\xff" * 400])
def test_a_file_that_is_no_gguf_is_refused(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "x.gguf"
    path.write_bytes(content)
    with pytest.raises(CornerstoneError, match=r"cannot read .*x\.gguf as a GGUF model \(.+\)") as raised:
        load(path)
    one_sentence(raised)


def changed(**fields: object) -> str:
    return json.dumps({**ROW, **fields})


BAD_DATA = {
    "has no rows": "\n \n",
    "begins with a byte-order mark": "\ufeff" + json.dumps(ROW),
    "line 1: arc_easy needs a JSON object, this is a list": json.dumps([ROW]),
    "line 2: .*the gold answer 'Z' is none of the choices": f"{json.dumps(ROW)}\n{changed(answerKey='Z')}",
    "cannot use the data .*the gold answer 'Z' is none of the choices": changed(answerKey="Z"),
    "line 1: .*a choice is empty": changed(choices={"text": ["", "b"], "label": ["A", "B"]}),
    "line 2: a choice is empty": json.dumps(ROW) + "\n" + changed(choices={"text": ["a", ""], "label": ["A", "B"]}),
    "does not fit the model's context of 512": changed(choices={"text": ["word " * 600, "b"], "label": ["A", "B"]}),
}


@pytest.mark.parametrize("sentence", BAD_DATA)
def test_bad_data_is_told_with_its_place(sentence: str, encoder: RequestEncoder, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(BAD_DATA[sentence], encoding="utf-8")
    with pytest.raises(CornerstoneError, match=sentence) as raised:
        prepare(encoder, "arc_easy", path)
    assert str(path) in one_sentence(raised)


@pytest.mark.parametrize(("labels", "line"), [(["0", "1"], 1), ([0.5], 1), ([-1], 1), ([0, 1, 2], 3)])
def test_a_gold_answer_is_the_number_of_a_choice(
    labels: list[object], line: int, encoder: RequestEncoder, tmp_path: Path
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps({"goal": "g", "sol1": "a", "sol2": "b", "label": label}) for label in labels))
    sentence = f"line {line}: the gold answer {labels[line - 1]!r} is none of its 2 choices"
    with pytest.raises(CornerstoneError, match=sentence):
        prepare(encoder, "piqa", path)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["arc_easy", "mmlu_anatomy"], ids=["drawn at random", "the first rows"])
def test_examples_that_the_data_cannot_give_are_refused(task: str, encoder: RequestEncoder, tmp_path: Path) -> None:
    row = ROW if task == "arc_easy" else {"question": "q", "choices": ["a", "b", "c", "d"], "answer": 0}
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps({**row, "question": f"q{i}"}) for i in range(3)))
    assert len(prepare(encoder, task, path, num_fewshot=2).documents) == 3
    with pytest.raises(CornerstoneError, match=r"has 3 rows, and 3 examples .* need 4; .*num_fewshot"):
        prepare(encoder, task, path, num_fewshot=3)


def test_a_task_whose_code_needs_what_is_not_installed_is_refused(
    encoder: RequestEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(path: Path, **_options: bool) -> None:
        raise ModuleNotFoundError("No module named 'sacrebleu'")

    monkeypatch.setattr("core.tasks.definition.load_yaml", load)
    with pytest.raises(
        CornerstoneError, match=r"the code of arc_easy cannot be imported \(No module named 'sacrebleu'"
    ):
        prepare(encoder, "arc_easy", None)


def test_a_document_that_cannot_be_scored_is_told_before_it_is_evaluated(
    encoder: RequestEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = build_task("agreement", source_of("agreement"), data=None, num_fewshot=None, offline=True, narrate=print)
    monkeypatch.setattr(built.task, "process_results", lambda doc, results: {"acc": float(doc["no such field"])})
    with pytest.raises(CornerstoneError, match=r"line 1: agreement cannot be scored \(the field 'no such field' is"):
        prepare_task(built, encoder, limit=1, order="file", seed=0, apply_chat_template=False)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"tasks": ["agreement"], "seed": 2**63}, "seed: should be less than 9223372036854775808"),
        ({"tasks": ["arc_easy="]}, "no file after = in 'arc_easy='"),
        (
            {"tasks": ["agreement"], "device": "tpu"},
            "device: should be auto, cpu, mps, spread, cuda, or one of several such as cuda:1, not 'tpu'",
        ),
        (
            {"tasks": ["agreement"], "ray": "nowhere"},
            "ray: should be the address of a Ray cluster as HOST:PORT, such as node1:6379, not 'nowhere'",
        ),
        ({"tasks": [{"nam": "agreement"}]}, "unknown key 'nam', did you mean 'name'"),
        ({"tasks": [5]}, "the first task: should be a task's name, or a mapping with `name:`, not 5"),
    ],
)
def test_a_wrong_value_of_a_run_is_named(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(CornerstoneError, match=sentence) as raised:
        load_config(None, options)
    one_sentence(raised)


def test_a_configuration_is_found_by_its_own_name_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_config(Path("quickstart"), {}) == load_config(Path("quickstart.yaml"), {})
    with pytest.raises(CornerstoneError, match=r"no run configuration 'quickstart\.yml'"):
        load_config(Path("quickstart.yml"), {})


def test_the_store_may_be_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_config(None, {"tasks": ["agreement"], "store": Path("~/s.duckdb")}).store == tmp_path / "s.duckdb"
