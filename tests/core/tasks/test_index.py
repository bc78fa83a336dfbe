"""The names that lm-eval knows: read once, told about, and then remembered."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from core.errors import CornerstoneError
from core.tasks import index as task_index
from core.tasks.expand import source_of
from core.tasks.index import lm_eval_folder, lm_eval_tasks, runnable_names

ROWS = [
    ["arc", "group", None, [["arc_easy"], [], [["arc_easy", 25]], [["acc", True]], None]],
    ["arc_easy", "task", "arc/arc_easy.yaml", ["multiple_choice", None]],
    ["drawn", "task", None, ["generate_until", "it draws texts at random"]],
    ["squad", "task", None, ["python", None]],
]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the place of the index; a stand-in for its reader finds a task and a group."""
    path = tmp_path / "index.json"

    def read(*_: Any, **__: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 0, stdout="lm-eval says hello\n" + json.dumps(ROWS) + "\n", stderr="")

    monkeypatch.setattr(task_index, "index_file", lambda: path)
    monkeypatch.setattr(task_index.subprocess, "run", read)
    return path


def test_reading_the_names_is_told_the_first_time_only(index: Path) -> None:
    said: list[str] = []
    first = lm_eval_tasks(said.append)
    assert index.is_file()
    assert lm_eval_tasks(said.append) == first
    assert said == ["reading which tasks lm-eval has (about 15 s, once)"]
    assert first[1].definition == lm_eval_folder() / "arc" / "arc_easy.yaml"


def test_a_row_says_what_a_name_stands_for(index: Path) -> None:
    group, task, drawn, python = lm_eval_tasks()
    assert (group.members, group.shots, group.weights) == (("arc_easy",), (("arc_easy", 25),), (("acc", True),))
    assert (task.refusal, runnable_names()) == (None, ["arc", "arc_easy"])
    assert drawn.refusal == "it draws texts at random"
    assert python.refusal == "it is a class in Python, and only tasks in YAML are read"


def test_a_shipped_task_is_found_without_the_index(index: Path) -> None:
    source = source_of("agreement")
    assert (source.definition.name, source.data is not None, index.exists()) == ("agreement.yaml", True, False)
    assert source_of("arc_easy").definition == lm_eval_folder() / "arc" / "arc_easy.yaml"
    assert index.exists()


@pytest.mark.parametrize("damage", ["", "[]", "[" * 100_000, '{"about": {}, "fact": []}', "half", "changed", "dots"])
def test_a_damaged_index_is_ignored_and_made_again(index: Path, damage: str) -> None:
    first = lm_eval_tasks()
    text = index.read_text()
    match damage:
        case "half":
            index.write_text(text[: len(text) // 2])
        case "changed":
            index.write_text(text.replace("arc_easy", "arc_hard", 1))
        case "dots":
            index.write_text(text.replace("arc/arc_easy", "../arc_easy", 1))
        case _:
            index.write_text(damage)
    said: list[str] = []
    assert lm_eval_tasks(said.append) == first
    assert len(said) == 1
    assert index.read_text() == text


def test_an_index_of_another_version_is_not_read(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lm_eval_tasks()
    monkeypatch.setattr(task_index.metadata, "version", lambda _: "9.9")
    said: list[str] = []
    lm_eval_tasks(said.append)
    assert len(said) == 1


def test_an_index_that_cannot_be_kept_is_read_each_time(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_index, "index_file", lambda: index.parent / "no folder" / "index.json")
    said: list[str] = []
    assert lm_eval_tasks(said.append) == lm_eval_tasks(said.append)
    assert len(said) == 2


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "no JSON",
        "[]",
        '[["a", "b", "c", ""]]',
        '[["a", ["task"], null, ""]]',
        '[["arc", "task", "/etc/passwd", ["", null]]]',
        '[["arc", "task", null, "multiple_choice"]]',
        '[["arc", "task", null]]',
        '[["arc", "task", null, 5]]',
        '[["arc", "task", null, [[], [], [], [], null]]]',
        '[["arc", "group", null, ["multiple_choice", null]]]',
        '[["arc", "group", null, [[5], [], [], [], null]]]',
        '[["arc", "group", null, [["a"], [], [["a", true]], [], null]]]',
        '[["arc", "group", null, [["a"], [], [], [["acc", 1]], null]]]',
    ],
)
def test_a_reader_that_prints_no_names_is_told(index: Path, printed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    done = subprocess.CompletedProcess([], 0, stdout=printed, stderr="boom")
    monkeypatch.setattr(task_index.subprocess, "run", lambda *_, **__: done)
    with pytest.raises(CornerstoneError, match=r"lm-eval's tasks cannot be listed \(boom\)"):
        lm_eval_tasks()
    assert not index.exists()
