"""The names that lm-eval knows: read once, told about, and then remembered."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from core.errors import CornerstoneError
from core.tasks import index as task_index
from core.tasks.index import find_task, lm_eval_folder, lm_eval_tasks


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the place of the index; a stand-in for its reader finds a task and a group."""
    path = tmp_path / "index.json"

    def read(*_: Any, **__: Any) -> subprocess.CompletedProcess[str]:
        path.write_text(json.dumps([["arc_easy", "task", "arc/arc_easy.yaml"], ["arc", "group", None]]))
        return subprocess.CompletedProcess([], 0)

    monkeypatch.setattr(task_index, "index_file", lambda: path)
    monkeypatch.setattr(task_index.subprocess, "run", read)
    return path


def test_reading_the_names_is_told_the_first_time_only(index: Path) -> None:
    said: list[str] = []
    first = lm_eval_tasks(said.append)
    assert index.is_file()
    assert lm_eval_tasks(said.append) == first
    assert said == ["reading which tasks lm-eval has (about 10 s, once)"]
    assert first[0].definition == lm_eval_folder() / "arc" / "arc_easy.yaml"


def test_a_shipped_task_is_found_without_the_index(index: Path) -> None:
    said: list[str] = []
    definition, data = find_task("agreement", said.append)
    assert (definition.name, data is not None, said, index.exists()) == ("agreement.yaml", True, [], False)
    with pytest.raises(CornerstoneError, match="'arc' is a group of several tasks; name single ones, such as arc_easy"):
        find_task("arc", said.append)
    assert len(said) == 1
