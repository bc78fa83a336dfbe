"""The settings file: read, checked, written whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import CornerstoneError
from tests.support.programs import cornerstone
from tui.settings import Settings, changed_settings, read_settings, settings_path, write_settings


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    settings_path().parent.mkdir()
    return settings_path()


def test_without_a_file_there_are_the_defaults(file: Path) -> None:
    assert read_settings() == Settings()
    file.write_text("")
    assert read_settings() == Settings()


def test_what_is_written_is_read_again(file: Path, tmp_path: Path) -> None:
    kept = Settings(
        theme="light", redraws=1.5, characters="ascii", bell=True, store=tmp_path / "ä [b].duckdb", keys={"a": "b"}
    )
    assert write_settings(kept) == file
    assert read_settings() == kept
    assert write_settings(Settings()) == file
    assert read_settings() == Settings()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("themes: dark", "no setting 'themes'; did you mean theme?"),
        ("zzz: 1", "no setting 'zzz'; there are theme"),
        ("theme: pink", "theme: input should be 'dark', 'light'"),
        ("redraws: 0", "redraws: input should be greater than"),
        ("redraws: .inf", "redraws: input should be"),
        ("bell: loud", "bell: input should be a valid boolean"),
        ("keys: [f2]", "keys: input should be a valid dictionary"),
        ("- dark", "expected lines such as"),
        ("a: b: c", "cannot be read as YAML"),
        ("theme: [*a]", "cannot be read as YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(file: Path, text: str, reason: str) -> None:
    file.write_text(text)
    with pytest.raises(CornerstoneError) as error:
        read_settings()
    assert str(file) in str(error.value)
    assert reason in str(error.value)


def test_a_change_is_checked() -> None:
    assert changed_settings(Settings(), redraws="2").redraws == 2
    with pytest.raises(CornerstoneError, match="redraws"):
        changed_settings(Settings(), redraws="")


def test_the_folder_of_the_file_may_be_missing_and_may_refuse(file: Path) -> None:
    file.parent.rmdir()
    write_settings(Settings(bell=True))
    assert read_settings().bell
    file.unlink()
    file.mkdir()
    with pytest.raises(CornerstoneError, match="is a folder"):
        write_settings(Settings())


def test_a_store_that_cannot_be_made_is_told_with_the_settings_that_name_it(file: Path) -> None:
    file.write_text("store: /nowhere/at/all/mine.duckdb\n")
    done = cornerstone("results", "runs")
    assert done.returncode == 2
    assert done.stderr.startswith(f"cornerstone: {file}: the store /nowhere/at/all/mine.duckdb cannot be made")
    assert cornerstone("results", "runs", "--store", str(file.parent / "mine.duckdb")).stderr.count("nowhere") == 0


def test_commands_take_the_store_of_the_settings(file: Path) -> None:
    file.write_text("store: mine.duckdb\n")
    done = cornerstone("results", "runs")
    assert done.returncode == 2
    assert str(file.parent / "mine.duckdb") in done.stderr
