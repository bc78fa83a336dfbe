"""A query in a process of its own: its result in every format, and its end where it takes too much."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from threading import Timer

import duckdb
import pytest

from core.errors import CornerstoneError
from store.export import render, write
from store.file.database import writing
from store.formats.registry import formats
from store.sql.query import Query, QueryError
from tests.support.store_holder import holder
from tests.support.store_records import assignment, documents, keep, outcome


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sql") / "results.duckdb"
    keep(path, assignment(documents([0, 1]), [(), (0,)]), [outcome("doc-0"), outcome("doc-1", (0,), 0.0)])
    return path


def test_the_result_is_written_in_every_format(path: Path, tmp_path: Path) -> None:
    query = """SELECT 'a|b' AS "the name", 1 AS n, 0.5 AS "count(*)", [1, 2] AS removed, NULL AS "class",
        TIMESTAMP '2020-01-01 00:00:00' AS "a""b" """
    found = Query(path, query).result()
    assert render(found.rows, found.row, "csv").splitlines() == [
        'the name,n,count(*),removed,class,"a""b"',
        'a|b,1,0.5,"[1, 2]",,2020-01-01 00:00:00',
    ]
    for name, form in formats().items():
        write(found.rows, found.row, name, tmp_path / f"x{form.endings[0]}", force=False)
    file = tmp_path / "x.parquet"
    assert duckdb.sql(f"SELECT column_name, column_type FROM (DESCRIBE FROM '{file}')").fetchall() == [
        ("the name", "VARCHAR"),
        ("n", "BIGINT"),
        ("count(*)", "DOUBLE"),
        ("removed", "BIGINT[]"),
        ("class", "VARCHAR"),
        ('a"b', "TIMESTAMP"),
    ]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n FROM t, range(3)) SELECT count(*) FROM t", "256 MB"),
        ("SELECT repeat('x', 1000000000)", "256 MB"),
        ("SELECT range(1000000000)", "256 MB"),
    ],
)
def test_what_takes_too_much_memory_is_ended(path: Path, query: str, sentence: str) -> None:
    with pytest.raises(QueryError, match=sentence):
        Query(path, query).result()


def test_what_takes_too_long_is_ended_and_frees_the_store(path: Path) -> None:
    endless = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t"
    with pytest.raises(QueryError, match="takes longer than 1 s"):
        Query(path, endless, seconds=0.6).result()
    with writing(path, patience=0):
        pass


def test_a_query_can_be_stopped(path: Path) -> None:
    query = Query(path, "SELECT count(*) FROM range(1000000000000)")
    stop = Timer(0.5, query.stop)
    stop.start()
    with pytest.raises(QueryError, match="was stopped"):
        query.result()
    with writing(path, patience=60):
        pass
    stopped_before = Query(path, "SELECT 1")
    stopped_before.stop()
    with pytest.raises(QueryError, match="was stopped"):
        stopped_before.result()


def test_errors_of_the_store_are_told_as_everywhere(path: Path, tmp_path: Path) -> None:
    with pytest.raises(CornerstoneError, match="no results at"):
        Query(tmp_path / "none.duckdb", "SELECT 1").result()
    assert not list(tmp_path.iterdir())
    other = tmp_path / "other.txt"
    other.write_text("not a store")
    with pytest.raises(CornerstoneError, match="is not a DuckDB file") as told:
        Query(other, "SELECT 1").result()
    assert told.value.mend is not None


@pytest.mark.slow
def test_the_wait_for_the_store_is_no_time_of_the_query(path: Path) -> None:
    with holder() as one:
        one.hold(path)
        began = time.monotonic()
        Timer(waited := 1.5, one.release).start()
        found = Query(path, "SELECT 1", seconds=waited).result()
        assert found.seconds + waited <= time.monotonic() - began


@pytest.mark.slow
def test_a_store_in_use_is_waited_for_and_then_named(path: Path) -> None:
    said: list[str] = []
    hear: Callable[[str], None] = said.append
    with holder() as one:
        one.hold(path)
        with pytest.raises(CornerstoneError, match="in use by another program"):
            Query(path, "SELECT 1", patience=5).result(hear)
        one.release()
    assert ["is in use by another program" in sentence for sentence in said] == [True]
    assert len(Query(path, "SELECT 1").result().rows) == 1
