"""The headers and blocks of a real file, byte by byte."""

from __future__ import annotations

import random
from pathlib import Path

import duckdb
import pytest

from store.file.connection import SETTINGS
from store.maintenance.blocks import Corrected, correct, damaged, is_duckdb, layout
from tests.support.damaged_store import BLOCK, HEADERS, change, flip, make_store, wipe


@pytest.fixture
def store(path: Path) -> Path:
    return make_store(path)


def _damaged(store: Path) -> list[int]:
    with store.open("rb") as file:
        return [one.offset for one in damaged(file)]


def test_a_sound_file_has_no_damage_and_the_size_that_its_header_says(store: Path) -> None:
    assert _damaged(store) == []
    with store.open("rb") as file:
        found = layout(file)
    assert found is not None
    assert (found.block_size, found.size) == (BLOCK, store.stat().st_size)


def test_a_flipped_byte_anywhere_is_found_in_its_header_or_block(store: Path) -> None:
    whole, draw = store.read_bytes(), random.Random(0)
    for place in [*(draw.randrange(HEADERS) for _ in range(10)), *(draw.randrange(len(whole)) for _ in range(20))]:
        flip(store, place)
        start = place // 4096 * 4096 if place < HEADERS else (place - HEADERS) // BLOCK * BLOCK + HEADERS
        assert _damaged(store) == [start], place
        assert is_duckdb(store)
        store.write_bytes(whole)


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return make_store(tmp_path / "other", seed=1)


def test_a_wrong_byte_of_a_header_is_corrected(store: Path, other: Path) -> None:
    whole = store.read_bytes()
    for place in (9, 20, 70, 1500, 4096 + 42, 4096 + 100, 8192 + 27, 8192 + 2000):
        flip(store, place)
        assert correct(store, other) == Corrected(1, may_be_older=False), place
        assert store.read_bytes() == whole, place


@pytest.mark.parametrize("header", [0, 4096, 8192])
def test_a_header_that_is_lost_is_replaced_so_that_duckdb_opens_the_file(store: Path, other: Path, header: int) -> None:
    change(store, "INSERT INTO runs SELECT 'later', started, finished, state, command, config, versions, 1 FROM runs")
    wipe(store, header, 4096)
    assert correct(store, other) == Corrected(0, may_be_older=header > 0)
    assert _damaged(store) == []
    with duckdb.connect(str(store), read_only=True, config=SETTINGS) as db:
        assert db.execute("SELECT count(*) FROM runs").fetchone() in {(1,), (2,)}


def test_a_file_that_was_cut_off_is_filled_up_with_zeros(store: Path, other: Path) -> None:
    whole = store.read_bytes()
    store.write_bytes(whole[:-BLOCK])
    correct(store, other)
    assert store.read_bytes() == whole[:-BLOCK] + bytes(BLOCK)


@pytest.mark.parametrize("content", [b"", b"hello " * 3000, b"SQLite format 3\x00" + bytes(20000)])
def test_another_file_is_no_duckdb_file(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert not is_duckdb(path)
    assert _damaged(path) == []
