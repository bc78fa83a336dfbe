"""The bars of Shapley shares."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import pytest
from textual import on

from core.evaluator.protocol import Charts
from core.statistics.verdicts import Standing
from tests.support import example_state as example
from tests.support.mounted_widget import HOSTILE, Mounted, mounted, text_of
from tui.drawing.plain import plain
from tui.explorer.widgets.shapley_bars import ShapleyBars


def test_bars_are_sorted_by_rank_and_name_the_top_three() -> None:
    bars = ShapleyBars()
    text = text_of(bars, lambda: bars.show(example.charts()), width=100, height=80)
    points = sorted(example.charts().shapley, key=lambda point: point.rank)
    lines = text.split("\n")
    assert [line[2:10].strip() for line in lines[1:61]] == [point.label for point in points]
    for point in points[:3]:
        assert f"{point.label} {point.share:.1%}" in lines[0]
    top = points[0]
    assert f"{top.share:.1%} [{100 * top.share_low:.1f}–{100 * top.share_high:.1f}]" in lines[1]
    assert "window-first, windows of up to 4, n = 120" in lines[-1]


def with_verdicts(*verdicts: Standing | None) -> Charts:
    """Return charts whose units have these verdicts in order of their ranks; the last is that of all others."""
    charts = example.charts()
    told = (replace(point, verdict=verdicts[min(point.rank, len(verdicts)) - 1]) for point in charts.shapley)
    return charts.model_copy(update={"shapley": tuple(told)})


def drawn(charts: Charts) -> str:
    bars = ShapleyBars()
    return text_of(bars, lambda: bars.show(charts), width=100)


def test_units_have_marks_once_any_is_decided() -> None:
    lines = drawn(with_verdicts("in", "open", "out")).split("\n")
    assert [line[2:].split()[2] for line in lines[1:5]] == ["✓", "?", "×", "×"]
    unsure: Standing | None
    for unsure in (None, "open"):
        assert not {"✓", "?", "×"} & set(drawn(with_verdicts(unsure))), "nothing is told apart"


def test_units_of_different_documents_are_told_with_their_range() -> None:
    charts = example.charts()
    last = max(charts.shapley, key=lambda point: point.rank)
    raced = tuple(replace(point, n=64 if point is last else 120) for point in charts.shapley)
    assert "n = 64 to 120" in drawn(charts.model_copy(update={"shapley": raced}))


def test_a_bar_ends_at_the_share_with_the_interval_around_it() -> None:
    bars = ShapleyBars()
    text = text_of(bars, lambda: bars.show(example.charts()), width=100)
    top = text.split("\n")[1]
    assert top.index("━") < top.index("┣") < top.index("╋") < top.index("┤")


@pytest.mark.parametrize("width", [12, 20, 38, 60])
def test_bars_fit_narrow_panels(width: int) -> None:
    bars = ShapleyBars()
    assert "FFN 29" in text_of(bars, lambda: bars.show(example.charts()), width=width)


def test_bars_scroll_and_draw_only_what_is_seen() -> None:
    bars = ShapleyBars()

    async def flow(app: Mounted) -> None:
        assert app.pilot is not None
        with patch.object(bars, "_bar", wraps=bars._bar) as bar:
            bars.show(example.charts())
            await app.pilot.pause()
            assert 0 < bar.call_count < 60
        bars.focus()
        await app.press("end")
        await app.pilot.pause(0.5)
        last = max(example.charts().shapley, key=lambda point: point.rank)
        assert last.label in app.text

    mounted(bars, flow, height=12)


def test_the_bar_of_the_player_under_the_cursor_is_marked_and_scrolled_to_and_a_click_is_told() -> None:
    class Followed(ShapleyBars):
        told: list[int] = []  # noqa: RUF012 one widget a test

        @on(ShapleyBars.Picked)
        def _keep(self, message: ShapleyBars.Picked) -> None:
            self.told.append(message.player)

    bars = Followed()
    last = max(example.charts().shapley, key=lambda point: point.rank)

    async def flow(app: Mounted) -> None:
        assert app.pilot is not None
        bars.show(example.charts(), example.players())
        bars.mark(59)
        await app.pilot.pause()
        assert "FFN 29" in next(line for line in app.lines if "▸" in line)
        bars.mark(last.player)
        await app.pilot.pause()
        assert app.text.count("▸") == 1
        line = next(line for line in app.text.split("\n") if "▸" in line)
        assert last.label in line
        top = app.lines[1]
        await app.pilot.click(Followed, offset=(5, 1))
        (player,) = bars.told
        assert example.players()[player].label in top

    mounted(bars, flow, height=12)


def test_the_bar_of_a_group_stands_for_its_players() -> None:
    points = tuple(
        replace(point, label=f"Layers {3 * at}-{3 * at + 2}", players="blocks:3", player=at)
        for at, point in enumerate(example.charts().shapley[:10])
    )
    bars = ShapleyBars()
    charts = example.charts().model_copy(update={"shapley": points})

    def show() -> None:
        bars.show(charts, example.players())
        bars.mark(20)

    line = next(line for line in text_of(bars, show, width=100).split("\n") if "▸" in line)
    assert "Layers 9-11" in line


def test_no_positive_value_is_said_in_words() -> None:
    points = tuple(replace(p, share=None, share_low=None, share_high=None) for p in example.charts().shapley)
    bars = ShapleyBars()
    charts = example.charts().model_copy(update={"shapley": points})
    assert "no player has a positive value" in text_of(bars, lambda: bars.show(charts))


def test_without_data_the_charts_say_what_to_do() -> None:
    bars = ShapleyBars()
    assert "press r to run the windows" in text_of(bars, lambda: bars.show(example.charts(shapley=False)))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(name: str) -> None:
    bars = ShapleyBars()
    charts = example.charts().model_copy(update={"estimator": name})
    assert plain(name) in text_of(bars, lambda: bars.show(charts), width=120)


def test_groups_are_named_by_the_title_and_have_no_colour_of_a_kind() -> None:
    points = tuple(
        replace(point, label=f"Layers {3 * at}-{3 * at + 2}", players="blocks:3")
        for at, point in enumerate(example.charts().shapley[:10])
    )
    charts = example.charts().model_copy(update={"shapley": points, "estimator": "exact", "settings": ()})
    bars = ShapleyBars()
    text = text_of(bars, lambda: bars.show(charts), width=100)
    assert "Layers 0-2" in text
    assert "exact of blocks:3, n = 120" in text
    assert "windows of up to" not in text
    assert len({bars._bar(point, 80)[2].style for point in points}) == 1
