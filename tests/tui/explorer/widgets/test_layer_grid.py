from __future__ import annotations

from dataclasses import replace

import pytest

from core.coalitions.players import Kinds, Removed, players_of
from tests.support import example_state as example
from tests.support.mounted_widget import Mounted, mounted, text_of
from tui.drawing.kinds import LOOKS, MIXERS
from tui.explorer.widgets.layer_grid import LayerGrid


def _grid(removed: Removed = (), layers: example.Layers = 30, *, known: bool = True) -> LayerGrid:
    grid = LayerGrid()
    grid.show(example.players(layers), removed, example.charts(layers) if known else None)
    return grid


@pytest.mark.parametrize(
    ("keys", "change"),
    [
        (("space",), (0,)),
        (("down", "space"), (1,)),
        (("right", "right", "down", "space"), (5,)),
        (("end", "space"), (58,)),
        (("down", "end", "right", "down", "space"), (59,)),
        (("end", "home", "left", "up", "space"), (0,)),
        (("shift+right", "shift+right", "space"), (0, 2, 4)),
        (("shift+down", "space"), (0, 1)),
        (("right", "shift+right", "shift+down", "space"), (2, 3, 4, 5)),
        (("right", "right", "shift+left", "space"), (2, 4)),
        (("shift+right", "right", "space"), (4,)),
        (("end", "shift+home", "shift+down", "space"), tuple(range(60))),
    ],
)
def test_keys_choose_what_space_removes(keys: tuple[str, ...], change: Removed) -> None:
    async def flow(app: Mounted) -> None:
        await app.press(*keys)
        assert app.changes == [change]

    mounted(_grid(), flow)


# Layers with an SSM and an FFN, an SSM, an FFN, an attention, and again.
UNEVEN: Kinds = (("ssm", "ffn"), ("ssm",), ("ffn",), ("attn",)) * 3


@pytest.mark.parametrize(
    ("keys", "change"),
    [
        (("right", "space"), (2,)),
        (("right", "right", "space"), (4,)),
        (("right", "right", "left", "space"), (2,)),
        (("down", "right", "space"), (3,)),
        (("right", "down", "space"), (1,)),
        (("right", "right", "down", "space"), (3,)),
        (("end", "space"), (14,)),
        (("end", "right", "down", "space"), (13,)),
        (("down", "end", "space"), (13,)),
        (("end", "home", "space"), (0,)),
        (("down", "down", "down", "space"), (1,)),
        (("shift+right", "shift+right", "space"), (0, 2, 4)),
        # A block that goes down where a layer lacks the row below grows, and does not shrink.
        (("shift+right", "shift+right", "shift+down", "space"), (0, 1, 2, 3, 4, 5, 6)),
        (("end", "shift+left", "shift+down", "space"), (10, 11, 12, 13, 14)),
        (("shift+end", "shift+down", "space"), tuple(range(14))),
    ],
)
def test_the_cursor_skips_what_a_layer_lacks(keys: tuple[str, ...], change: Removed) -> None:
    async def flow(app: Mounted) -> None:
        await app.press(*keys)
        assert app.changes == [change]

    mounted(_grid(layers=UNEVEN, known=False), flow)


def test_all_players_of_four_a_layer_are_reached_in_the_order_of_running() -> None:
    async def flow(app: Mounted) -> None:
        for _ in range(4):
            await app.press("space", "down")
        assert app.changes[-1] == (0, 1, 2, 3)
        await app.press("up", "up", "right", "space")
        assert app.changes[-1] == (0, 1, 2, 3, 5)
        assert "MoE 1 removed" in app.text

    mounted(_grid(layers=example.FOUR), flow)


def test_a_click_where_a_layer_has_no_player_changes_nothing() -> None:
    async def flow(app: Mounted) -> None:
        assert app.pilot is not None
        layout = app.shown._layout
        for layer, row, changes in ((1, 1, []), (2, 0, []), (2, 1, [(3,)])):
            x, y = layout.place(layer, row)
            await app.pilot.click(LayerGrid, offset=(x + 2, y + 1))
            assert app.changes == changes

    mounted(_grid(layers=UNEVEN), flow)


def test_bands_that_do_not_fit_are_told_and_follow_the_cursor() -> None:
    async def flow(app: Mounted) -> None:
        assert "↓" in app.text
        assert "Linear 87" not in app.text
        await app.press("end")
        assert "↑" in app.text
        assert "↓" not in app.text
        assert app.pilot is not None
        x, y = app.shown._layout.place(44, 1)
        await app.pilot.click(LayerGrid, offset=(x + 2, y + 1 - app.shown._layout.lines_a_band))
        assert app.changes == [(app.shown.cursor,)]
        assert app.shown._slots.cells[app.shown.cursor] == (44, 1)
        await app.press("home")
        assert "↓" in app.text

    mounted(_grid(layers=example.DEEP), flow, height=24)


def test_kinds_that_share_a_row_have_glyphs_of_their_own_and_a_key() -> None:
    grid = LayerGrid()
    text = text_of(grid, lambda: grid.show(example.players(example.HYBRID), (), example.charts(example.HYBRID)))
    assert "Layers: ●▓ Attn  ◆▅ SSM  ■▙ Conv  ×▓ FFN  ✚⣶ MoE" in text
    mixers = next(line for line in text.split("\n") if "Mix " in line)
    cells = [mixers[7 + 2 * layer] for layer in range(len(example.HYBRID))]
    for layer, kinds in enumerate(example.HYBRID):
        if layer > 0:
            assert cells[layer] in (LOOKS[kinds[0]].weights if kinds[0] in MIXERS else " ")
    unknown = LayerGrid()
    text = text_of(unknown, lambda: unknown.show(example.players(example.HYBRID), (), None))
    mixers = next(line for line in text.split("\n") if "Mix " in line or "Mix[" in line)
    assert [mixers[7 + 2 * layer] for layer in range(6)] == ["◆", "◆", " ", "●", "◆", "■"]
    assert "●◆■×✚ unknown" in text


def test_the_legend_shows_only_the_kinds_that_the_model_has() -> None:
    grid = LayerGrid()
    text = text_of(grid, lambda: grid.show(example.players(example.ONE), (), example.charts(example.ONE)))
    assert "drop ▁ <" in text
    assert "Layers ─" in text
    assert not set("░▒▓█") & set(text)


def test_another_model_with_as_many_players_is_drawn_anew() -> None:
    grid = LayerGrid()

    def show() -> None:
        grid.show(example.players(4), (), None)
        grid.show(players_of([("ssm", "ffn")] * 4), (), None)

    assert "SSM 0" in text_of(grid, show)


def test_a_second_toggle_puts_back_and_a_mixed_block_is_first_removed_whole() -> None:
    async def flow(app: Mounted) -> None:
        await app.press("shift+right", "shift+right", "space", "space")
        assert app.changes == [(0, 2, 4, 9), (9,)]

    mounted(_grid((2, 9)), flow)


def test_toggles_that_come_before_the_screen_has_answered_add_up() -> None:
    async def flow(app: Mounted) -> None:
        await app.press("space", "right", "space", "right", "space")
        assert app.changes[-1] == (0, 2, 4)

    mounted(_grid(), flow)


def test_a_click_toggles_the_cell_and_shift_click_selects_up_to_it() -> None:
    async def flow(app: Mounted) -> None:
        assert app.pilot is not None
        # Border and padding, then the label; cells are two wide; FFN is the third line within the border.
        await app.pilot.click(LayerGrid, offset=(2 + 5 + 2 * 7, 3))
        assert app.changes == [(15,)]
        assert app.shown.cursor == 15
        await app.pilot.click(LayerGrid, offset=(2 + 5 + 2 * 9, 3), shift=True)
        assert app.shown.selection == (15, 17, 19)
        assert len(app.changes) == 1

    mounted(_grid(), flow)


def test_dragging_selects_and_removes_nothing() -> None:
    async def flow(app: Mounted) -> None:
        assert app.pilot is not None
        layout = app.shown._layout

        def at(column: int, row: int) -> tuple[int, int]:
            x, y = layout.place(column, row)
            return x + 2, y + 1

        await app.pilot.mouse_down(LayerGrid, offset=at(16, 0))
        for column in range(17, 23):
            await app.pilot.hover(LayerGrid, offset=at(column, 1))
        await app.pilot.mouse_up(LayerGrid, offset=at(22, 1))
        assert app.shown.selection == tuple(range(32, 46))
        assert app.changes == []
        await app.press("space")
        assert app.changes == [tuple(range(32, 46))]
        # A click later on is a click again.
        await app.pilot.click(LayerGrid, offset=at(3, 1))
        assert app.shown.selection == (7,)
        assert app.changes[-1] == (7, *range(32, 46))

    mounted(_grid(), flow)


@pytest.mark.parametrize("end", [(200, 3), (3, 20)])
def test_dragging_out_of_the_grid_keeps_what_was_selected(end: tuple[int, int]) -> None:
    async def flow(app: Mounted) -> None:
        assert app.pilot is not None
        await app.pilot.mouse_down(LayerGrid, offset=(2 + 5 + 2, 2))
        await app.pilot.hover(LayerGrid, offset=(2 + 5 + 6, 2))
        await app.pilot.hover(offset=(min(end[0], 79), end[1]))
        await app.pilot.mouse_up(offset=(min(end[0], 79), end[1]))
        assert app.shown.selection == (2, 4, 6)
        await app.pilot.hover(LayerGrid, offset=(2 + 5 + 20, 2))
        assert app.shown.selection == (2, 4, 6)
        assert app.changes == []

    mounted(_grid(), flow)


def test_escape_and_deselect_leave_the_cursor_alone() -> None:
    async def flow(app: Mounted) -> None:
        await app.press("shift+right", "shift+down", "escape")
        assert app.shown.selection == (3,)
        assert app.changes == []

    mounted(_grid(), flow)


def test_whole_layers_are_removed_and_put_back() -> None:
    grid = _grid(layers=example.FOUR)

    async def flow(app: Mounted) -> None:
        await app.press("right", "down")
        grid.toggle_here(whole_layers=True)
        await app.press("shift+right")
        grid.toggle_here(whole_layers=True)
        grid.toggle_here(whole_layers=True)
        await app.press("left")
        assert app.changes == [(4, 5, 6, 7), tuple(range(4, 12)), ()]

    mounted(grid, flow)


def test_a_selection_does_not_hide_the_numbers_of_the_layer_under_the_cursor() -> None:
    async def flow(app: Mounted) -> None:
        await app.press("shift+right", "shift+down")
        assert "4 selected" in app.text
        assert "FFN 1" in next(line for line in app.lines if "selected" in line)
        assert "drop" in next(line for line in app.lines if "selected" in line)

    mounted(_grid(), flow, width=120)


@pytest.mark.parametrize("offset", [(3, 2), (10, 1), (77, 2), (10, 4)])
def test_a_click_beside_the_cells_changes_nothing(offset: tuple[int, int]) -> None:
    async def flow(app: Mounted) -> None:
        assert app.pilot is not None
        await app.pilot.click(LayerGrid, offset=offset)
        assert app.changes == []

    mounted(_grid(), flow)


@pytest.mark.parametrize("layers", [1, 2, 30, 32, 80])
@pytest.mark.parametrize("width", [40, 80, 200])
def test_every_cell_is_drawn_once(layers: int, width: int) -> None:
    removed = tuple(range(2 * layers))
    grid = LayerGrid()

    text = text_of(grid, lambda: grid.show(example.players(layers), removed, None), width=width, height=60)

    cells = "\n".join(line for line in text.split("\n") if "Attn " in line or "FFN " in line or "Attn[" in line)
    # The one under the cursor is drawn without brackets, and all the same, where cells are narrow.
    assert cells.count("✕") == 2 * layers
    assert "…" not in cells


def test_a_larger_drop_has_a_fuller_glyph_and_what_is_unknown_is_a_dot() -> None:
    grid = LayerGrid()
    text = text_of(grid, lambda: grid.show(example.players(), (), example.charts()))
    ablation = {point.player: point for point in example.charts().ablation}
    attn, ffn = (next(line for line in text.split("\n") if name in line) for name in ("Attn", "FFN"))
    fullness = {(ffn if player % 2 else attn)[7 + player // 2 * 2]: point.drop for player, point in ablation.items()}
    glyphs = [glyph for glyph in "░▒▓█" if glyph in fullness]
    assert len(glyphs) >= 3
    assert [fullness[glyph] for glyph in glyphs] == sorted(fullness[glyph] for glyph in glyphs)
    unknown = LayerGrid()
    assert text_of(unknown, lambda: unknown.show(example.players(), (), None)).count("·") == 60 + 1


def test_the_detail_line_tells_its_documents_where_the_intact_score_is_of_others() -> None:
    charts = example.charts()
    assert charts.intact is not None
    grid = LayerGrid()
    assert "n = " not in text_of(grid, lambda: grid.show(example.players(), (), charts), width=120)
    other = charts.model_copy(update={"intact": replace(charts.intact, n=240)})
    assert "drop .233 [.17 to .32], n = 120" in text_of(
        grid := LayerGrid(), lambda: grid.show(example.players(), (), other), width=120
    )


def test_the_detail_line_says_what_is_known_of_the_player_under_the_cursor() -> None:
    async def flow(app: Mounted) -> None:
        assert "Attn 0  without it .658, drop .233 [.17 to .32]  share " in app.text
        await app.press("right", "shift+right", "shift+down")
        assert "4 selected, Attn 1 to FFN 2: space removes them" in app.text
        await app.press("space")
        assert "space puts them back" in app.text

    mounted(_grid(), flow)


def test_the_cursor_is_seen_where_cells_are_one_wide() -> None:
    async def flow(app: Mounted) -> None:
        for keys in ((), ("down",), ("end",)):
            await app.press(*keys)
            x, y = app.shown._layout.place(*app.shown._slots.cells[app.shown.cursor])
            column, line = x + app.shown.content_region.x, y + app.shown.content_region.y
            style = app.screen.get_style_at(column, line)
            assert style.reverse
            assert app.lines[line][column] == " "

    mounted(_grid(layers=80), flow)


def test_a_share_of_a_group_is_not_taken_for_a_players() -> None:
    charts = example.charts()
    groups = tuple(replace(point, players="blocks:3") for point in charts.shapley[:10])
    grid = LayerGrid()
    own = text_of(grid, lambda: grid.show(example.players(), (), charts), width=120)
    assert "share" in own
    grouped = charts.model_copy(update={"shapley": groups})
    grid = LayerGrid()
    other = text_of(grid, lambda: grid.show(example.players(), (), grouped), width=120)
    assert "without it" in other
    assert "share" not in other


def test_a_mixture_of_experts_is_called_so() -> None:
    grid = LayerGrid()
    text = text_of(grid, lambda: grid.show(players_of([("attn", "moe")] * 4), (), None))
    assert "MoE" in text
    assert "FFN" not in text


def test_without_a_model_it_says_what_to_do_and_ignores_keys() -> None:
    async def flow(app: Mounted) -> None:
        assert "m chooses another" in app.text
        await app.press("right", "down", "end", "shift+left", "space")
        assert app.changes == []
        app.shown.show(example.players(2), (), None)
        await app.press("space")
        assert app.changes == [(0,)]

    mounted(LayerGrid(), flow)


def test_a_smaller_model_keeps_the_cursor_within_it() -> None:
    async def flow(app: Mounted) -> None:
        await app.press("end", "down", "shift+left")
        app.shown.show(example.players(2), (), None)
        await app.press("space")
        assert app.changes == [(3,)]

    mounted(_grid(), flow)
