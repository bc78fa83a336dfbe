"""The map of interactions: geometry, glyphs, the cursor, the mouse, sizes from 80 columns on, hostile names."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import on

from store.rows import InteractionRow
from tests.support import example_state as example
from tests.support.figure_rows import interaction_rows
from tests.support.mounted_widget import HOSTILE, Mounted, mounted
from tui.drawing.coalition_name import window_name
from tui.drawing.interaction_chart import interaction_chart
from tui.drawing.interaction_scale import glyph, largest_effect, verdict
from tui.drawing.map_layout import LABEL, layers_of, map_layout
from tui.explorer.widgets.interaction_map import InteractionMap


class Followed(InteractionMap):
    """Keeps the interactions that it reports as picked."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[int, int]] = []

    @on(InteractionMap.Picked)
    def _keep(self, message: InteractionMap.Picked) -> None:
        self.told.append((message.size, message.first))


def row(effect: float, low: float, high: float, first: int = 0, size: int = 2) -> InteractionRow:
    labels = tuple("ABCDEFGH"[first : first + size])
    return InteractionRow("tiny", "task", "acc", first, first // 2, labels, size, 64, effect, low, high, 0.5, "m", "t")


@given(st.integers(2, 320), st.integers(1, 4), st.integers(1, 4), st.integers(1, 400))
def test_every_window_has_a_place_of_its_own(players: int, a_layer: int, sizes: int, width: int) -> None:
    players -= players % a_layer
    layers = [player // a_layer for player in range(max(players, a_layer))]
    players = len(layers)
    layout = map_layout(layers, tuple(range(2, 2 + sizes)), width)
    assert sum(len(layout.firsts(band)) for band in range(layout.bands)) == players
    assert all(layout.firsts(band).start % a_layer == 0 for band in range(layout.bands))
    assert layout.per_band * layout.cell + LABEL <= max(width, LABEL + a_layer)
    found = [
        layout.window_at(LABEL + column * layout.cell, band * layout.lines_a_band + 1 + line)
        for band in range(layout.bands)
        for column in range(layout.per_band)
        for line in range(sizes)
    ]
    there = [window for window in found if window is not None]
    assert len(there) == len(set(there)) == sum(max(players - size + 1, 0) for size in layout.sizes)
    assert layout.window_at(LABEL - 1, 1) is None
    assert layout.window_at(LABEL, 0) is None
    assert layout.window_at(LABEL, layout.bands * layout.lines_a_band + 1) is None


def test_columns_are_numbered_at_the_first_player_of_every_fifth_layer() -> None:
    for kinds in (example.HYBRID, example.FOUR, example.ONE, (("attn", "ffn"),) * 30):
        rows = interaction_rows("boolq", layers=kinds)
        players = example.players(kinds)
        assert layers_of(rows) == tuple(player.layer for player in players)
        layout = map_layout(layers_of(rows), (2, 3, 4), 76)
        for band in range(layout.bands):
            numbers = layout.numbers(band)
            for first in layout.firsts(band):
                player = players[first]
                begins = first == 0 or players[first - 1].layer != player.layer
                at = LABEL + (first - layout.firsts(band).start) * layout.cell
                if begins and player.layer % 5 == 0:
                    assert numbers[at:].split()[0] == str(player.layer)


def test_glyphs_and_words() -> None:
    rows = [row(-0.8, -1, -0.2), row(0.4, 0.1, 0.7), row(0.3, -0.1, 0.7), row(-0.3, -0.7, 0.1), row(0.01, -0.1, 0.1)]
    assert largest_effect(rows) == 0.8
    assert "".join(glyph(one, 0.8) for one in rows) == "▼▲+-·"
    assert [verdict(one) for one in rows] == ["back each other up", "need each other", *["undecided"] * 3]
    assert largest_effect([row(0, -0.1, 0.1)]) == 1.0
    assert window_name(("Attn 0", "FFN 0")) == "Attn 0, FFN 0"
    assert window_name(("Attn 0", "FFN 0", "Attn 1")) == "Attn 0 to Attn 1"


def test_the_chart_is_the_map_in_text() -> None:
    rows = interaction_rows("boolq")
    plain = interaction_chart(rows, width=80)
    assert "\x1b" not in plain
    lines = plain.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert [line[0] for line in lines[2:5]] == ["2", "3", "4"]
    assert lines[2][LABEL:].rstrip() == "".join(glyph(one, largest_effect(rows)) for one in rows if one.size == 2)
    coloured = interaction_chart(rows, width=80, colour=True)
    assert "48;2;" in coloured
    wide = interaction_chart(interaction_rows("boolq", layers=80), width=80)
    assert [line[:2] for line in wide.splitlines()].count("4 ") == 3
    assert "\x1b" not in interaction_chart([replace(rows[0], model="\x1b[31m", task="\x1b]0;x\x07")])


def test_the_map_and_its_chart_name_the_unit_of_the_value() -> None:
    rows = [replace(one, value="margin") for one in interaction_rows("boolq")]
    assert interaction_chart(rows).startswith("interactions of neighbours in tiny on boolq (margin, nats), n=120\n")
    shown = InteractionMap()

    async def flow(app: Mounted) -> None:
        shown.show(rows)
        await app.press()
        assert "Interactions of neighbours in margin, nats: tiny on boolq, n = " in app.lines[0]

    mounted(shown, flow, width=100)


@pytest.mark.parametrize(("layers", "width", "height"), [(30, 80, 24), (80, 80, 24), (80, 160, 45), (1, 80, 24)])
def test_it_fits_with_room_for_the_table(layers: int, width: int, height: int) -> None:
    rows = interaction_rows("boolq", layers=layers) if layers > 1 else [row(0.1, -0.1, 0.3)]
    shown = Followed()

    async def flow(app: Mounted) -> None:
        shown.show(rows)
        await app.press()
        assert 4 <= shown.outer_size.height <= height - 10
        assert "boolq" in app.lines[0] or layers == 1
        await app.press("end")
        last = 2 * layers - 2
        assert shown.cursor == (2, last)
        named = ", ".join(rows[last].labels)
        assert named in app.text
        assert {1: " 0", 30: " 25", 80: " 75"}[layers] in app.text

    mounted(shown, flow, width=width, height=height)


def test_keys_move_within_what_there_is_and_tell() -> None:
    rows = interaction_rows("boolq")
    shown = Followed()

    async def flow(app: Mounted) -> None:
        shown.show(rows)
        shown.focus()
        await app.press("left", "up", "right", "down", "down", "down", "end", "right")
        assert shown.cursor == (4, 56)
        assert shown.told[:4] == [(2, 0), (2, 1), (3, 1), (4, 1)]  # up, from the shortest, is no move
        (one,) = (found for found in rows if (found.size, found.first) == (4, 56))
        assert f"{one.labels[0]} to {one.labels[-1]}" in app.text
        await app.press("up", "end")
        assert shown.cursor == (3, 57)
        told = list(shown.told)
        shown.point_at(2, 5)
        shown.point_at(9, 9)
        await app.press()
        assert shown.cursor == (2, 5)
        assert shown.told == told
        assert "FFN 2, Attn 3" in app.text
        shown.show(interaction_rows("boolq", layers=2))
        await app.press("end")
        assert shown.cursor == (2, 2)

    mounted(shown, flow, width=120)


def test_the_mouse_names_and_picks() -> None:
    shown = Followed()

    async def flow(app: Mounted) -> None:
        shown.show(interaction_rows("boolq"))
        assert app.pilot is not None
        await app.press()
        at = shown.content_region.offset
        await app.pilot.hover(offset=(at.x + LABEL + 2, at.y + 2))
        await app.press()
        assert "Attn 1 to Attn 2" in app.text
        assert shown.cursor == (2, 0)
        await app.pilot.click(offset=(at.x + LABEL + 3, at.y + 1))
        await app.pilot.hover(offset=(0, 20))
        await app.press()
        assert shown.cursor == (2, 3)
        assert shown.told == [(2, 3)]
        assert "FFN 1, Attn 2" in app.text
        await app.pilot.click(offset=(at.x, at.y))
        assert shown.told == [(2, 3)]

    mounted(shown, flow)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(name: str) -> None:
    shown = InteractionMap()

    async def flow(app: Mounted) -> None:
        shown.show([replace(row(0.5, 0.1, 0.9), model=name, task=name, value=name, labels=(name, name))])
        await app.press()
        assert not any(char in app.text for char in "\x1b\u202e")
        assert "effect .500 [.10 to .90]" in app.text

    mounted(shown, flow, width=160)


def test_the_legend_names_the_least_and_the_largest_effect() -> None:
    shown = InteractionMap()

    async def flow(app: Mounted) -> None:
        shown.show([replace(row(1.08, 0.9, 1.3), first=0), replace(row(-0.2, -0.3, -0.1), first=1)])
        await app.press()
        assert "back each other up (-.20)" in app.text
        assert "need each other (1.08)" in app.text
        shown.show([row(1.08, 0.9, 1.3)])
        await app.press()
        assert "back each other up (.00)" in app.text

    mounted(shown, flow, width=120)


def test_nothing_to_show_is_no_failure() -> None:
    shown = InteractionMap()

    async def flow(app: Mounted) -> None:
        shown.show(())
        shown.focus()
        await app.press("right", "down", "end", "home")
        assert "effect" not in app.text

    mounted(shown, flow)
