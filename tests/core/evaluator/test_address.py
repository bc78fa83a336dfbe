"""Where an evaluator listens: a place that is short, this user's alone, and a store's own."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from core.errors import CornerstoneError
from core.evaluator import address, client


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("core.machine.runtime_folder._base", lambda: tmp_path)
    return tmp_path


def test_only_this_user_may_enter_the_folder(base: Path) -> None:
    before = os.umask(0)
    try:
        folder = address.runtime_folder()
    finally:
        os.umask(before)
    assert folder.parent == base
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert address.runtime_folder() == folder


@pytest.mark.parametrize("mode", [0o755, 0o710, 0o701, 0o777])
def test_a_folder_that_others_may_enter_is_refused(base: Path, mode: int) -> None:
    address.runtime_folder().chmod(mode)
    with pytest.raises(CornerstoneError, match="not a folder of yours alone"):
        address.socket_path(base / "s.duckdb")


def test_a_link_a_file_or_a_place_that_cannot_be_made_is_refused(base: Path) -> None:
    place = base / f"cornerstone-{os.getuid()}"
    elsewhere = base / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    place.symlink_to(elsewhere)
    with pytest.raises(CornerstoneError, match="not a folder of yours alone"):
        address.runtime_folder()
    place.unlink()
    place.symlink_to(base / "nowhere")
    with pytest.raises(CornerstoneError, match="not a folder of yours alone"):
        address.runtime_folder()
    place.unlink()
    place.write_text("")
    with pytest.raises(CornerstoneError, match="not a folder of yours alone"):
        address.runtime_folder()


def test_somebody_elses_folder_is_refused(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    somebody = os.getuid() + 1
    (base / f"cornerstone-{somebody}").mkdir(mode=0o700)
    monkeypatch.setattr(os, "getuid", lambda: somebody)
    with pytest.raises(CornerstoneError, match="not a folder of yours alone"):
        address.runtime_folder()


def test_a_path_is_short_however_long_the_stores_is(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a folder with a rather long name"] * 20) / "s.duckdb"
    assert len(os.fsencode(address.socket_path(deep))) < 100


def test_each_store_has_its_own_and_whatever_it_is_called_by_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = tmp_path / "one.duckdb", tmp_path / "other.duckdb"
    assert address.socket_path(one) != address.socket_path(other)
    other.symlink_to(one)
    assert address.socket_path(one) == address.socket_path(other)
    monkeypatch.chdir(tmp_path)
    assert address.socket_path(Path("one.duckdb")) == address.socket_path(one)
    assert len({address.socket_path(one), address.lock_path(one), address.log_path(one)}) == 3


async def test_where_no_folder_can_be_made_it_is_said(base: Path, tmp_path: Path) -> None:
    base.rmdir()
    with pytest.raises(CornerstoneError, match="cannot make"):
        address.runtime_folder()
    with pytest.raises(CornerstoneError, match="cannot make"):
        await client.connect_or_start(tmp_path / "s.duckdb", ["true"])
