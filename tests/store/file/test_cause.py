"""An error of DuckDB is told by its cause."""

from __future__ import annotations

import errno

import duckdb
import pytest

from store.file.cause import cause_of, not_written

_FULL = (
    'IO Error: Could not write file "/d/x.wal": No space left on device',
    'TransactionContext Error: Failed to commit: Could not write file "/d/x.wal": No space left on device',
    'IO Error: Checkpoint failed for database "merged". The database has been invalidated. Original error: Could not '
    'write file "/d/x": No space left on device',
)


@pytest.mark.parametrize("said", _FULL)
def test_a_full_disk_is_named_however_duckdb_wraps_it(said: str) -> None:
    assert cause_of(duckdb.IOException(said)) == "No space left on device"
    assert not_written(duckdb.IOException(said))


def test_damage_that_a_failed_checkpoint_wraps_is_named() -> None:
    said = "FATAL Error: Checkpoint failed. Original error: Corrupt database file: computed checksum 1 does not match 2"
    assert cause_of(duckdb.FatalException(said)) == "the checksum of a part of it is wrong"
    assert not not_written(duckdb.FatalException(said))


def test_an_error_of_the_system_is_its_own_words() -> None:
    assert cause_of(OSError(errno.ENOSPC, "No space left on device", "/d/x")) == "No space left on device"
