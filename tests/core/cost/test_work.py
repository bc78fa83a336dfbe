"""The operations of a study: each distinct state once, a plain loop all of them."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
from hypothesis import given

from core.cost.work import LayerWork, ModelWork, PlayerWork, RowWork, Sight, added, operations, plain_operations

LAYERS = 3
ATTENTION, FFN = PlayerWork(5.0, by_token=False, attends=True), PlayerWork(11.0, by_token=True, attends=False)
MODEL = ModelWork((LayerWork((ATTENTION, FFN), 0.0, True, 0, 64),) * LAYERS, (Sight(),), 7, 13.0, 300)
ROWS = RowWork(10.0, 4.0, (55.0,))

removed_sets = st.sets(st.integers(0, 2 * LAYERS - 1)).map(lambda found: tuple(sorted(found)))
coalitions = st.lists(removed_sets, min_size=1, max_size=12, unique=True)


def forward(removed: tuple[int, ...], *, read_last: float) -> float:
    """Return the operations of one model without some players."""
    total = 2 * read_last * MODEL.head
    for player in range(2 * LAYERS):
        if player in removed:
            continue
        if player % 2 == 0:
            total += 2 * ROWS.tokens * ATTENTION.weights + 4 * ROWS.pairs[0] * MODEL.attention_width
        else:
            total += 2 * (read_last if player == 2 * LAYERS - 1 else ROWS.tokens) * FFN.weights
    return total


@given(coalitions)
def test_a_plain_loop_runs_a_whole_model_for_each(asked: list[tuple[int, ...]]) -> None:
    assert plain_operations(MODEL, ROWS, asked) == sum(forward(removed, read_last=ROWS.tokens) for removed in asked)


@given(removed_sets)
def test_of_one_coalition_nothing_is_shared(removed: tuple[int, ...]) -> None:
    assert operations(MODEL, ROWS, [removed]) == forward(removed, read_last=ROWS.scored)


@given(coalitions)
def test_what_agrees_below_a_layer_is_computed_once(asked: list[tuple[int, ...]]) -> None:
    shared = operations(MODEL, ROWS, asked)
    assert shared <= operations(replace(MODEL, shares=False), ROWS, asked)
    # The first layer has as many states as there are ways to remove its players.
    first = {tuple(player for player in removed if player < 2) for removed in asked}
    tail = [tuple(player for player in removed if player >= 2) for removed in asked]
    alone = sum(
        2 * ROWS.tokens * ATTENTION.weights * (0 not in removed)
        + 4 * ROWS.pairs[0] * MODEL.attention_width * (0 not in removed)
        + 2 * ROWS.tokens * FFN.weights * (1 not in removed)
        for removed in first
    )
    everything = (0, 1)
    without = [everything + rest for rest in tail]
    if len(first) == 1:
        assert shared == alone + operations(MODEL, ROWS, without)


@given(coalitions, st.floats(0.5, 20))
def test_documents_add_up(asked: list[tuple[int, ...]], factor: float) -> None:
    both = operations(MODEL, added([ROWS, ROWS.times(factor)], 1), asked)
    assert abs(both - (1 + factor) * operations(MODEL, ROWS, asked)) <= 1e-9 * both


def test_a_layer_that_leaves_something_runs_without_its_players() -> None:
    scaled = replace(MODEL, layers=(replace(MODEL.layers[0], beside=3.0, passes=False), *MODEL.layers[1:]))
    gone = [(0, 1)]
    assert operations(scaled, ROWS, gone) - operations(MODEL, ROWS, gone) == 2 * ROWS.tokens * 3.0


def test_an_attention_with_a_window_sees_fewer_pairs() -> None:
    layers = (replace(MODEL.layers[0], sight=1), *MODEL.layers[1:])
    local = replace(MODEL, layers=layers, sights=(Sight(), Sight(window=2)))
    rows = replace(ROWS, pairs=(55.0, 19.0))
    assert operations(MODEL, ROWS, [()]) - operations(local, rows, [()]) == 4 * (55 - 19) * MODEL.attention_width
