"""Tables of the browser: columns come from the row where none were chosen, and the charted value reaches them all."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
from tests.support.store_records import KINDS, assignment, documents, keep, keep_all, outcome, task
from tui.explorer.browser_tables import is_same, read_listing
from tui.explorer.scope import Scope


def test_rows_of_different_things_are_told_apart(tmp_path: Path) -> None:
    """The cursor goes back to the row of the same thing when a table is read again."""
    path = tmp_path / "s.duckdb"
    fill(path)
    for name, table in tables().items():
        found = read_listing(path, table, Scope())
        rows = [line.row for line in found.lines]
        twins = [(one, other) for at, one in enumerate(rows) for other in rows[:at] if is_same(one, other)]
        assert not twins, name
        assert all(is_same(row, replace(row)) for row in rows)


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


def test_what_is_the_same_on_all_documents_has_an_interval_and_no_standard_error(tmp_path: Path) -> None:
    path, removed = tmp_path / "results.duckdb", ((), (0,), (1,))
    keep_all(path, assignment(documents(range(12)), removed), {(): [1.0] * 12, (0,): [0.0] * 12, (1,): [1.0, 0.0] * 6})
    for name in ("coalitions", "ablation"):
        found = read_listing(path, tables()[name], Scope())
        titles = [column.title for column in found.columns]
        told = {line.row.label: dict(zip(titles, line.cells, strict=True))["±se"] for line in found.lines}
        assert told.get("intact", ".76 to 1.00") == ".76 to 1.00"
        assert (told["Attn 0"], told["FFN 0"]) == (".00 to .24", ".151")


def test_every_row_of_the_coalitions_has_the_intact_score_of_its_own_documents(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    asked = assignment(documents(range(12)), [(), (0,), (1,)])
    kept = [outcome(f"doc-{at}", (), float(at < 9)) for at in range(12)]
    kept += [outcome(f"doc-{at}", (0,), float(at < 3)) for at in range(12)]
    kept += [outcome(f"doc-{at}", (1,), float(at < 2)) for at in range(4)]
    keep(path, asked, kept)
    found = read_listing(path, tables()["coalitions"], Scope())
    at = [[column.title for column in found.columns].index(title) for title in ("acc", "intact", "drop", "n")]
    assert [tuple(line.cells[column] for column in at) for line in found.lines] == [
        (".750", ".750", "–", "12"),
        (".250", ".750", ".500", "12"),
        (".500", "1.000", ".500", "4"),
    ]


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
