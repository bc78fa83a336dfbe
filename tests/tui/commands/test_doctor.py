"""`cornerstone doctor` finds what keeps a run from working, and names what mends it."""

from __future__ import annotations

import sys
import threading
from importlib import metadata
from pathlib import Path

import pytest

from core.engine.number_formats import fast_formats
from tests.support.damaged_store import blocks_of, make_store, wipe
from tests.support.programs import cornerstone
from tui.commands import doctor


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return make_store(tmp_path / "results.duckdb")


def test_a_sound_store_is_fine(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor._store(store)
    assert "1 run, " in capsys.readouterr().out


def test_a_store_that_is_not_there_yet_is_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor._store(tmp_path / "none")
    (tmp_path / "stub").write_bytes(b"")
    assert doctor._store(tmp_path / "stub")
    assert capsys.readouterr().out.count("none yet") == 2


def test_a_damaged_store_is_named(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for start in blocks_of(store, "outcomes", "logprobs"):
        wipe(store, start, 1000)
    assert not doctor._store(store)
    out = capsys.readouterr().out
    assert "is damaged" in out
    assert f"`cornerstone store check {store}` tells more" in out


@pytest.mark.slow
def test_what_is_found_ends_with_1_and_wrong_use_with_2(store: Path, tmp_path: Path) -> None:
    for start in blocks_of(store, "outcomes", "logprobs"):
        wipe(store, start, 1000)
    done = cornerstone("doctor", "--store", store)
    assert done.returncode == 1
    assert "is damaged" in done.stdout
    done = cornerstone("doctor", "--store", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_the_dtypes_that_are_fast_here_are_told(tmp_path: Path) -> None:
    told = cornerstone("doctor", "--store", tmp_path / "none.duckdb").stdout
    (line,) = [line for line in told.splitlines() if line.startswith("fast dtypes")]
    assert line.split("(")[0].split(maxsplit=2)[2].strip() == ", ".join(fast_formats())
    assert "float32" in fast_formats()


def test_what_takes_long_is_told_meanwhile(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(doctor, "_SLOW_S", 0.0)
    told = threading.Event()

    def narrate(text: str) -> None:
        print(text, file=sys.stderr)
        told.set()

    monkeypatch.setattr(doctor, "narrate", narrate)
    with doctor._told_if_slow("reading the store"):
        assert told.wait(240)
    assert capsys.readouterr().err == "reading the store\n"


def test_nothing_is_told_of_what_is_quick(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(doctor, "_SLOW_S", 3600.0)
    with doctor._told_if_slow("reading the store"):
        pass
    assert capsys.readouterr().err == ""


def test_a_version_out_of_bounds_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor._bounds()
    installed = metadata.version

    def version(name: str) -> str:
        if name == "gguf":
            raise metadata.PackageNotFoundError(name)
        return "0.1" if name == "duckdb" else installed(name)

    monkeypatch.setattr(metadata, "version", version)
    assert not doctor._bounds()
    out = capsys.readouterr().out
    assert "duckdb 0.1 is not >=" in out
    assert "gguf is missing" in out


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor._folder("cache", tmp_path / "not" / "made" / "yet")
    (tmp_path / "file").write_text("")
    assert not doctor._folder("cache", tmp_path / "file" / "below")
    assert "may not be written" in capsys.readouterr().out


def test_a_full_disk_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "_LEAST_ROOM", 1e18)
    assert not doctor._folder("state", tmp_path)
    assert "make room" in capsys.readouterr().out


def test_a_folder_of_sockets_that_others_may_enter_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("core.machine.runtime_folder._base", lambda: tmp_path)
    assert doctor._evaluators_folder()
    next(tmp_path.iterdir()).chmod(0o755)
    assert not doctor._evaluators_folder()
    assert "not a folder of yours alone" in capsys.readouterr().out
