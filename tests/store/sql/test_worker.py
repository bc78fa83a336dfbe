"""What a query may not do, on a connection that is locked as the worker's is; and the values of what it may."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from store.file.database import reading
from store.sql import worker
from store.sql.bounds import QUERY_SETTINGS, lock
from tests.support.store_records import assignment, documents, keep, outcome


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    path = tmp_path_factory.mktemp("sql") / "results.duckdb"
    keep(path, assignment(documents([0, 1]), [(), (0,)]), [outcome("doc-0"), outcome("doc-1", (0,), 0.0)])
    with reading(path, settings=QUERY_SETTINGS) as opened:
        lock(opened)
        yield opened


def values(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, Any]:
    found = worker.answer(connection, query)
    (row,) = found["rows"]
    return {name: (kind, value) for (name, kind), value in zip(found["columns"], row, strict=True)}


def test_a_query_reads_every_table(connection: duckdb.DuckDBPyConnection) -> None:
    found = worker.answer(connection, "SELECT removed, acc FROM outcomes JOIN coalitions USING (coalition) ORDER BY 2;")
    assert found == {"columns": [("removed", "wholes"), ("acc", "number")], "rows": [[[0], 0.0], [[], 1.0]], "more": ""}


OUT = "a query reads the store alone"
NO_QUERY = "only queries are run here"
REFUSED = {
    "COPY outcomes TO '{folder}/x.csv'": NO_QUERY,
    "COPY meta FROM '/etc/passwd'": NO_QUERY,
    "EXPORT DATABASE '{folder}/x'": NO_QUERY,
    "ATTACH '{folder}/x.duckdb'": NO_QUERY,
    "DETACH results": NO_QUERY,
    "USE memory": NO_QUERY,
    "INSTALL httpfs": NO_QUERY,
    "LOAD httpfs": NO_QUERY,
    "PRAGMA database_list": NO_QUERY,
    "PRAGMA enable_profiling": NO_QUERY,
    "SET memory_limit = '8GB'": NO_QUERY,
    "SET enable_external_access = true": NO_QUERY,
    "RESET memory_limit": NO_QUERY,
    "INSERT INTO meta VALUES (3)": NO_QUERY,
    "UPDATE meta SET schema_version = 9": NO_QUERY,
    "DELETE FROM outcomes": NO_QUERY,
    "DROP TABLE outcomes": NO_QUERY,
    "CREATE TEMP TABLE t AS SELECT 1": NO_QUERY,
    "CHECKPOINT": NO_QUERY,
    "VACUUM": NO_QUERY,
    "CALL enable_logging()": NO_QUERY,
    "PREPARE a AS SELECT 1": NO_QUERY,
    "BEGIN": NO_QUERY,
    "PIVOT outcomes ON acc USING count(*)": "only with the values IN",
    "SELECT * FROM read_csv('/etc/passwd')": OUT,
    "SELECT * FROM read_text('/etc/passwd')": OUT,
    "SELECT * FROM read_parquet('https://example.org/x.parquet')": OUT,
    "SELECT * FROM glob('/etc/*')": OUT,
    "SELECT * FROM sniff_csv('/etc/passwd')": OUT,
    "SELECT * FROM '/etc/passwd'": "Table with name /etc/passwd does not exist",
    "SELECT getenv('HOME')": "does not exist",
    "SELECT nextval('ids')": "read-only",
    "EXPLAIN ANALYZE INSERT INTO meta VALUES (3)": "read-only",
    "EXPLAIN ANALYZE COPY outcomes TO '{folder}/x.csv'": OUT,
    "SELECT * FROM documents_of_this_test": "does not exist",
    "SELECT 1; SELECT 2": "2 statements are given",
    "SELECT 1; DROP TABLE outcomes": "2 statements are given",
    "": "write a query",
    "-- nothing\n;": "write a query",
    "SELECT ?": "in place of the parameters",
    "SELECT $name": "in place of the parameters",
    "SELEC 1": 'syntax error at or near "SELEC"',
    "SELECT 1 / 'x'": "Could not convert string 'x'",
    "SELECT error('no [/] such')": "no [/] such",
    "SELECT '\ud800'": "no text",
}


@pytest.mark.parametrize("query", REFUSED)
def test_what_is_no_query_of_the_store_is_refused(
    connection: duckdb.DuckDBPyConnection, query: str, tmp_path: Path
) -> None:
    documents_of_this_test = [1]
    assert documents_of_this_test
    with pytest.raises(worker.RefusedError) as refused:
        worker.answer(connection, query.format(folder=tmp_path))
    assert REFUSED[query] in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_the_place_of_a_mistake_is_shown(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(worker.RefusedError) as refused:
        worker.answer(connection, "SELECT typo FROM runs")
    assert str(refused.value) == 'Referenced column "typo" not found in FROM clause; Candidate bindings: "state"'
    assert refused.value.where.splitlines() == ["LINE 1: SELECT typo FROM runs", " " * 15 + "^^^^"]


def test_each_value_keeps_its_kind(connection: duckdb.DuckDBPyConnection) -> None:
    query = """SELECT 1 AS i, 1.25 AS d, 'nan'::DOUBLE AS f, true AS b, 'x' AS s, NULL AS n, [1, NULL] AS ls,
        sum(range) AS h, 2::HUGEINT * 9223372036854775807 AS large, [0.5] AS ds, ['a'] AS ss, [[1]] AS nested,
        {'a': [1]} AS struct, DATE '2020-02-01' AS day, TIMESTAMP '2020-02-01 10:00:00' AS at FROM range(3)"""
    found = values(connection, query)
    assert str(found.pop("f")) == "('number', nan)"
    assert found == {
        "i": ("whole", 1),
        "d": ("number", 1.25),
        "b": ("truth", True),
        "s": ("text", "x"),
        "n": ("text", None),
        "ls": ("wholes", [1, None]),
        "h": ("whole", 3),
        "large": ("text", "18446744073709551614"),
        "ds": ("numbers", [0.5]),
        "ss": ("texts", ["a"]),
        "nested": ("texts", ["[1]"]),
        "struct": ("text", "{a: [1]}"),
        "day": ("text", "2020-02-01"),
        "at": ("time", "2020-02-01T10:00:00"),
    }


def test_a_number_too_large_late_in_a_column_makes_all_of_it_text(connection: duckdb.DuckDBPyConnection) -> None:
    found = worker.answer(
        connection, "SELECT CASE WHEN range = 2999 THEN 2::HUGEINT << 90 ELSE range END FROM range(3000)"
    )
    assert found["columns"][0][1] == "text"
    assert {type(row[0]) for row in found["rows"]} == {str}


def test_names_are_apart(connection: duckdb.DuckDBPyConnection) -> None:
    query = 'SELECT 1 AS x, 2 AS X, 3 AS x_2, 4 AS __class__, 5 AS __, 6 AS "a""b"'
    names = [name for name, _ in worker.answer(connection, query)["columns"]]
    assert names == ["x", "X_2", "x_2_2", "class", "column", 'a"b']


def test_rows_are_bounded_by_number_and_size(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = worker.answer(connection, "SELECT range FROM range(200000)")
    assert (len(found["rows"]), found["more"]) == (100_000, "rows")
    exact = worker.answer(connection, "SELECT range FROM range(100000)")
    assert (len(exact["rows"]), exact["more"]) == (100_000, "")
    monkeypatch.setattr(worker, "MOST_BYTES", 1000)
    large = worker.answer(connection, "SELECT repeat('x', 300) FROM range(10)")
    assert (len(large["rows"]), large["more"]) == (3, "bytes")
