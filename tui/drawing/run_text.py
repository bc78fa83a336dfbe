"""What a run has done, in a few words, read of the command that is kept with it."""

from __future__ import annotations

import shlex
from itertools import pairwise
from typing import Final

from store.rows import RunRow

BY_HAND: Final = "by hand"
_LONGEST: Final = 24
_OF_EXPLORER: Final = "cornerstone"
"""What the explorer's evaluator keeps as the command of layers that are removed by hand; it has no schedule."""


def what_ran(row: RunRow) -> str:
    """Return what a run has done: ``windows``, ``path``, ``quickstart``, or ``by hand`` in the explorer."""
    try:
        words = shlex.split(row.command)
    except ValueError:
        words = row.command.split()
    if words == [_OF_EXPLORER]:
        return BY_HAND
    chosen = [after for word, after in pairwise(words) if word == "--schedule"]
    chosen += [word.partition("=")[2] for word in words if word.startswith("--schedule=")]
    if not chosen and "--remove" in words:
        chosen = ["chosen sets"]
    if not chosen:
        chosen = _named(words[1:])
    text = ", ".join(chosen)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _named(words: list[str]) -> list[str]:
    """Return the configuration of a run, else the command; a run that names neither is an ablation."""
    if words[:1] != ["run"]:
        return words[:1]
    own = [word for word in words[1:2] if not word.startswith("-")]
    return own or ["ablation"]
