"""Paths that can be no store: refused in a sentence, without waiting and without a change."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import CornerstoneError, Mend
from store.maintenance.check import check
from store.maintenance.salvage import salvage
from store.recorder import StoreRecorder
from store.results import Results
from tests.support.store_records import assignment, documents, run


def _fifo(path: Path) -> Path:
    os.mkfifo(path)
    return path


def _link_to_fifo(path: Path) -> Path:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to(path.with_name("pipe"))
    return path


def _socket(path: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))
    return path


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _loop(path: Path) -> Path:
    path.symlink_to(path)
    return path


def _below_a_long_folder(path: Path) -> Path:
    return path.parent / ("d" * 300) / "results.duckdb"


def _device(_path: Path) -> Path:
    return Path("/dev/zero")


def _no_utf8(path: Path) -> Path:
    return path.with_name(os.fsdecode(b"caf\xe9.duckdb"))


def _no_utf8_that_is_there(path: Path) -> Path:
    _no_utf8(path).write_bytes(b"")
    return _no_utf8(path)


_PLACES = {
    _fifo: "is a pipe, not a store",
    _link_to_fifo: "is a pipe, not a store",
    _socket: "is a socket, not a store",
    _folder: "is a folder, not a store",
    _device: "is a device, not a store",
    _loop: "symbolic links",
    _below_a_long_folder: "File name too long",
    lambda path: path.with_name("n" * 300): "File name too long",
    lambda path: path.with_name("a\0b"): "null character",
    _no_utf8: "no name that is not valid UTF-8",
    _no_utf8_that_is_there: "no name that is not valid UTF-8",
}


@pytest.mark.parametrize(("make", "said"), _PLACES.items(), ids=lambda value: getattr(value, "__name__", None))
def test_a_place_of_another_kind_is_refused_at_once(tmp_path: Path, make: Callable[[Path], Path], said: str) -> None:
    path = make(tmp_path / "s.duckdb")
    before = sorted(os.listdir(tmp_path))
    recorder, asked = StoreRecorder(path, patience=600), assignment(documents([0]), [()])
    uses = (
        Results(path, patience=600).runs,
        lambda: recorder.begin(run()),
        lambda: recorder.stored(asked),
        lambda: recorder.values(asked, "acc"),
        recorder.writers,
    )
    for use in uses:
        with pytest.raises(CornerstoneError, match=said) as refused:
            use()
        assert refused.value.mend == Mend.OTHER_STORE
        assert str(refused.value).isprintable()
    assert sorted(os.listdir(tmp_path)) == before


def _endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("ending", [".wal", ".wal.checkpoint", ".wal.recovery"])
@pytest.mark.parametrize(("make", "kind"), [(os.mkfifo, "pipe"), (os.mkdir, "folder"), (_endless, "device")])
def test_a_log_of_another_kind_is_refused_at_once(
    tmp_path: Path, make: Callable[[Path], object], kind: str, ending: str
) -> None:
    path = tmp_path / "s.duckdb"
    StoreRecorder(path).begin(run())
    make(tmp_path / f"s.duckdb{ending}")
    for use in (
        Results(path).runs,
        lambda: StoreRecorder(path).finish("run1", "finished"),
        lambda: check(path, 1),
        lambda: salvage(path, tmp_path / "new.duckdb", force=False, patience=1),
    ):
        with pytest.raises(CornerstoneError, match=f"{ending} is a {kind} in the place of the log of a store"):
            use()


def test_a_name_that_leaves_no_room_for_the_log_is_refused_before_anything_is_stored(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 250)
    with pytest.raises(CornerstoneError, match="its name has more than 240 bytes"):
        StoreRecorder(path).begin(run())
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.getuid() == 0, reason="root may enter every folder")
def test_a_folder_that_may_not_be_entered_is_refused(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    for use in (Results(closed / "s.duckdb").runs, lambda: StoreRecorder(closed / "s.duckdb").begin(run())):
        with pytest.raises(CornerstoneError, match="Permission denied"):
            use()
    closed.chmod(0o700)


def test_a_link_to_a_store_that_is_not_there_yet_makes_the_store_that_it_names(tmp_path: Path) -> None:
    link, store = tmp_path / "link.duckdb", tmp_path / "store.duckdb"
    link.symlink_to(store)
    StoreRecorder(link).begin(run())
    assert link.is_symlink()
    assert [row.run for row in Results(store).runs().rows] == ["run1"]
