from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support import example_state as example
from tui.drawing.ablation_canvas import BOTH, INTACT_LINE, AblationCanvas, draw_ablation, lines_of
from tui.drawing.ablation_dots import Dots, dots_of
from tui.drawing.kinds import LOOKS
from tui.drawing.slots import slots_of


def dots(layers: example.Layers = 30) -> Dots:
    return dots_of(example.charts(layers).ablation, slots_of(example.players(layers)), "acc")


def drawn(size: tuple[int, int], layers: example.Layers = 30, here: int | None = None) -> AblationCanvas:
    slots = slots_of(example.players(layers))
    return draw_ablation(dots(layers), slots.layers, slots.rows, size, here)


@pytest.mark.parametrize("size", [(45, 8), (45, 5), (63, 19), (110, 30)])
@pytest.mark.parametrize("layers", [3, 30, 80, example.HYBRID, example.FOUR, example.DEEP, example.ONE])
def test_every_player_has_a_cell_in_the_chart(size: tuple[int, int], layers: example.Layers) -> None:
    chart = drawn(size, layers)
    assert set(chart.places) == {player.number for player in example.players(layers)}
    assert all(chart.gutter <= x < size[0] and 0 <= y < size[1] for x, y in chart.places.values())
    lines = lines_of(chart).plain.split("\n")
    assert [len(line) for line in lines] == [size[0]] * size[1]


def test_kinds_that_share_a_cell_are_both_seen() -> None:
    chart = drawn((45, 8))
    text = lines_of(chart).plain
    assert chart.shares_cells
    assert BOTH in text
    cells = set(chart.places.values())
    marks = sum(text.count(mark) for mark in (BOTH, LOOKS["attn"].mark, LOOKS["ffn"].mark))
    assert marks == len(cells)


def test_many_layers_have_a_strip_a_row_of_the_grid() -> None:
    chart = drawn((45, 5), 80)
    lines = lines_of(chart).plain.split("\n")
    assert [line[:4] for line in lines] == ["Attn", " .50", "    ", "FFN ", " .50"]
    attn, ffn = ({chart.places[number][1] for number in range(kind, 160, 2)} for kind in (0, 1))
    assert max(attn) < 2 < min(ffn)
    # FFN 0 and the last FFN cost the most: they are in the lower row, whoever else is near.
    assert chart.places[1][1] == chart.places[159][1] == 4


def test_an_interval_is_seen_where_players_are_crowded() -> None:
    text = lines_of(drawn((63, 19))).plain
    assert any(0x2800 < ord(character) < 0x2900 for character in text)
    assert INTACT_LINE in text


def test_the_cursor_is_marked_in_its_column() -> None:
    chart = drawn((63, 19), here=25)
    x, _ = chart.places[25]
    assert chart.here == chart.places[25]
    assert lines_of(chart).plain.split("\n")[-1][x] == "▲"


def test_a_click_finds_the_nearest_dot_and_none_far_from_all() -> None:
    chart = drawn((63, 19), 3)
    for player, (x, y) in chart.places.items():
        assert chart.near(x, y) == player
    assert chart.near(chart.gutter + 20, 3) is None


def test_dots_and_line_are_of_the_same_documents() -> None:
    points = list(example.charts().ablation)
    # One was measured on more documents, under which the intact model is better.
    points[23] = replace(points[23], n=240, intact_acc=points[23].intact_acc + 0.05, acc=points[23].acc + 0.05)
    found = dots_of(points, slots_of(example.players()), "acc")
    assert found.base.intact == points[0].intact_acc
    assert found.dots[23].score == pytest.approx(found.base.intact - points[23].drop)
    assert found.base.documents == "n = 120, 1 dot of 240"
    for dot, point in zip(found.dots, points, strict=True):
        assert dot.low <= dot.score <= dot.high
        assert dot.score == pytest.approx(found.base.intact - point.drop)


def test_the_numbers_of_documents_are_told() -> None:
    points = example.charts().ablation
    slots = slots_of(example.players())
    assert dots_of(points, slots, "acc").base.documents == "n = 120"
    mixed = [replace(point, n=n) for point, n in zip(points, [12] * 50 + [32] * 6 + [64] * 4, strict=True)]
    assert dots_of(mixed, slots, "acc").base.documents == "n = 12, 10 dots of 32 to 64"


def test_no_dot_is_drawn_where_no_score_can_be() -> None:
    points = list(example.charts().ablation)
    intact = points[0].intact_acc
    # One was measured on other documents, of which the intact model knows more than it loses of any.
    points[23] = replace(points[23], n=12, intact_acc=1.0, acc=0.0, drop=1.0, drop_low=intact + 0.1, drop_high=1.0)
    slots = slots_of(example.players())
    found = dots_of(points, slots, "acc")
    assert (found.dots[23].low, found.dots[23].score) == (0, 0)
    assert all(0 <= score <= 1 for score in found.scores)
    text = lines_of(draw_ablation(found, slots.layers, slots.rows, (63, 19), None)).plain.split("\n")
    assert [line.split()[0] for line in text if "┤" in line] == ["1", ".75", ".50", ".25", "0"]
    assert dots_of(points, slots, "margin").dots[23].score < 0
