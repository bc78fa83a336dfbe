"""The results browser on a real store: tables, filter, order, missing results, hostile names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input

from core.estimators.exact import Exact
from core.estimators.question import Question
from core.records.records import DocumentRecord
from store.results import Results
from store.rows import GroupRow
from store.tables import tables
from tests.support.programs import cornerstone
from tests.support.screen_host import EVERY_WINDOW, drawn, hosted, rows_of, settled, typed
from tests.support.store_records import assignment, documents, keep, keep_all, model, outcome, run, task
from tests.tui.explorer.test_bursts import burst
from tui.drawing.numbers import between
from tui.explorer import browser_tables
from tui.explorer.browser_tables import command_of, read_listing, removed_of
from tui.explorer.browsing import Browsing, Sorted
from tui.explorer.scope import Scope
from tui.explorer.screens.documents import DocumentsScreen
from tui.explorer.screens.export import ExportDialog
from tui.explorer.screens.results import ListingRead, ResultsScreen
from tui.explorer.widgets.interaction_map import InteractionMap
from tui.explorer.widgets.result_table import ResultTable
from tui.explorer.write_table import Wanted, write_table

pytestmark = pytest.mark.asyncio

HOSTILE = ("[red]x[/]", "\x1b]0;x\x07", "=cmd()", "[/]", "[@click=app.quit]q[/]")
Full = tuple[Path, GroupRow]


async def test_coalitions_come_first_by_their_players_names(full: Full) -> None:
    path, group = full
    async with hosted(lambda: ResultsScreen(path, Scope(group.model_id, group.task_id))) as pilot:
        text = drawn(pilot)
    assert "19 rows" in text
    assert "tiny · capitals" in text
    (intact,) = rows_of(text, "intact")
    assert intact.split() == ["intact", ".833", ".833", "–", "–", "6", ".167", ".167"]
    assert rows_of(text, "Attn 0  ")[0].split()[2:5] == [".333", ".833", ".500"]
    assert "Attn 0, FFN 0, Attn 1, FFN 1" in text


@pytest.mark.parametrize("size", [(80, 24), pytest.param((200, 60), marks=pytest.mark.slow)])
async def test_next_table_goes_round(full: Full, size: tuple[int, int]) -> None:
    path, group = full
    async with hosted(lambda: ResultsScreen(path, Scope(group.model_id, group.task_id)), size) as pilot:
        seen = []
        for _ in range(6):
            await settled(pilot, "t")
            seen.append(drawn(pilot))
    ablation, shapley, interactions, cornerstones, runs, coalitions = seen
    assert "drop" in ablation
    assert "6 rows" in ablation
    assert "window-first" in shapley
    assert "12 rows" in shapley
    assert "back each other up" in interactions
    assert "12 rows" in interactions
    assert all("back each other up" not in other for other in (shapley, runs))
    assert "open: more documents would tell." in " ".join(cornerstones.split())
    assert "finished" in runs
    assert all("documents" not in one.splitlines()[-1] for one in (cornerstones, runs))  # they have none to open
    assert "intact" in coalitions


async def test_the_filter_does_not_take_the_focus_of_a_table_that_is_read_quickly(
    full: Full, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, group = full
    async with hosted(lambda: ResultsScreen(path, Scope(group.model_id, group.task_id))) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, ResultsScreen)
        found = read_listing(path, tables()["coalitions"], Scope())
        readings: list[int] = []
        monkeypatch.setattr(screen, "_read", lambda _table, reading, _scope: readings.append(reading))
        screen.action_reload()
        # The table is hidden, and shown again before it hears of that.
        screen._refresh_layout()
        screen._take(ListingRead("coalitions", readings[-1], found))
        await settled(pilot)
        assert isinstance(screen.focused, ResultTable)


async def test_numbers_are_those_of_the_store(full: Full) -> None:
    path, _ = full
    async with hosted(lambda: ResultsScreen(path, Scope())) as pilot:
        await settled(pilot, "t")
        text = drawn(pilot)
    (row,) = [row for row in Results(path).ablation().rows if row.label == "Attn 0"]
    assert (row.drop, row.n) == (0.5, 6)
    assert rows_of(text, "Attn 0")[0].split()[:3] == ["Attn", "0", ".500"]
    assert between(row.drop_low, row.drop_high) in text


async def test_a_filter_narrows_and_escape_drops_it(full: Full) -> None:
    path, group = full
    async with hosted(lambda: ResultsScreen(path, Scope(group.model_id, group.task_id))) as pilot:
        await settled(pilot, "slash")
        assert isinstance(pilot.app.focused, Input)
        await typed(pilot, "ffn 2")
        assert "4 of 19 rows pass the filter" in drawn(pilot)
        await settled(pilot, "enter")
        assert isinstance(pilot.app.focused, ResultTable)
        assert "4 of 19" in drawn(pilot)
        await settled(pilot, "t")
        assert "1 of 6 rows passes the filter" in drawn(pilot)
        await settled(pilot, "slash", "escape")
        await typed(pilot, "")
        assert "6 rows" in drawn(pilot)
        assert isinstance(pilot.app.screen, ResultsScreen)


@pytest.mark.slow
async def test_sort_is_by_the_column_under_the_cursor_and_turns_round(full: Full) -> None:
    path, _ = full
    async with hosted(lambda: ResultsScreen(path, Scope())) as pilot:
        await settled(pilot, "right", "s")
        lines = drawn(pilot).splitlines()
        assert "↑ acc" in lines[4]
        assert lines[5].split()[:2] == ["Attn", "0"]
        await settled(pilot, "s")
        lines = drawn(pilot).splitlines()
        assert "↓ acc" in lines[4]
        assert lines[5].split()[0] == "intact"
        await settled(pilot, "t", "t", "t", "t", "t", "t")
        assert "↓ acc" in drawn(pilot)  # it stays when one comes back


async def test_a_click_on_a_title_sorts_and_a_double_click_opens(full: Full) -> None:
    path, _ = full
    async with hosted(lambda: ResultsScreen(path, Scope())) as pilot:
        lines = drawn(pilot).splitlines()
        top = pilot.app.screen.query_one(ResultTable).region
        await pilot.click(offset=(lines[top.y].index("acc"), top.y))
        await settled(pilot)
        assert "↑ acc" in drawn(pilot)
        await pilot.click(offset=(4, top.y + 3))
        await settled(pilot)
        assert pilot.app.screen.query_one(ResultTable).cursor_row == 2
        await pilot.double_click(offset=(4, top.y + 3))
        await settled(pilot)
        assert isinstance(pilot.app.screen, DocumentsScreen)


async def test_tabs_can_be_clicked(full: Full) -> None:
    path, _ = full
    async with hosted(lambda: ResultsScreen(path, Scope())) as pilot:
        await pilot.click("#runs")
        await settled(pilot)
        assert "started (UTC)" in drawn(pilot)


async def test_every_row_can_be_reached_however_many(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    many = [(), *((a, b) for a in range(6) for b in range(a + 1, 6)), *EVERY_WINDOW[1:]]
    coalitions = list(dict.fromkeys(many))
    for number in range(9):
        asked = assignment(documents([0]), coalitions, of_task=task(f"task {number:02}"))
        keep_all(path, asked, {removed: [1.0] for removed in coalitions}, run_id=f"run{number}")
    total = 9 * len(coalitions)
    async with hosted(lambda: ResultsScreen(path, Scope()), (120, 24)) as pilot:
        assert f"{total} rows" in drawn(pilot)
        await settled(pilot, "end")
        assert "task 08" in drawn(pilot)
        table = pilot.app.screen.query_one(ResultTable)
        assert table.cursor_row == total - 1
        await settled(pilot, "pageup")
        assert table.cursor_row < total - 10


@pytest.mark.slow
async def test_what_the_explorer_shows_or_everything(full: Full, tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    keep(path, assignment(documents([0]), [()]), [outcome("doc-0")])
    keep(path, assignment(documents([0]), [()], of_task=task("opposites")), [outcome("doc-0")], run_id="b")
    capitals, _ = Results(path).groups().rows
    async with hosted(lambda: ResultsScreen(path, Scope(capitals.model_id, capitals.task_id))) as pilot:
        assert "1 row" in drawn(pilot)
        assert "opposites" not in drawn(pilot)
        await settled(pilot, "a")
        assert "2 rows" in drawn(pilot)
        assert "opposites" in drawn(pilot)
    async with hosted(lambda: ResultsScreen(path, Scope(capitals.model_id, "00000000"))) as pilot:
        assert "nothing is stored yet of this model on this task" in drawn(pilot)
        assert "2 rows" in drawn(pilot)


@pytest.mark.slow
async def test_models_that_share_a_name_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    recorder = keep(path, assignment(documents([0]), [()]), [outcome("doc-0")])
    half = assignment(documents([0]), [()], of_model=model(dtype="bfloat16"))
    recorder.assign("run1", half)
    recorder.record("run1", half, [outcome("doc-0")])
    async with hosted(lambda: ResultsScreen(path, Scope())) as pilot:
        for group in Results(path).groups().rows:
            assert f"tiny@{group.model_id}" in drawn(pilot)


@pytest.mark.slow
async def test_what_cannot_be_answered_is_said_below(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    keep(path, assignment(documents([0]), [()]), [outcome("doc-0")])
    async with hosted(lambda: ResultsScreen(path, Scope()), (120, 30)) as pilot:
        await settled(pilot, "t", "t")
        text = drawn(pilot)
    assert "0 rows" in text
    assert "tiny on capitals: 18 of 19 coalitions are missing" in text


@pytest.mark.slow
async def test_no_store_yet_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "none.duckdb"
    async with hosted(lambda: ResultsScreen(path, Scope()), (160, 30)) as pilot:
        assert f"no results at {path} yet" in drawn(pilot)
        await settled(pilot, "s", "enter", "right", "slash", "escape", "t")
        keep(path, assignment(documents([0]), [()]), [outcome("doc-0")])
        await settled(pilot, "f5", "t", "t", "t", "t", "t")
        assert "1 row" in drawn(pilot)
        assert isinstance(pilot.app.focused, ResultTable)


@pytest.mark.slow
async def test_a_store_that_another_process_holds_is_one_sentence(
    held: tuple[Path, Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser_tables, "PATIENCE_S", 0.2)
    path, release = held
    async with hosted(lambda: ResultsScreen(path, Scope()), (160, 30)) as pilot:
        assert "in use by another program" in drawn(pilot)
        release()
        await settled(pilot, "f5")
        assert "19 rows" in drawn(pilot)


@pytest.mark.slow
async def test_hostile_text_is_text(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    name, other = "[red]x[/]\x1b]0;x\x07", "=cmd()[/]"
    docs = [DocumentRecord("key", 0, (0,), "".join(HOSTILE), HOSTILE)]
    asked = assignment(docs, [(), (0,)], of_model=model(name), of_task=task(other))
    kept = [outcome("key", removed, logprobs=[-1.0, -2.0, -3.0, -4.0, -5.0]) for removed in ((), (0,))]
    recorder = keep(path, asked, kept)
    recorder.begin(run("hostile", f"cornerstone {HOSTILE[0]} \x1b[2J"))
    for size in ((80, 24), (200, 60)):
        async with hosted(lambda: ResultsScreen(path, Scope()), size) as pilot:
            text = drawn(pilot)
            assert "[red]x[/] ]0;x · =cmd()[/]" in " ".join(text.split())
            seen = [text]
            for key in ("t", "t", "t", "t", "t", "t", "e", "escape", "enter"):
                await settled(pilot, key)
                seen.append(drawn(pilot))
            assert isinstance(pilot.app.screen, DocumentsScreen)
            for hostile in ("[red]x[/]", "=cmd()", "[@click=app.quit]q[/]"):
                assert hostile in seen[-1]
            assert not any(char in "".join(seen) for char in "\x1b\x07")


async def test_export_is_of_the_table_and_selection_shown(full: Full) -> None:
    path, group = full
    async with hosted(lambda: ResultsScreen(path, Scope(group.model_id, group.task_id))) as pilot:
        await settled(pilot, "t", "e")
        assert isinstance(pilot.app.screen, ExportDialog)
        assert pilot.app.screen.query_one("#path", Input).value == "./cornerstone-ablation.csv"
        assert "only the model and task" in drawn(pilot)


@pytest.mark.slow
async def test_the_map_and_the_table_of_interactions_follow_each_other(full: Full) -> None:
    path, group = full
    async with hosted(lambda: ResultsScreen(path, Scope(group.model_id, group.task_id))) as pilot:
        await settled(pilot, "t", "t", "t", "down", "down")
        table, found = pilot.app.screen.query_one(ResultTable), pilot.app.screen.query_one(InteractionMap)
        assert found.cursor == (2, 2)
        found.focus()
        await settled(pilot, "down", "left")
        assert found.cursor == (3, 1)
        (at,) = [at for at, row in enumerate(Results(path).interactions().rows) if (row.size, row.first) == (3, 1)]
        assert table.cursor_row == at
        assert "FFN 0 to FFN 1" in drawn(pilot)
        await settled(pilot, "enter")
        assert isinstance(pilot.app.screen, DocumentsScreen)
        assert "FFN 0, Attn 1, FFN 1 removed" in drawn(pilot)


@pytest.mark.slow
async def test_the_map_is_of_the_model_and_task_under_the_cursor(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    for name in ("capitals", "opposites"):
        asked = assignment(documents(range(2)), EVERY_WINDOW, of_task=task(name))
        keep_all(path, asked, {removed: [1.0, 0.0] for removed in EVERY_WINDOW}, run_id=name)
    async with hosted(lambda: ResultsScreen(path, Scope()), (120, 30)) as pilot:
        await settled(pilot, "t", "t", "t")
        assert "tiny on capitals" in drawn(pilot)
        await settled(pilot, "end")
        assert "tiny on opposites" in drawn(pilot)
        await settled(pilot, "slash")
        await typed(pilot, "nothing like it")
        assert not pilot.app.screen.query_one(InteractionMap).display


async def test_windows_of_one_are_no_reason_to_have_no_interactions(full: Full, tmp_path: Path) -> None:
    path, _ = full
    table, scope = tables()["interactions"], Scope(settings={"max_removed": 1})
    assert len(read_listing(path, table, scope).lines) == 5
    assert "--max-removed 2" in command_of(table, scope, path)
    written = write_table(Wanted(path, table.name, scope, "csv", str(tmp_path / "i.csv")), force=False)
    assert written is not None
    assert written.rows == 5


async def test_back_closes_it(full: Full) -> None:
    path, _ = full
    async with hosted(lambda: ResultsScreen(path, Scope())) as pilot:
        await settled(pilot, "escape")
        assert not isinstance(pilot.app.screen, ResultsScreen)


async def test_windows_and_metric_are_those_that_are_charted(full: Full) -> None:
    path, group = full
    scope = Scope(group.model_id, group.task_id, "acc_norm", {"max_removed": 2})
    for one in (scope, scope.wide):
        shapley, ablation = (read_listing(path, tables()[table], one).lines for table in ("shapley", "ablation"))
        assert {(line.row.value, line.row.max_removed) for line in shapley} == {("acc_norm", 2)}
        assert {line.row.value for line in ablation} == {"acc_norm"}


@pytest.mark.slow
async def test_cornerstones_are_the_command_lines_under_the_rule(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    asked = assignment(documents(range(60)), EVERY_WINDOW, of_task=task(means=("acc",)))
    # The first player carries all, the second a tenth of the documents, no other anything.
    falls = {removed: 60 if 0 in removed else 6 if 1 in removed else 0 for removed in EVERY_WINDOW}
    keep_all(path, asked, {removed: [0.0] * lost + [1.0] * (60 - lost) for removed, lost in falls.items()})
    (row, *others) = Results(path).cornerstones().rows
    assert row.cornerstone == "sure"
    assert {other.cornerstone for other in others} == {"no"}
    async with hosted(lambda: ResultsScreen(path, Scope(row.model_id)), (80, 24)) as pilot:
        await settled(pilot, "t", "t", "t", "t")
        text = drawn(pilot)
        assert "Cornerstones of tiny: Attn 0 (sure), over capitals (acc_norm or acc)." in " ".join(text.split())
        assert rows_of(text, "Attn 0 ")[0].split()[:4] == ["Attn", "0", "sure", "1.333"]
        assert row.collapse == pytest.approx(4 / 3)
        await settled(pilot, "enter")
        assert isinstance(pilot.app.screen, ResultsScreen)


def _fallen(path: Path, documents_lost: int) -> str:
    """Return what the cornerstone rule says where the first player loses this many of 40 documents."""
    asked = assignment(documents(range(40)), EVERY_WINDOW, of_task=task(means=("acc",)))
    falls = {removed: documents_lost if 0 in removed else 0 for removed in EVERY_WINDOW}
    keep_all(path, asked, {removed: [0.0] * lost + [1.0] * (40 - lost) for removed, lost in falls.items()})
    return read_listing(path, tables()["cornerstones"], Scope()).notes[0]


async def test_no_cornerstone_yet_says_how_many_are_open(tmp_path: Path) -> None:
    undecided = _fallen(tmp_path / "some.duckdb", 14)
    assert undecided == "Cornerstones of tiny: none yet, 1 of 6 open, over capitals (acc_norm or acc)."


async def test_no_task_above_chance_tells_of_no_cornerstone(full: Full) -> None:
    path, group = full
    found = read_listing(path, tables()["cornerstones"], Scope(group.model_id, group.task_id))
    assert found.notes[0] == "Cornerstones of tiny: cannot be told: no task is known to be above chance."
    assert len(found.lines) == 6


@pytest.mark.slow
async def test_what_was_asked_besides_the_windows_is_among_the_shapley_values(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    layers = ((), (0, 1), (2, 3), (4, 5), (0, 1, 2, 3), (0, 1, 4, 5), (2, 3, 4, 5), (0, 1, 2, 3, 4, 5))
    everything = tuple(dict.fromkeys((*EVERY_WINDOW, *layers)))
    asked = assignment(documents(range(4)), everything)
    keep_all(path, asked, {removed: [float(0 not in removed)] * 4 for removed in everything})
    scope = Scope(question=Question(Exact(), "layers"))
    found = [line.row for line in read_listing(path, tables()["shapley"], scope).lines]
    assert [row.label for row in found[:3]] == ["Layer 0", "Layer 1", "Layer 2"]
    assert {row.estimator for row in found[3:]} == {"window-first", "window-ends"}
    assert removed_of(found[0]) is None
    assert removed_of(found[4]) == (1,)
    async with hosted(lambda: ResultsScreen(path, scope)) as pilot:
        await settled(pilot, "t", "t", "enter")
        assert isinstance(pilot.app.screen, ResultsScreen)
        assert ["under Coalitions" in told.message for told in pilot.app._notifications] == [True]


async def test_what_was_asked_besides_does_not_need_the_windows(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    kinds = ((), (0, 2, 4), (1, 3, 5), (0, 1, 2, 3, 4, 5))
    asked = assignment(documents(range(4)), kinds)
    keep_all(path, asked, {removed: [float(0 not in removed), 1.0, 0.0, 0.0] for removed in kinds})
    found = read_listing(path, tables()["shapley"], Scope(question=Question(Exact(), "kinds")))
    assert [line.row.label for line in found.lines] == ["All attention", "All FFN"]
    assert found.notes == ()
    lacking = read_listing(path, tables()["shapley"], Scope(question=Question(Exact(), "layers")))
    assert len(lacking.lines) == 0
    assert any("--schedule exact" in note and "--players layers" in note for note in lacking.notes)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_large_coalitions_are_named_in_short_and_leave_room_for_their_numbers(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    path = tmp_path / "results.duckdb"
    large = tuple(range(6)) + tuple(range(12, 42)) + (50, 52, 54, 56, 58)
    of_model = replace(model(), kinds=(("attn", "ffn"),) * 30)
    asked = assignment(documents([0]), [(), (3,), large], of_model=of_model)
    keep_all(path, asked, {(): [1.0], (3,): [1.0], large: [0.0]})
    async with hosted(lambda: ResultsScreen(path, Scope()), size) as pilot:
        text = drawn(pilot)
        assert "Attn 0 to FFN 2, Attn 6 to FFN 20, A" in text
        assert "1.000" in rows_of(text, "Attn 0 to FFN 2")[0]
        await settled(pilot, "slash")
        await typed(pilot, "ffn 1,")
        assert "1 of 3 rows passes the filter" in drawn(pilot)


async def test_a_value_without_chance_tells_of_no_cornerstone(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    asked = assignment(documents(range(4), choices=1), EVERY_WINDOW, of_task=task(means=("acc",)))
    keep_all(path, asked, {removed: [float(0 not in removed)] * 4 for removed in EVERY_WINDOW})
    first, doubt, *_ = read_listing(path, tables()["cornerstones"], Scope()).notes
    assert first == "Cornerstones of tiny: cannot be told: no chance level, over capitals (acc_norm or acc)."
    assert "acc has no chance level" in doubt


async def test_a_table_without_rows_says_what_makes_some_and_q_goes_back(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    keep(path, assignment(documents([0]), [()]), [])
    async with hosted(lambda: ResultsScreen(path, Scope())) as pilot:
        assert "no row here yet: back on the explorer" in drawn(pilot)
        await settled(pilot, "q")
        assert not isinstance(pilot.app.screen, ResultsScreen)
        assert pilot.app.is_running


@pytest.mark.slow
async def test_it_comes_back_as_it_was_left(full: Full) -> None:
    path, group = full
    kept = [Browsing()]
    scope = Scope(group.model_id, group.task_id)

    def browser() -> ResultsScreen:
        return ResultsScreen(path, scope, kept[-1], kept.append)

    async with hosted(browser) as pilot:
        await settled(pilot, "t", "right", "s", "slash")
        await typed(pilot, "attn")
        await settled(pilot, "enter", "down", "escape")
    again = Browsing.model_validate_json(kept[-1].model_dump_json())
    assert again == kept[-1]
    async with hosted(browser) as pilot:
        text = drawn(pilot)
        assert "3 of 6 rows pass the filter" in text
        assert "↓ drop" in text
        table = pilot.app.screen.query_one(ResultTable)
        assert (table.cursor_row, table.cursor_column) == (1, 1)
        assert pilot.app.screen.query_one("#filter", Input).value == "attn"
        await settled(pilot, "a", "t", "t", "t", "t", "t", "q")  # round to the first table
    assert (kept[-1].table, kept[-1].everything) == ("coalitions", True)
    gone = Browsing(table="no-such-table", filter="", sorted={"coalitions": Sorted(column="gone", falling=True)})
    async with hosted(lambda: ResultsScreen(path, scope, gone)) as pilot:
        assert "19 rows" in drawn(pilot)


async def test_cells_rows_and_the_command_are_copied(full: Full) -> None:
    path, group = full
    async with hosted(lambda: ResultsScreen(path, Scope(group.model_id, group.task_id, "acc"))) as pilot:
        await settled(pilot, "t", "j", "l", "y")
        assert pilot.app.clipboard == ".167"
        await settled(pilot, "h", "Y")
        assert pilot.app.clipboard.split("\t")[:2] == ["FFN 0", ".167"]
        await settled(pilot, "c")
        command = pilot.app.clipboard
    words = ["--model", group.model_id, "--task", group.task_id, "--value", "acc", "--store", str(path)]
    assert command.split() == ["cornerstone", "results", "ablation", *words]
    assert cornerstone(*command.split()[1:]).returncode == 0


async def test_vim_keys_move_the_cursor(full: Full) -> None:
    path, _ = full
    async with hosted(lambda: ResultsScreen(path, Scope())) as pilot:
        table = pilot.app.screen.query_one(ResultTable)
        await settled(pilot, "j", "j", "l", "l", "k", "h")
        assert (table.cursor_row, table.cursor_column) == (1, 1)
        await settled(pilot, "G")
        assert table.cursor_row == 18
        await settled(pilot, "g")
        assert table.cursor_row == 0


@pytest.mark.slow
async def test_a_filter_knows_columns_and_a_wrong_one_says_why(full: Full) -> None:
    path, _ = full
    async with hosted(lambda: ResultsScreen(path, Scope())) as pilot:
        await settled(pilot, "t", "slash")
        await typed(pilot, 'drop > .1 and layer = "FFN 0"')
        assert "1 of 6 rows passes the filter" in drawn(pilot)
        await typed(pilot, " and dorp < 1")
        assert "no column dorp; did you mean drop?" in drawn(pilot)
        assert rows_of(drawn(pilot), "FFN 0")
        await settled(pilot, "escape")
        assert "6 rows" in drawn(pilot)


@pytest.mark.slow
async def test_what_is_filtered_is_exported_as_it_is_shown(full: Full, tmp_path: Path) -> None:
    path, _ = full
    async with hosted(lambda: ResultsScreen(path, Scope())) as pilot:
        await settled(pilot, "t", "slash")
        await typed(pilot, "drop > .1")
        await settled(pilot, "enter", "e")
        assert "as shown: 2 of 6 rows, filtered" in drawn(pilot)
        await burst(pilot, "ctrl+a", "ctrl+k", f"={tmp_path}/x.csv", "ctrl+s")
        assert len((tmp_path / "x.csv").read_text().splitlines()) == 3


async def test_enter_on_a_row_without_documents_says_so(full: Full) -> None:
    path, _ = full
    async with hosted(lambda: ResultsScreen(path, Scope())) as pilot:
        await settled(pilot, "t", "t", "t", "t", "t", "enter")
        assert ["a run has no documents of its own" in told.message for told in pilot.app._notifications] == [True]
