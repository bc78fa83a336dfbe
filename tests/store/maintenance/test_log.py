"""The log of a killed program: whole, cut off by the kill, or damaged in a way that DuckDB takes for its end."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from store.file.connection import SETTINGS
from store.file.place import log_of
from store.maintenance.blocks import HEADER, layout
from store.maintenance.log import Log, read_log
from tests.support.damaged_store import change, leave_log, make_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = make_store(tmp_path_factory.mktemp("log") / "results.duckdb")
    leave_log(path)
    return path


def _read(store: Path, content: bytes) -> Log:
    with store.open("rb") as file:
        start, planned = file.read(HEADER), layout(file)
    assert planned is not None
    return read_log(content, start, planned.checkpoint)


def test_the_log_that_a_killed_program_leaves_is_whole(store: Path) -> None:
    content = log_of(store).read_bytes()
    assert _read(store, content) == Log("whole", content)


def test_a_log_that_was_cut_off_is_whole_or_unfinished(store: Path) -> None:
    content = log_of(store).read_bytes()
    states = {_read(store, content[:size]).state for size in range(0, len(content), 97)}
    assert states <= {"whole", "unfinished"}
    assert "unfinished" in states


def test_a_flipped_byte_of_the_log_is_damage_wherever_it_is(store: Path) -> None:
    content = log_of(store).read_bytes()
    for place in [*range(9), *range(30, len(content), 211), len(content) - 1]:
        wrong = bytearray(content)
        wrong[place] ^= 0x11
        assert _read(store, bytes(wrong)).state == "damaged", place


def test_the_size_of_an_entry_with_a_wrong_byte_is_corrected(store: Path) -> None:
    content = log_of(store).read_bytes()
    size, at = 0, content.index(b"\xff\xff") + 2
    while at < len(content):
        for byte in range(8):
            wrong = bytearray(content)
            wrong[at + byte] ^= 0x40
            assert _read(store, bytes(wrong)) == Log("damaged", content), (at, byte)
        size = int.from_bytes(content[at : at + 8], "little")
        at += 16 + size


def test_a_log_that_is_in_the_store_already_is_outdated(store: Path, path: Path) -> None:
    path.write_bytes(store.read_bytes())
    log_of(path).write_bytes(log_of(store).read_bytes())
    content = log_of(path).read_bytes()
    change(path, "CHECKPOINT")
    assert _read(path, content).state == "outdated"


def test_duckdb_replays_what_is_called_right(store: Path, path: Path) -> None:
    content = bytearray(log_of(store).read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(store.read_bytes())
    found = _read(store, bytes(content))
    log_of(path).write_bytes(found.right)
    with duckdb.connect(str(path), read_only=True, config=SETTINGS) as db:
        counted = db.execute("SELECT count(*) FROM outcomes").fetchone()
    assert counted is not None
    assert 240 <= counted[0] <= 280
