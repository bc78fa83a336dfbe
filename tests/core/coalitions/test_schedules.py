from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.coalitions.schedules import ablation, hand_picked, windows


@pytest.mark.parametrize(("players", "coalitions"), [(60, 235), (64, 251), (160, 635)])
def test_counts_of_windows(players: int, coalitions: int) -> None:
    assert len(windows(players)) == len(windows(players, 4)) == coalitions


def test_ablation_is_intact_and_each_player_alone() -> None:
    assert ablation(60) == [(), *((player,) for player in range(60))]


@given(st.integers(1, 40), st.integers(1, 8))
def test_windows_are_runs_of_consecutive_players_each_once(players: int, max_removed: int) -> None:
    found = windows(players, max_removed)
    assert found[0] == ()
    assert len(set(found)) == len(found)
    assert len(found) == 1 + sum(players - n + 1 for n in range(1, max_removed + 1) if n <= players)
    for window in found[1:]:
        assert window == tuple(range(window[0], window[-1] + 1))
        assert 0 <= window[0] <= window[-1] < players
        assert len(window) <= max_removed


def test_windows_longer_than_the_model_are_left_out() -> None:
    assert windows(3, 8) == [(), (0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2)]


def test_hand_picked_sets_come_once_with_the_intact_model() -> None:
    assert hand_picked([(3,), (), (0, 3), (3,)]) == [(), (3,), (0, 3)]
    assert hand_picked([]) == [()]
