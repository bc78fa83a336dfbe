"""The bars of Shapley shares."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import pytest

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
