"""Tables of results: each says what it is, and can be read by what it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest

from core.coalitions.schedules import windows
from core.errors import CornerstoneError
from core.estimators.question import Question
from core.estimators.windows import WindowFirst
from store import tables as module
from store.reading.answer import Answer
from store.results import Results, Selection
from store.tables import Asked, Table, tables
from tests.support.store_records import PLAYERS, assignment, documents, keep_all


@dataclass(frozen=True, slots=True)
class OwnRow:
    """A row of somebody else's table."""

    label: str
    drop: float


OWN = Table("own", "Own", "A table of somebody else's.", OwnRow, lambda *_: Answer((OwnRow("a", 0.5),)))


@pytest.fixture
def results(tmp_path: Path) -> Results:
    sets = windows(PLAYERS, 2)
    acc = {removed: [1.0, 1.0, 1.0, float(len(removed) < 1)] for removed in sets}
    keep_all(tmp_path / "s.duckdb", assignment(documents(range(4)), sets), acc)
    return Results(tmp_path / "s.duckdb")


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    added: list[Any] = []
    monkeypatch.setattr(module, "contributed", lambda _kind: tuple(added))
    tables.cache_clear()
    yield added
    tables.cache_clear()


@pytest.mark.parametrize("name", [name for name in tables() if name not in {"estimators", "pairs", "formats"}])
def test_each_is_read_as_rows_of_its_own(results: Results, name: str) -> None:
    table = tables()[name]
    rows = table.read(results, Asked(settings={"max_removed": 2})).rows
    assert rows
    assert {type(row) for row in rows} == {table.row}


def test_what_a_narrow_terminal_drops_are_columns_and_each_once() -> None:
    for table in tables().values():
        columns = [field.name for field in fields(table.row)]
        assert set(table.dropped) <= set(columns)
        assert len(set(table.dropped)) == len(table.dropped)


def test_what_is_asked_reaches_the_reader(results: Results) -> None:
    asked = Asked(
        Selection(task="capitals"), value="gold_logprob", estimator="window-ends", settings={"max_removed": 2}
    )
    rows = tables()["shapley"].read(results, asked).rows
    assert {(row.value, row.estimator, row.max_removed, row.settings) for row in rows} == {
        ("gold_logprob", "window-ends", 2, "windows of up to 2")
    }
    besides = Asked(settings={"max_removed": 2}, question=Question(WindowFirst(1)))
    first, *_, last = tables()["shapley"].read(results, besides).rows
    assert (first.max_removed, last.max_removed) == (1, 2)


def test_a_plugins_table_is_one_among_the_others(plugins: list[Any], results: Results) -> None:
    plugins.append(OWN)
    assert [*tables()][-1] == "own"
    assert tables()["own"].read(results, Asked()).rows == (OwnRow("a", 0.5),)


@pytest.mark.parametrize(
    ("added", "sentence"),
    [
        (Table("own", "Own", "Mine.", OwnRow, lambda *_: Answer(()), ("reach",)), "'own' takes reach, which no table"),
        ("own", "'own' to the tables, which is no Table"),
        (tables()["runs"], "two tables are named 'runs'"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(plugins: list[Any], added: Any, sentence: str) -> None:
    plugins.append(added)
    with pytest.raises(CornerstoneError, match=sentence):
        tables()


@pytest.mark.parametrize("name", ["Two words", "", "9", "a.b"])
def test_a_name_is_one_word_of_a_command_line(name: str) -> None:
    with pytest.raises(ValueError, match="is not made of lower-case letters, digits and hyphens"):
        Table(name, "Own", "Mine.", OwnRow, lambda *_: Answer(()))


def test_a_table_may_read_the_file_itself(results: Results) -> None:
    def read(results: Results, asked: Asked) -> Answer[OwnRow]:
        with results.opened() as db:
            return Answer(tuple(OwnRow(name, 0.0) for (name,) in db.execute("SELECT name FROM tasks").fetchall()))

    assert replace(OWN, read=read).read(results, Asked()).rows == (OwnRow("capitals", 0.0),)
