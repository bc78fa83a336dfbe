from __future__ import annotations

from textual.color import Color
from textual.style import Style

from tui.drawing.canvas import Canvas

RED, BLUE = (Style(foreground=Color(*rgb)) for rgb in ((255, 0, 0), (0, 0, 255)))


def test_dots_of_a_cell_make_one_character_in_the_colour_that_came_last() -> None:
    canvas = Canvas(2, 2)
    canvas.dot(0, 0, RED)
    canvas.dot(1, 3, BLUE)
    canvas.line(2, 3, 5, RED)
    first, second = canvas.rows()
    assert (first.plain, second.plain) == ("⢁⡀", " ⠃")
    assert [span.style for span in first.spans] == [BLUE, RED]


def test_characters_are_seen_above_dots_or_where_there_are_none() -> None:
    canvas = Canvas(3, 1)
    canvas.put(0, 0, "───", RED, under=True)
    canvas.dot(2, 0, BLUE)
    canvas.dot(4, 0, BLUE)
    canvas.put(1, 0, "×", BLUE)
    assert canvas.rows()[0].plain == "─×⠁"


def test_what_lies_outside_is_left_out() -> None:
    canvas = Canvas(2, 1)
    canvas.put(1, 0, "abc", RED)
    canvas.put(0, 1, "x", RED)
    canvas.dot(4, 0, RED)
    canvas.dot(-1, 0, RED)
    canvas.line(0, -5, -1, RED)
    assert canvas.rows()[0].plain == " a"


def test_a_marked_cell_keeps_its_character() -> None:
    canvas = Canvas(1, 1)
    canvas.put(0, 0, "●", RED)
    canvas.mark(0, 0, Style(reverse=True))
    (row,) = canvas.rows()
    assert row.plain == "●"
    assert row.spans[0].style == RED + Style(reverse=True)
