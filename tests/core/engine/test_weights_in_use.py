"""Weights that are overwritten while they are in use change the loaded model, and what it gives is not recorded."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from core.config.run_config import load_config
from core.engine.weights_in_use import WeightsInUse
from core.errors import CornerstoneError
from core.records.memory_recorder import MemoryRecorder
from core.study.listener import Callbacks
from core.study.workbench import run_config


def overwrite(path: Path) -> None:
    """Write the last bytes anew; size and time stay."""
    status = path.stat()
    with path.open("r+b") as file:
        file.seek(-64, os.SEEK_END)
        file.write(bytes(64))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def said(in_use: WeightsInUse) -> str | None:
    """Return the sentence with which weights are refused, or None."""
    try:
        in_use.refuse_changed()
    except CornerstoneError as error:
        return str(error)
    return None


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    path.write_bytes(os.urandom(1000))
    return path


def test_an_overwritten_file_is_refused(weights: Path) -> None:
    in_use = WeightsInUse([weights])
    assert said(in_use) is None
    overwrite(weights)
    assert "model.safetensors was overwritten while its model was evaluated" in str(said(in_use))
    assert said(WeightsInUse([weights])) is None


@pytest.mark.parametrize("change", ["touched", "renamed", "deleted", "replaced", "made unreadable"])
def test_a_file_whose_content_stays_is_not(change: str, weights: Path) -> None:
    in_use = WeightsInUse([weights])
    match change:
        case "touched":
            weights.touch()
        case "renamed":
            weights.rename(weights.with_name("other"))
        case "deleted":
            weights.unlink()
        case "replaced":
            other = weights.with_name("other")
            other.write_bytes(b"others")
            other.replace(weights)
        case _:
            weights.chmod(0)
    assert said(in_use) is None


def test_a_run_whose_weights_are_overwritten_records_nothing_of_them(tiny_model_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_model_folder, tmp_path / "model")
    recorder = MemoryRecorder()
    config = load_config(None, {"model": str(folder), "tasks": ["agreement"], "limit": 4, "device": "cpu"})
    batches = []

    def on_batch(done: float) -> None:
        batches.append(done)
        if len(batches) == 1:
            overwrite(folder / "model.safetensors")

    with pytest.raises(CornerstoneError, match="was overwritten while its model was evaluated"):
        list(run_config(config, "test", recorder, Callbacks(on_batch=on_batch)))
    assert batches
    assert len(recorder.outcomes) == 0
