"""The tests neither see nor change what a user of this machine has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.errors import CornerstoneError
from store.file.location import default_path
from store.results import Results
from tests.support.programs import cornerstone
from tui.explorer.keymap import keymap_path, read_keymap
from tui.explorer.session import last_session, remember, session_path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home with keys, results and a session, all unreadable."""
    home = tmp_path / "user"
    for name in (".config/cornerstone/keys.yaml", ".local/share/cornerstone/results.duckdb"):
        (home / name).parent.mkdir(parents=True)
        (home / name).write_text("[: not readable")
    monkeypatch.setenv("HOME", str(home))
    return home


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("home")
def test_a_users_keys_and_results_are_not_seen() -> None:
    assert read_keymap() == {}
    with pytest.raises(CornerstoneError, match="no results at"):
        Results().runs()


def test_programs_do_not_see_them_either_and_leave_them_alone(home: Path) -> None:
    before = files(home)
    done = cornerstone("results", "runs")
    assert done.returncode == 2
    assert "no results at" in done.stderr
    assert cornerstone("keys").returncode == 0
    remember(default_path(), last_session(default_path()))
    assert files(home) == before


def test_every_folder_is_the_tests_own(tmp_path: Path) -> None:
    for path in (keymap_path(), default_path(), session_path(default_path())):
        assert path.is_relative_to(tmp_path)


def test_the_hub_is_offline_and_its_cache_empty() -> None:
    from huggingface_hub import constants

    assert constants.HF_HUB_OFFLINE
    assert "cornerstone-tests-" in constants.HF_HUB_CACHE
    assert "HF_TOKEN" not in os.environ
