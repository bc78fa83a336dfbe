"""Joining a cluster: only with a token that nobody else can read."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import CornerstoneError, Mend
from core.workers.ray_token import refuse_no_token

TOKEN = "0123456789abcdef" * 4


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def written(file: Path, mode: int, text: str = TOKEN) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)
    return file


def test_without_a_token_the_way_to_make_one_is_told() -> None:
    with pytest.raises(CornerstoneError, match="there is none in") as caught:
        refuse_no_token()
    assert caught.value.mend == Mend.MAKE_RAY_TOKEN


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_of_the_user_alone_is_taken(home: Path, mode: int) -> None:
    written(home / ".ray" / "auth_token", mode)
    refuse_no_token()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused(home: Path, mode: int) -> None:
    file = written(home / ".ray" / "auth_token", mode)
    with pytest.raises(CornerstoneError, match=f"others can read .*{file}"):
        refuse_no_token()


def test_another_place_counts_in_place_of_the_usual_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(home / ".ray" / "auth_token", 0o600)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(home / "other"))
    with pytest.raises(CornerstoneError, match="other"):
        refuse_no_token()
    written(home / "other", 0o600)
    refuse_no_token()


@pytest.mark.parametrize("text", ["", " \n", "short"])
def test_a_token_that_is_no_secret_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    written(home / ".ray" / "auth_token", 0o600, text)
    with pytest.raises(CornerstoneError, match="too short"):
        refuse_no_token()
    monkeypatch.setenv("RAY_AUTH_TOKEN", text)
    with pytest.raises(CornerstoneError, match=r"RAY_AUTH_TOKEN is too short"):
        refuse_no_token()
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    refuse_no_token()
