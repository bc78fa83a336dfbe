"""The program that runs one query: a request comes on stdin, and the result leaves on stdout once the store is closed.

It is a process of its own so that a query can be ended whatever it does, and so that the memory it takes is not that of
the program that asked.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any, Final

import duckdb

from core.errors import CornerstoneError
from core.machine.plain_text import is_utf8
from store.file.database import reading
from store.sql.bounds import QUERY_SETTINGS, bind, lock, unbind
from store.sql.limits import MOST_BYTES, MOST_MEMORY_MB, MOST_ROWS
from store.sql.row_type import names_apart
from store.sql.values import fitting, kind_of, packed

_BATCH: Final = 2048
_READS: Final = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
_OF_FILE: Final = (duckdb.IOException, duckdb.FatalException, duckdb.SerializationException)
"""Errors that are of the store, not of the query."""

TOO_MUCH_MEMORY: Final = f"the query takes more than the {MOST_MEMORY_MB} MB of memory that it may have"


class RefusedError(Exception):
    """A query that is not run, or that failed. ``where`` are lines that show the place in its text."""

    def __init__(self, said: str, where: str = "") -> None:
        super().__init__(said)
        self.where = where


def main() -> None:
    """Run the query that stdin asks for."""
    asked = json.loads(sys.stdin.readline())
    try:
        _tell(_within_bounds(**asked))
    except RefusedError as error:
        _tell({"refused": str(error), "where": error.where})
    except CornerstoneError as error:
        unbind()
        _tell({"failed": str(error), "mend": error.mend, "file": None if error.file is None else str(error.file)})


def _within_bounds(store: str, query: str, patience: float, seconds: float) -> dict[str, Any]:
    refused: RefusedError | None = None
    with reading(Path(store), patience, lambda said: _tell({"waits": said}), QUERY_SETTINGS) as connection:
        lock(connection)
        bind(seconds)
        began = time.monotonic()
        try:
            found = {**answer(connection, query), "seconds": time.monotonic() - began}
        except RefusedError as error:
            refused = error  # raised where the store is closed, and not taken for damage of it
    unbind()
    if refused is not None:
        raise refused
    return found


def answer(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, Any]:
    """Return the result of a query: its columns, each a name and a kind, its rows, and whether there are more.

    Raises:
        RefusedError: the query is not run, or fails.
        duckdb.Error: the store cannot be read.
    """
    try:
        return _rows(connection.execute(_only_one(connection, query)))
    except (duckdb.OutOfMemoryException, MemoryError) as error:
        raise RefusedError(TOO_MUCH_MEMORY) from error
    except _OF_FILE:
        raise
    except duckdb.PermissionException as error:
        raise RefusedError("a query reads the store alone: no file, no network, no extension") from error
    except (duckdb.Error, UnicodeError, OverflowError, ValueError) as error:
        raise _refused(str(error)) from error


def _only_one(connection: duckdb.DuckDBPyConnection, query: str) -> duckdb.Statement:
    """Return the one statement of a query, if it is one that reads.

    Raises:
        RefusedError: there is none, or several, or one that does something else.
        duckdb.Error: the text is no SQL.
    """
    if not is_utf8(query):
        raise RefusedError("the query has characters that are no text")
    statements = connection.extract_statements(query)
    if not statements:
        raise RefusedError("write a query, such as SELECT * FROM runs")
    if len(statements) > 1:
        raise RefusedError(f"{len(statements)} statements are given, and one is run at a time; leave out the semicolon")
    (statement,) = statements
    if statement.type not in _READS:
        name = str(statement.type).rpartition(".")[2]
        said = f"only queries are run here (SELECT, WITH, FROM, DESCRIBE, SUMMARIZE, EXPLAIN), not {name}"
        raise RefusedError("PIVOT is run here only with the values IN (...)" if name == "MULTI" else said)
    if statement.named_parameters:
        raise RefusedError("write values in place of the parameters of the query")
    return statement


def _rows(found: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    names = names_apart([column[0] for column in found.description])
    kinds = [kind_of(str(column[1])) for column in found.description]
    rows: list[list[Any]] = []
    size, more = 0, ""
    while not more and (batch := found.fetchmany(min(_BATCH, MOST_ROWS + 1 - len(rows)))):
        kinds = [fitting(kind, (row[at] for row in batch)) for at, kind in enumerate(kinds)]
        for row in batch:
            values = [packed(value, kind) for value, kind in zip(row, kinds, strict=True)]
            size += len(json.dumps(values))
            if size > MOST_BYTES or len(rows) == MOST_ROWS:
                more = "rows" if size <= MOST_BYTES else "bytes"
                break
            rows.append(values)
    for at, kind in enumerate(kinds):
        if kind in {"text", "texts"}:  # an earlier batch may have had whole numbers
            for values in rows:
                values[at] = packed(values[at], kind)
    return {"columns": list(zip(names, kinds, strict=True)), "rows": rows, "more": more}


def _refused(said: str) -> RefusedError:
    """Word an error of DuckDB: what is wrong and what may be meant, and apart from that the place in the query."""
    text = said.partition("Error: ")[2] or said
    text, _, where = text.partition("\n\nLINE ")
    sentence = "; ".join(line.strip().rstrip("!.") for line in text.splitlines() if line.strip())
    return RefusedError(sentence, f"LINE {where}" if where else "")


def _tell(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
