"""Tables of the browser: columns come from the row where none were chosen, and the charted value reaches them all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from core.coalitions.players import players_of
from core.estimators.question import Question
from core.estimators.windows import WindowFirst
from core.evaluator.live_task import LiveTask
from store.reading.answer import Answer
from store.results import Results
from store.rows import GroupRow
from store.tables import Asked, Table, tables
from tests.support.screen_host import fill
from tests.support.store_records import KINDS, assignment, documents, keep, outcome, task
from tui.explorer.browser_tables import Scope, read_listing


@dataclass(frozen=True, slots=True)
class OwnRow:
    """A row that nobody has chosen columns for."""

    model: str
    task: str
    label: str
    removed: tuple[int, ...]
    drop: float
    drop_low: float
    drop_high: float
    n: int
    chance: float | None
    model_id: str
    task_id: str


@dataclass(frozen=True, slots=True)
class NamedRow:
    """A row that tells its model and task by name alone."""

    model: str
    task: str
    n: int


@dataclass(frozen=True, slots=True)
class ListRow:
    """A row whose fields hold several numbers each."""

    weights: tuple[float, ...]
    gold: int | tuple[int, ...] | None


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, GroupRow]:
    path = tmp_path_factory.mktemp("browser") / "results.duckdb"
    return path, fill(path)


def test_a_table_shows_the_fields_of_its_row_bounds_as_one_interval(full: tuple[Path, GroupRow]) -> None:
    path, group = full
    row = OwnRow("tiny", "capitals", "Attn 0", (0, 3), 0.25, -0.5, 0.75, 12, None, group.model_id, group.task_id)
    own = Table("own", "Own", "Mine.", OwnRow, lambda *_: Answer((row,)))
    found = read_listing(path, own, Scope())
    assert [column.title for column in found.columns] == ["label", "removed", "drop", "95%", "n", "chance"]
    assert found.lines[0].cells == ("Attn 0", "0, 3", ".250", "-.50 to .75", "12", "–")
    assert found.subject == "tiny · capitals"


def test_a_row_without_ids_names_its_model_and_task_itself(full: tuple[Path, GroupRow]) -> None:
    path, _ = full
    own = Table("own", "Own", "Mine.", NamedRow, lambda *_: Answer((NamedRow("tiny", "capitals", 3),)))
    found = read_listing(path, own, Scope())
    assert [column.title for column in found.columns] == ["model", "task", "n"]
    assert found.lines[0].cells == ("tiny", "capitals", "3")


def test_a_field_of_several_numbers_is_text(full: tuple[Path, GroupRow]) -> None:
    path, _ = full
    own = Table("own", "Own", "Mine.", ListRow, lambda *_: Answer((ListRow((0.5, 0.25), (1, 2)), ListRow((), None))))
    assert [line.cells for line in read_listing(path, own, Scope()).lines] == [("0.5, 0.25", "1, 2"), ("", "")]


def test_of_a_task_without_a_value_there_are_coalitions_and_documents(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    asked = assignment(documents(range(3), choices=1), [(), (0,)], of_task=task("wikitext", means=()))
    keep(path, asked, [outcome(each.key, removed, metrics={}) for removed in ((), (0,)) for each in asked.documents])
    shown = LiveTask(asked, players_of(KINDS)).bench_task
    (group,) = Results(path).groups().rows
    scope = Scope(group.model_id, shown.task_id, shown.charted)
    assert len(read_listing(path, tables()["coalitions"], scope).lines) == 2
    assert Results(path).documents(scope.asked.selection, (0,), scope.value).total == 3


def test_a_scope_asks_what_is_charted() -> None:
    question = Question(WindowFirst(2))
    scope = Scope("m", "t", "gold_logprob", {"max_removed": 2}, question)
    asked = scope.asked
    assert (asked.selection.model, asked.selection.task, asked.value) == ("m", "t", "gold_logprob")
    assert (asked.max_removed, asked.question) == (2, question)
    assert scope.wide.asked == Asked(value="gold_logprob", settings={"max_removed": 2}, question=question)


def test_cornerstones_are_judged_by_the_value_that_is_charted(full: tuple[Path, GroupRow]) -> None:
    path, group = full
    from store.reading.paper import PaperSelection

    found = read_listing(path, tables()["cornerstones"], Scope(group.model_id, group.task_id, "gold_logprob"))
    rows = Results(path).cornerstones(PaperSelection((group.model_id,), value="gold_logprob")).rows
    assert [line.row for line in found.lines] == list(rows)
    assert {row.value for row in rows} == {"gold_logprob"}
