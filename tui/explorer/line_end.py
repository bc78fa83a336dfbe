"""Why the explorer's line to its evaluator has ended, in words."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from tui.explorer.state import State

_GONE: Final = "the evaluator is gone; what it had written is safe. ctrl+r starts it again, and it goes on where it was"
_ENDED: Final = "the evaluator has ended; ctrl+r starts it again"
_ENDED_BY: Final = MappingProxyType(
    {
        "explorer": "another explorer has ended the evaluator; what it had written is safe. ctrl+r starts it again",
        "signal": (
            "the evaluator was ended from outside, by a signal; what it had written is safe. ctrl+r starts it again"
        ),
    }
)


def why_lost(state: State, *, own: bool) -> str:
    """Return the sentence on an evaluator that does not talk any more.

    Args:
        state: the last state with it.
        own: whether this explorer has asked it to end.
    """
    if own:
        return _ENDED
    return _GONE if state.ended_by is None else _ENDED_BY[state.ended_by]
