"""A disk that is full: what has to be written is told to have no room, nothing is changed, and nothing left."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import CornerstoneError
from store.maintenance.check import check
from store.maintenance.compact import compact
from store.maintenance.merge import merge
from store.maintenance.salvage import salvage
from tests.support.damaged_store import contents, copied, index_blocks, make_store, wipe
from tests.support.tiny_disk import tiny_disk


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("sound") / "results.duckdb")


def _merge(stores: list[Path], new: Path) -> object:
    return merge(stores, new, force=False, patience=1)


def _salvage(stores: list[Path], new: Path) -> object:
    return salvage(stores[0], new, force=False, patience=1)


def _refusal(work: Callable[[], object]) -> str:
    """Return how work was refused, nothing if it was done."""
    try:
        work()
    except CornerstoneError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("write", [pytest.param(_merge, marks=pytest.mark.slow), _salvage])
def test_a_new_store_for_which_there_is_no_room(
    sound: Path, tmp_path: Path, write: Callable[[list[Path], Path], object]
) -> None:
    other = make_store(tmp_path / "other.duckdb", seed=0, run_id="run2")
    size = sound.stat().st_size
    with tiny_disk(tmp_path / "disk", 64) as disk:
        new = disk.folder / "new.duckdb"
        for room in (0, 100_000, size // 2, size + 300_000, 2 * size + 300_000, 3 * size):
            disk.fill(room)
            said = _refusal(lambda: write([sound, other], new))
            if said:
                assert "No space left on device" in said, room
                assert str(disk.folder) in said
                assert ".cornerstone-" not in said
                assert os.listdir(disk.folder) == ["filler"]
            else:
                # What was not told to be lost is there.
                report = check(new, 1)
                assert (report.sound, report.outcomes) == (True, 240)
                new.unlink()
            disk.free()
        disk.fill(0)
        with pytest.raises(CornerstoneError, match="No space left"):
            write([sound, other], new)


@pytest.mark.slow
def test_a_store_that_cannot_be_compacted_stays(sound: Path, tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", 64) as disk:
        store = copied(sound, disk.folder / "results.duckdb")
        before = contents(store)
        for room in (0, 100_000, sound.stat().st_size // 2):
            disk.fill(room)
            with pytest.raises(CornerstoneError, match="No space left on device"):
                compact(store, 1)
            assert contents(store) == before
            disk.free()
        assert os.listdir(disk.folder) == [store.name]


def test_a_check_that_cannot_keep_what_it_needs_is_no_finding(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = copied(sound, tmp_path / "results.duckdb")
    wipe(store, index_blocks(store)[0] + 50, 100)
    with tiny_disk(tmp_path / "disk", 8) as disk:
        monkeypatch.setenv("TMPDIR", str(disk.folder))
        for room in (100_000, 2_500_000):  # without any room, Python takes another folder
            disk.fill(room)
            with pytest.raises(CornerstoneError, match="No space left on device") as refused:
                check(store, 1)
            assert "damaged" not in str(refused.value)
            disk.free()
