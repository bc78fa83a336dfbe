"""The plot of single removals."""

from __future__ import annotations

import re
from dataclasses import replace
from unittest.mock import patch

import pytest

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
    assert "● Attn  × FFN  ─ intact .892  ┈ chance .500" in text
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


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(name: str) -> None:
    plot, empty = AblationPlot(), AblationPlot()
    charts = example.charts().model_copy(update={"estimator": name})
    assert plain(name) in text_of(plot, lambda: plot.show(PLAYERS, charts, example.bench_task(name)), width=120)
    assert plain(name) in text_of(empty, lambda: empty.show(PLAYERS, None, example.bench_task(name)), width=120)
