from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.coalitions.players import Removed
from tui.explorer.steps import Steps

_SETS = st.lists(st.tuples(st.integers(0, 5)), min_size=1, max_size=12)


@given(_SETS)
def test_undo_goes_back_to_the_beginning_and_redo_to_the_end(sets: list[Removed]) -> None:
    steps, now = Steps(), ()
    seen: list[Removed] = [now]
    for removed in sets:
        steps = steps.onward(now, removed)
        seen += [removed] if removed != now else []
        now = removed
    back = []
    while (found := steps.back(now)) is not None:
        steps, now = found
        back.append(now)
    assert back == seen[-2::-1]
    again = []
    while (found := steps.again(now)) is not None:
        steps, now = found
        again.append(now)
    assert again == seen[1:]


def test_a_change_after_an_undo_ends_what_can_be_redone() -> None:
    steps = Steps().onward((), (1,))
    found = steps.back((1,))
    assert found is not None
    steps, now = found
    steps = steps.onward(now, (2,))
    assert steps.again((2,)) is None
    assert steps.back((2,)) == (Steps((), ((2,),)), ())
