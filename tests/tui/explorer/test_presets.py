from __future__ import annotations

from dataclasses import replace

from core.coalitions.players import Removed
from tests.support import example_state as example
from tui.explorer.presets import Grid, presets_of

PLAYERS = example.players()
EVERY = tuple(range(60))


def removed_by(grid: Grid, number: int = 1) -> list[Removed | None]:
    return [preset.removed for preset in presets_of(grid, number)]


def test_each_preset_removes_what_it_says() -> None:
    charts = example.charts()
    by_rank = sorted(charts.shapley, key=lambda point: point.rank)
    by_drop = sorted(charts.ablation, key=lambda point: -point.drop)
    intact, share, drop, last, others, rest = removed_by(Grid(PLAYERS, (0, 7), (3,), charts), 2)
    assert intact == ()
    assert share == tuple(sorted(point.player for point in by_rank[:2]))
    assert drop == tuple(sorted(point.player for point in by_drop[:2]))
    assert last == (56, 57, 58, 59)
    assert others == tuple(number for number in EVERY if number != 3)
    assert rest == tuple(number for number in EVERY if number not in {0, 7})


def test_more_than_there_are_is_all_of_them() -> None:
    intact, share, drop, last, _, _ = removed_by(Grid(PLAYERS, (), (0,), example.charts()), 999)
    assert (intact, share, drop, last) == ((), EVERY, EVERY, EVERY)


def test_what_is_not_known_yet_is_said() -> None:
    presets = presets_of(Grid(PLAYERS, (), (0,), None), 3)
    assert [preset.removed is None for preset in presets] == [False, True, True, False, False, False]
    assert "r runs the windows" in presets[1].detail
    assert "r runs the ablation" in presets[2].detail


def test_a_group_with_the_largest_share_is_removed_whole() -> None:
    charts = example.charts()
    points = tuple(
        replace(point, player=at, players="layers", label=f"Layer {at}", rank=(at - 7) % 30 + 1)
        for at, point in enumerate(charts.shapley[:30])
    )
    grouped = charts.model_copy(update={"shapley": points})
    assert removed_by(Grid(PLAYERS, (), (0,), grouped))[1] == (14, 15)


def test_models_with_other_sublayers_lose_their_last_layers_whole() -> None:
    players = example.players(example.HYBRID)
    last = removed_by(Grid(players, (), (0,), None), 3)[3]
    assert [players[number].label for number in last or ()] == ["Attn 27", "SSM 28", "FFN 28", "Conv 29", "MoE 29"]
