"""What a large home screen reads: from a store of every window of a tiny model."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.coalitions.players import Removed
from store.results import Results
from store.rows import Selection
from tests.support.screen_host import DOCUMENTS, fill
from tui.explorer.home_reading import Wanted, read_home
from tui.explorer.scope import Scope


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("home") / "s.duckdb"
    fill(path)
    return path


def wanted(store: Path, removed: Removed, documents: int = DOCUMENTS, shares: int = DOCUMENTS) -> Wanted:
    group = Results(store).groups().rows[0]
    return Wanted(Scope(group.model_id, group.task_id, "acc"), removed, documents, shares)


def test_documents_that_changed_come_first(store: Path) -> None:
    rows = read_home(store, wanted(store, (0,)))
    assert rows.documents is not None
    assert (rows.documents.total, rows.documents.changed) == (6, 3)
    assert [row.doc_id for row in rows.documents.rows] == [0, 1, 2, 3, 4, 5]
    assert [row.changed for row in rows.documents.rows] == [True] * 3 + [False] * 3
    assert rows.complete


def test_the_map_has_the_rows_of_the_table(store: Path) -> None:
    rows = read_home(store, wanted(store, ()))
    scope = rows.wanted.scope
    assert rows.interactions == tuple(
        Results(store).interactions(Selection(scope.model_id, scope.task_id), "acc", 4).rows
    )
    assert rows.documents is not None
    assert len(rows.documents.rows) == 6


def test_what_is_not_written_yet_is_not_complete(store: Path) -> None:
    assert not read_home(store, wanted(store, (0,), documents=7)).complete
    nothing = read_home(store, wanted(store, (0, 5), shares=0))
    assert nothing.documents is None or nothing.documents.total == 0
    assert not nothing.complete
    assert nothing.interactions == ()


def test_a_store_that_cannot_be_read_has_nothing(tmp_path: Path, store: Path) -> None:
    rows = read_home(tmp_path / "none.duckdb", wanted(store, (0,)))
    assert (rows.documents, rows.interactions, rows.complete) == (None, (), False)
