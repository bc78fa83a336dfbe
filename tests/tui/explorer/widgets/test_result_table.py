"""The table that draws only what is in view: header and first column stay, cuts are seen, the cursor too."""

from __future__ import annotations

import pytest
from rich.segment import Segment
from rich.style import Style
from textual import on
from textual.app import App, ComposeResult

from tests.support.screen_host import drawn
from tui.explorer.widgets.result_table import ResultTable, TableColumn

pytestmark = pytest.mark.asyncio

COLUMNS = [TableColumn("name", 8), *(TableColumn(f"c{at}", 10, numeric=True) for at in range(6))]


class Shown(App[None]):
    def __init__(self, *, by_row: bool = False) -> None:
        super().__init__()
        self.table = ResultTable(by_row=by_row)
        self.seen: list[object] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.show(COLUMNS, [[f"row {row}", *(f"{row}.{at}" for at in range(6))] for row in range(10_000)])

    @on(ResultTable.Moved)
    @on(ResultTable.ColumnPicked)
    @on(ResultTable.Opened)
    def _keep(self, message: object) -> None:
        self.seen.append(message)


async def test_the_header_stays_and_the_cursor_is_in_view() -> None:
    app = Shown()
    async with app.run_test(size=(50, 10)) as pilot:
        for key, top in (("end", "row 9992"), ("home", "row 0"), ("pagedown", "row 0"), ("pagedown", "row 7")):
            await pilot.press(key)
            await pilot.pause()
            lines = drawn(pilot).splitlines()
            assert lines[0].split()[0] == "name"
            assert lines[1].startswith(f" {top} ")
            assert any(line.startswith(f" row {app.table.cursor_row} ") for line in lines)


async def test_the_first_column_stays_when_the_others_move() -> None:
    app = Shown()
    async with app.run_test(size=(50, 10)) as pilot:
        await pilot.press(*["right"] * 6)
        await pilot.pause()
        lines = drawn(pilot).splitlines()
        assert (lines[0].split()[0], lines[0].split()[-1]) == ("name", "c5")
        assert (lines[1].split()[:2], lines[1].split()[-1]) == (["row", "0"], "0.5")
        await pilot.press(*["left"] * 6)
        await pilot.pause()
        assert drawn(pilot).splitlines()[0].split()[:2] == ["name", "c0"]


async def test_keys_stop_at_the_edges_and_only_moves_are_told() -> None:
    app = Shown()
    async with app.run_test(size=(50, 10)) as pilot:
        await pilot.press("up", "left", "pageup", "home")
        assert app.seen == []
        await pilot.press("end", "down", "right")
        await pilot.pause()
        assert (app.table.cursor_row, app.table.cursor_column) == (9_999, 1)
        assert app.seen == [ResultTable.Moved(9_999)]


async def test_clicks_below_the_rows_and_in_nothing_do_nothing() -> None:
    app = Shown()
    async with app.run_test(size=(50, 10)) as pilot:
        app.table.show(COLUMNS, [["one", *"abcdef"]])
        await pilot.click(offset=(3, 5))
        app.table.show([], [])
        await pilot.click(offset=(3, 0))
        await pilot.press("down", "end", "pagedown", "left")
        await pilot.pause()
        assert app.seen == []
        assert app.table.cursor_row == 0


async def test_fewer_rows_bring_the_cursor_back_and_the_column_stays() -> None:
    app = Shown()
    async with app.run_test(size=(50, 10)) as pilot:
        await pilot.press("end", "right", "right")
        app.table.show(COLUMNS, [["only", *"abcdef"]], row=70)
        await pilot.pause()
        assert (app.table.cursor_row, app.table.cursor_column) == (0, 2)
        assert drawn(pilot).splitlines()[1].startswith(" only ")


async def test_wide_and_long_text_is_cut_where_it_is_seen() -> None:
    app = Shown(by_row=True)
    async with app.run_test(size=(50, 10)) as pilot:
        wide = Segment("漢字漢字漢字", Style(color="red"))
        app.table.show([TableColumn("a", 7), TableColumn("b", 5)], [[wide, "[red]x[/]"], ["x", "y"]])
        await pilot.pause()
        lines = drawn(pilot).splitlines()
        assert lines[1].rstrip() == " 漢字漢…  [red…"
        assert lines[2].rstrip() == " x        y"


@pytest.mark.parametrize("width", range(24, 60))
async def test_no_number_is_drawn_in_part(width: int) -> None:
    app = Shown()
    numbers = {f"{row}.{at}" for row in range(9) for at in range(6)}
    async with app.run_test(size=(width, 10)) as pilot:
        for _ in range(7):
            lines = drawn(pilot).splitlines()
            shown = {word for line in lines[1:] for word in line.split()[2:]}
            assert shown <= numbers
            assert set(lines[0].removesuffix("›").split()[1:]) <= {f"c{at}" for at in range(6)}
            assert lines[0].endswith("›") == ("c5" not in lines[0])
            await pilot.press("right")
            await pilot.pause()


async def test_a_text_that_is_drawn_in_part_says_so() -> None:
    app = Shown()
    async with app.run_test(size=(30, 10)) as pilot:
        app.table.show([TableColumn("a", 7), TableColumn("b", 40)], [["x", "a command of many words"], ["y", "short"]])
        await pilot.pause()
        lines = drawn(pilot).splitlines()
        assert lines[1].rstrip() == " x        a command of many w…"
        assert lines[2].rstrip() == " y        short"
        assert lines[0].endswith("›")
