"""A converted model counts if it is whole: a conversion that was cut off, or a damaged folder, does not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.models.converted import converted_folder, declare_complete, is_complete

MANIFEST = "complete.json"


@pytest.fixture
def folder(tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = shutil.copytree(tiny_model_folder, converted_folder("tiny"))
    assert declare_complete(folder)
    return folder


def cut(name: str, length: int = -1) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:length])


def fill_with_zeros(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(bytes((folder / name).stat().st_size))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "weights cut off": cut("model.safetensors"),
    "weights without content": cut("model.safetensors", 0),
    "weights without header": cut("model.safetensors", 100),
    "no weights": lambda folder: (folder / "model.safetensors").unlink(),
    "no tokenizer": lambda folder: (folder / "tokenizer.json").unlink(),
    "tokenizer cut off": cut("tokenizer.json", 1000),
    "tokenizer without content": cut("tokenizer.json", 0),
    "config cut off": cut("config.json", 100),
    "config alone": lambda folder: [path.unlink() for path in folder.iterdir() if path.name != "config.json"],
}


def test_a_whole_folder_is_complete(folder: Path) -> None:
    assert is_complete(folder)


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("declared", [True, False])
def test_a_folder_that_is_not_whole_is_not_complete(damage: str, declared: bool, folder: Path) -> None:
    if not declared:
        (folder / MANIFEST).unlink()
    DAMAGE[damage](folder)
    assert not is_complete(folder)


def test_a_folder_from_before_there_were_lists_of_files_is_complete(folder: Path) -> None:
    (folder / MANIFEST).unlink()
    assert is_complete(folder)
    fill_with_zeros("model.safetensors")(folder)  # as a crash leaves a file whose content was not on the disk yet
    assert not is_complete(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"about": 1, "fact": {}}'])
def test_a_damaged_list_of_files_says_nothing(text: str, folder: Path) -> None:
    (folder / MANIFEST).write_text(text)
    assert not is_complete(folder)
