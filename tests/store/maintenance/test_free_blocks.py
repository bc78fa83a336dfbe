"""The layout of a DuckDB file as bytes: DuckDB cuts off free blocks at the end, which is no damage."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from store.file.database import writing
from store.maintenance.blocks import HEADER, layout
from store.maintenance.check import check


@pytest.fixture
def shrunk(tmp_path: Path) -> Path:
    """A sound store that is shorter than its header says, because its last blocks were freed."""
    path = tmp_path / "store"
    with writing(path):
        pass
    with duckdb.connect(str(path)) as db:
        db.execute("CREATE TABLE other AS SELECT random() FROM range(300000)")
        db.execute("CHECKPOINT")
        db.execute("DROP TABLE other")
        db.execute("CHECKPOINT")
    return path


def test_a_store_whose_free_blocks_were_cut_off_is_sound(shrunk: Path) -> None:
    with shrunk.open("rb") as file:
        planned = layout(file)
    assert planned is not None
    assert shrunk.stat().st_size < 3 * HEADER + planned.blocks * planned.block_size
    assert check(shrunk, 5).problems == ()


def test_a_store_without_its_last_used_block_was_cut_off(shrunk: Path) -> None:
    os.truncate(shrunk, shrunk.stat().st_size - 1)
    assert any("cut off" in problem for problem in check(shrunk, 5).problems)
