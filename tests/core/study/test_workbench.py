"""A workbench keeps a loaded model and prepared tasks as long as their files are the same, by content."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from core.config.run_config import RunConfig, load_config
from core.errors import CornerstoneError
from core.records import fingerprint
from core.records.records import Outcome
from core.study import workbench
from core.study.left_out import LeftOut
from core.study.workbench import Workbench, open_workbench
from core.tasks.expand import Source

ROWS = [{"goal": f"goal {i}", "sol1": "a", "sol2": "b", "label": 0} for i in range(4)]


@pytest.fixture
def model(tiny_model_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_model_folder, tmp_path / "model")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write(tmp_path / "rows.jsonl", 0)


def write(path: Path, label: int) -> Path:
    path.write_text("\n".join(json.dumps({**row, "label": label}) for row in ROWS))
    return path


def config(model: Path, data: Path, **options: Any) -> RunConfig:
    return load_config(None, {"model": str(model), "tasks": [f"piqa={data}", "agreement"], "limit": 2, **options})


def labels(bench: Workbench) -> set[tuple[int, ...]]:
    return {document.record.gold for document in bench.tasks[0].documents}


def in_place(path: Path, change: bytes) -> None:
    """Write the first bytes anew; size and time stay."""
    status = path.stat()
    with path.open("r+b") as file:
        file.write(change)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)


def other_weights(model: Path) -> None:
    """Change one bit of the last weight; size and time stay."""
    path = model / "model.safetensors"
    status, content = path.stat(), bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.slow
def test_what_has_not_changed_is_kept(model: Path, data: Path) -> None:
    first = open_workbench(config(model, data))
    again = open_workbench(config(model, data, schedule="windows"), last=first)
    assert again.model is first.model
    assert [one is other for one, other in zip(again.tasks, first.tasks, strict=True)] == [True, True]


@pytest.mark.slow
@pytest.mark.parametrize("change", ["weights", "config", "tokenizer", "renamed"])
def test_a_model_whose_files_changed_is_loaded_again(change: str, model: Path, data: Path, tmp_path: Path) -> None:
    first = open_workbench(config(model, data))
    match change:
        case "weights":
            other_weights(model)
        case "config":
            content = json.loads((model / "config.json").read_text())
            (model / "config.json").write_text(json.dumps({**content, "rms_norm_eps": 1e-3}))
        case "tokenizer":
            path = model / "tokenizer_config.json"
            path.write_text(json.dumps({**json.loads(path.read_text()), "note": 1}))
        case "renamed":
            other = shutil.copytree(model, tmp_path / "other")
            other_weights(other)
            model.rename(tmp_path / "gone")
            other.rename(model)
    assert not first.holds(config(model, data))
    again = open_workbench(config(model, data), last=first)
    assert again.model is not first.model
    assert again.model.record.fingerprint != first.model.record.fingerprint


@pytest.mark.slow
def test_a_model_that_is_gone_is_told(model: Path, data: Path) -> None:
    first = open_workbench(config(model, data))
    shutil.rmtree(model)
    assert not first.holds(config(model, data))
    with pytest.raises(CornerstoneError, match="no model"):
        open_workbench(config(model, data), last=first)


@pytest.mark.slow
@pytest.mark.parametrize("keys", [{"dtype": "bfloat16"}, {"device": "cpu"}])
def test_another_way_to_load_it_is_another_model(keys: dict[str, str], model: Path, data: Path) -> None:
    first = open_workbench(config(model, data))
    assert not first.holds(config(model, data, **keys))


@pytest.mark.slow
def test_data_that_changed_are_prepared_again(model: Path, data: Path) -> None:
    first = open_workbench(config(model, data))
    write(data, 1)
    again = open_workbench(config(model, data), last=first)
    assert (labels(first), labels(again)) == ({(0,)}, {(1,)})
    assert (again.model is first.model, again.tasks[1] is first.tasks[1]) == (True, True)


@pytest.mark.slow
def test_data_of_the_same_size_and_time_are_prepared_again(model: Path, data: Path) -> None:
    first = open_workbench(config(model, data))
    in_place(data, b'{"goal": "GOAL')
    again = open_workbench(config(model, data), last=first)
    assert again.tasks[0] is not first.tasks[0]
    assert again.tasks[1] is first.tasks[1]


def test_data_that_change_while_they_are_read_are_refused(
    model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = workbench.build_task

    def meanwhile(name: str, source: Source, **how: Any) -> Any:
        built = build(name, source, **how)
        write(data, 1)
        return built

    monkeypatch.setattr(workbench, "build_task", meanwhile)
    with pytest.raises(CornerstoneError, match=r"rows\.jsonl changed while it was read"):
        open_workbench(config(model, data))


@pytest.mark.slow
def test_weights_that_change_while_they_are_loaded_are_refused(
    model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.engine import load

    identify = load.model_fingerprint

    def meanwhile(folder: Path, dtype: str, **how: Any) -> str:
        other_weights(folder)
        return identify(folder, dtype, **how)

    monkeypatch.setattr(load, "model_fingerprint", meanwhile)
    with pytest.raises(CornerstoneError, match=r"model\.safetensors changed while the model was loaded"):
        open_workbench(config(model, data))


@pytest.mark.slow
def test_a_forced_check_reads_all_files_once(model: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    digest = fingerprint.file_digest

    def noted(path: Path, *, check: bool = False) -> str:
        checked.extend([path.name] * check)
        return digest(path, check=check)

    monkeypatch.setattr(fingerprint, "file_digest", noted)
    first = open_workbench(config(model, data))
    assert checked == []
    again = open_workbench(config(model, data, check_files=True), last=first)
    assert again.model is first.model
    assert {"model.safetensors", "tokenizer.json"} <= set(checked)
    checked.clear()
    open_workbench(config(model, data, check_files=True), last=again)
    assert checked == []
    open_workbench(config(model, data, check_files=True))
    assert "model.safetensors" in checked


@pytest.mark.slow
def test_a_model_is_asked_for_a_number_until_it_gave_one(
    model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setenv("XDG_CACHE_HOME", str(data.with_name("cache")))  # in which no model is known

    class NoNumber(LeftOut):
        def sound(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
            asked.append(outcomes)
            return []

    with monkeypatch.context() as patched:
        patched.setattr(workbench, "LeftOut", NoNumber)
        for count in (2, 4):
            with pytest.raises(CornerstoneError, match="gives no number for piqa"):
                open_workbench(config(model, data))
            assert len(asked) == count
    open_workbench(config(model, data))
    monkeypatch.setattr(workbench, "LeftOut", NoNumber)
    open_workbench(config(model, data))
    assert len(asked) == 4
