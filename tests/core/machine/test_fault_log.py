"""Logs of unforeseen errors: private, bounded, without values; and a sentence even where none can be written."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from core.machine.fault_log import KEPT, fault_sentence, in_words, log_fault


def fault() -> Exception:
    secret = "hunter2"
    try:
        raise ValueError("first line\x1b[31m\nsecond line")
    except ValueError as error:
        assert secret
        return error


def test_the_log_has_the_traceback_and_is_the_users_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_very_secret")
    path = log_fault(fault())
    text = path.read_text()
    assert "in fault" in text
    assert "second line" in text
    assert "hunter2" not in text.replace('secret = "hunter2"', "")
    assert "hf_very_secret" not in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_sentence_names_the_fault_and_the_log() -> None:
    said = fault_sentence(fault())
    assert said.startswith("a fault of the program itself (ValueError: first line [31m); the traceback is in ")
    assert "\n" not in said
    assert Path(said.partition("is in ")[2].partition(",")[0]).is_file()


def test_only_the_last_logs_are_kept() -> None:
    paths = [log_fault(fault()) for _ in range(KEPT + 5)]
    assert len(list(paths[0].parent.iterdir())) == KEPT
    assert paths[-1].exists()


def test_where_no_log_can_be_written_the_sentence_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert "its log cannot be written (Not a directory)" in fault_sentence(fault())


def test_an_error_that_cannot_say_what_it_is_has_a_name() -> None:
    class SpeechlessError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert in_words(SpeechlessError()) == "a fault of the program itself (SpeechlessError)"
    assert "not enough memory" in in_words(MemoryError())
    assert in_words(ModuleNotFoundError("No module named 'x'")).startswith("the installation is broken")
