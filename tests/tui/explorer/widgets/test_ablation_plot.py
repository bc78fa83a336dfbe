"""The plot of single removals."""

from __future__ import annotations

import re
from dataclasses import replace
from unittest.mock import patch

import pytest
from textual import on

from core.coalitions.players import Kinds
from tests.support import example_state as example
from tests.support.mounted_widget import HOSTILE, Mounted, mounted, text_of
from tui.drawing.kinds import LOOKS
from tui.drawing.plain import plain
from tui.explorer.widgets.ablation_plot import AblationPlot

PLAYERS = example.players()


def _plot_text(width: int = 80, height: int = 24, **changes: object) -> str:
    plot = AblationPlot()
    charts = example.charts().model_copy(update=changes)
    return text_of(plot, lambda: plot.show(PLAYERS, charts, example.bench_task()), width=width, height=height)


def test_the_plot_has_a_mark_a_player_and_both_lines() -> None:
    text = _plot_text(160, 40)
    inside = "\n".join(text.split("\n")[1:39])
    assert inside.count("●") == inside.count("×") == 30
    assert "─" in inside
    assert "┈" in inside
    assert "● Attn  × FFN  ─ intact .892  ┈ chance .500  n = 120" in text
    assert "Ablation: acc on agreement, one layer removed" in text


@pytest.mark.parametrize("layers", [example.HYBRID, example.FOUR, example.ONE], ids=["hybrid", "four", "one"])
def test_every_kind_has_its_mark_and_players_of_a_layer_stand_side_by_side(layers: Kinds) -> None:
    plot = AblationPlot()
    charts, players = example.charts(layers), example.players(layers)
    text = text_of(plot, lambda: plot.show(players, charts, example.bench_task()), width=240, height=40)
    inside = "\n".join(text.split("\n")[1:39])
    for kind in LOOKS:
        count = sum(player.kind == kind for player in players)
        assert inside.count(LOOKS[kind].mark) == count, kind
        assert (f"{LOOKS[kind].mark} {LOOKS[kind].short}" in text) == (count > 0)


def test_the_plot_names_the_unit_of_its_value() -> None:
    plot = AblationPlot()
    nats = example.bench_task().model_copy(update={"value": "gold_logprob"})
    assert "Ablation: gold_logprob, nats on agreement" in text_of(
        plot, lambda: plot.show(PLAYERS, example.charts(), nats)
    )


@pytest.mark.parametrize(("width", "height"), [(40, 10), (20, 5), (10, 4), (3, 3), (200, 60)])
def test_the_plot_fits_any_size(width: int, height: int) -> None:
    assert _plot_text(width, height)


@pytest.mark.parametrize("height", range(6, 40))
def test_the_scores_on_the_axis_are_at_equal_distances(height: int) -> None:
    lines = _plot_text(60, height).split("\n")
    named = {
        float(found[1]): row for row, line in enumerate(lines) if (found := re.match(r"│ *(1|0|\.\d+) *[┤│]", line))
    }
    assert {0.0, 1.0} <= set(named)
    assert 0.5 in named or len(named) == 2
    rows = named[0.0] - named[1.0]
    assert all(row == named[1.0] + (1 - score) * rows for score, row in named.items())
    # Chance is .5 here, and its line is on the row that says so.
    if 0.5 in named:
        assert "┈" in lines[named[0.5]]


def test_a_score_outside_0_to_1_has_an_axis_of_its_own() -> None:
    points = tuple(
        replace(p, acc=p.acc * 40, intact_acc=p.intact_acc * 40, chance=None) for p in example.charts().ablation
    )
    text = _plot_text(ablation=points)
    assert "×" in text.split("\n")[5]  # within the chart, not squashed at its edge
    assert "chance" not in text


def test_the_plot_is_drawn_once_as_long_as_nothing_changes() -> None:
    plot = AblationPlot()

    async def flow(app: Mounted) -> None:
        assert app.pilot is not None
        with patch.object(plot, "_draw", wraps=plot._draw) as draw:
            plot.show(PLAYERS, example.charts(), example.bench_task())
            await app.pilot.pause()
            plot.show(PLAYERS, example.charts().model_copy(), example.bench_task())
            plot.refresh()
            await app.pilot.pause()
            assert draw.call_count == 1
            await app.pilot.resize_terminal(70, 20)
            await app.pilot.pause()
            assert draw.call_count == 2

    mounted(plot, flow)


def test_without_data_the_charts_say_what_to_do() -> None:
    plot = AblationPlot()
    assert "press r to run the ablation" in text_of(plot, lambda: plot.show(PLAYERS, None, example.bench_task()))


def test_the_layer_under_the_cursor_is_marked_and_a_click_on_a_mark_is_told() -> None:
    class Followed(AblationPlot):
        told: list[int] = []  # noqa: RUF012 one plot a test

        @on(AblationPlot.Picked)
        def _keep(self, message: AblationPlot.Picked) -> None:
            self.told.append(message.player)

    plot = Followed()

    async def flow(app: Mounted) -> None:
        assert app.pilot is not None
        plot.show(PLAYERS, example.charts(), example.bench_task())
        plot.mark(23)
        await app.pilot.pause()
        drawing = plot._drawing()
        assert drawing is not None
        x, _ = drawing.places[23]
        rows = app.lines[plot.content_region.bottom - 1]
        assert rows[plot.content_region.x + x] == "▲"
        x, y = drawing.places[59]
        await app.pilot.click(Followed, offset=(x + plot.content_region.x, y + plot.content_region.y))
        assert plot.told == [59]

    mounted(plot, flow, width=100)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(name: str) -> None:
    plot, empty = AblationPlot(), AblationPlot()
    charts = example.charts().model_copy(update={"estimator": name})
    assert plain(name) in text_of(plot, lambda: plot.show(PLAYERS, charts, example.bench_task(name)), width=120)
    assert plain(name) in text_of(empty, lambda: empty.show(PLAYERS, None, example.bench_task(name)), width=120)


def test_what_costs_more_than_was_asked_is_counted_and_what_is_open_has_a_question_mark() -> None:
    points = example.charts().ablation
    said = ["above" if point.drop > 0.2 else "below" for point in points]
    said[5:8] = ["open"] * 3
    told = tuple(
        replace(point, verdict=each, verdict_cost=0.05, verdict_n=64) for point, each in zip(points, said, strict=True)
    )
    text = _plot_text(160, 40, ablation=told)
    inside = "\n".join(text.split("\n")[1:39])
    assert inside.count("?") == 3
    assert "╌" in inside
    counts = f"╌ cost .05: {said.count('above')} above, {said.count('below')} below, 3 open"
    assert counts in text
    unsure = tuple(replace(point, verdict="open", verdict_cost=0.05, verdict_n=8) for point in points)
    text = _plot_text(160, 40, ablation=unsure)
    assert "?" not in "\n".join(text.split("\n")[1:39]), "nothing is told apart"
    assert "0 above, 0 below, 60 open" in text
    for width, height in ((40, 10), (20, 5), (10, 4), (3, 3)):
        assert _plot_text(width, height, ablation=told)
