"""Made-up rows of the store for the example state: documents of what is removed, and interactions."""

from __future__ import annotations

from pathlib import Path

from store.reading.documents import Documents
from store.rows import DocumentRow
from tests.support import example_state as example
from tests.support.figure_rows import interaction_rows
from tui.explorer.home_reading import HomeRows, Wanted

_PROMPTS = ("The key to the cabinets", "[red]The authors[/] near the senator", "The pilots that the guard admires")
_CHOICES = ("is", "are")


def home_rows(_store: Path, wanted: Wanted) -> HomeRows:
    """Return rows as ``tui.explorer.home_reading.read_home`` does."""
    intact, now = example.scores()[()], example.scores()[(0,)]
    rows = [_row(at, bool(intact[at]), bool(now[at])) for at in range(40)]
    rows.sort(key=lambda row: not row.changed)
    changed = int((intact != now).sum())
    return HomeRows(wanted, Documents(tuple(rows), len(intact), changed), tuple(interaction_rows(example.TASK)))


def _row(at: int, was_right: bool, is_right: bool) -> DocumentRow:
    gold = at % 2
    was, now = (gold if right else 1 - gold for right in (was_right, is_right))
    return DocumentRow(
        model="SmolLM2-135M-Instruct",
        task=example.TASK,
        removed=(0, 7),
        doc_id=at,
        prompt=_PROMPTS[at % len(_PROMPTS)],
        choices=_CHOICES,
        gold=(gold,),
        pick_intact=was,
        pick=now,
        acc_intact=float(was_right),
        acc=float(is_right),
        logprobs_intact=(-1.0, -2.0),
        logprobs=(-1.5, -1.6),
        written_intact=None,
        written=None,
        value="acc",
        score_intact=float(was_right),
        score=float(is_right),
        changed=was_right != is_right,
        model_id="ffff",
        task_id="3f2a",
    )
