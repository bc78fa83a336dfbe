"""Shares against each other: each player's share on one model and task, and on another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.coalitions.players import PlayerKind
from core.estimators.question import Question
from core.estimators.registry import checked
from core.estimators.windows import WindowFirst
from core.statistics.rank_correlation import spearman
from store.results import Answer, Results
from store.rows import GroupRow, Selection, ShapleyRow
from tui.drawing.gap_text import gap_texts
from tui.drawing.numbers import percent, percent_range
from tui.drawing.plain import counted, plain, told_apart
from tui.drawing.share_scatter import Dot, share_scatter
from tui.explorer.browser_tables import PATIENCE_S
from tui.explorer.compare.scores import EMPTY
from tui.explorer.compare.view import Asked, Export, Lead, Side, View, chosen, first_fill
from tui.explorer.listing import Column, listing

_TOP = 3
_FIRST_OF_Y = 4
"""The number of the first column that is about the second side."""


@dataclass(frozen=True, slots=True)
class SharesRow:
    """One player's shares, ``phi`` and ranks on two sides, each a model on a task; both have a player of this name."""

    label: str
    kind: PlayerKind | None
    model: str
    task: str
    share: float | None
    share_low: float | None
    share_high: float | None
    phi: float
    rank: int
    n: int
    other_model: str
    other_task: str
    other_share: float | None
    other_share_low: float | None
    other_share_high: float | None
    other_phi: float
    other_rank: int
    other_n: int
    value: str
    estimator: str
    max_removed: int
    player: int
    other_player: int
    model_id: str
    task_id: str
    other_model_id: str
    other_task_id: str


def read_shares(asked: Asked) -> View:
    """Read the shares of two sides: those chosen, else the explorer's own and another one.

    Raises:
        CornerstoneError: the store cannot be read, or holds nothing.
    """
    results = Results(asked.store, PATIENCE_S)
    groups = results.groups().rows
    sides = _sides(groups)
    one = chosen(sides, asked.one, f"{asked.model_id} {asked.task_id}", asked.model_id)
    rest = [side for side in sides if side != one]
    other = chosen(rest, asked.other, one.key.partition(" ")[0] if one else None)
    if one is None or other is None:
        return View(listing=listing((), ()), ones=sides, others=sides, nothing=_ONE_SIDE if one else EMPTY)
    read = [_read(results, asked, side) for side in (one, other)]
    # Rows of shorter windows are left out, so that they are gaps here.
    gaps = tuple(gap for answer in read for gap in (*answer.gaps, *answer.partial))
    first, second = (_whole(answer.rows) for answer in read)
    rows = tuple(
        _row(row, second[label])
        for label, row in sorted(first.items(), key=lambda each: each[1].rank)
        if label in second
    )
    alone = sum(label not in second for label in first) + sum(label not in first for label in second)

    def draw(row: Any, _column: int, width: int, height: int) -> str:
        return _drawn(rows, one, other, row, width, height)

    def lead(row: Any, column: int) -> Lead | None:
        if row is None:
            return None
        if column >= _FIRST_OF_Y:
            return Lead(row.other_model_id, row.other_task_id, (row.other_player,))
        return Lead(row.model_id, row.task_id, (row.player,))

    notes = [*gap_texts(gaps, asked.store)]
    if alone and rows:
        notes.append(f"{counted(alone, 'player')} of one side alone: only players that both have are compared")
    return View(
        export=Export("shares", SharesRow, rows),
        subject=f"x: {one.name}   y: {other.name}",
        listing=listing(_COLUMNS, rows),
        draw=draw,
        lead=lead,
        notes=tuple(notes),
        fill=first_fill(gaps),
        ones=sides,
        others=sides,
        nothing="; ".join(notes) or "no player of one side has a player of the same name on the other",
    )


_ONE_SIDE = "only one model on one task is stored; run another task, or another model, and its shares stand here too"


def _sides(groups: tuple[GroupRow, ...]) -> tuple[Side, ...]:
    models = told_apart([(group.model, group.model_id) for group in groups])
    tasks = told_apart([(group.task, group.task_id) for group in groups])
    return tuple(
        Side(f"{group.model_id} {group.task_id}", f"{models[group.model_id]} · {tasks[group.task_id]}")
        for group in groups
    )


def _read(results: Results, asked: Asked, side: Side) -> Answer[ShapleyRow]:
    model_id, _, task_id = side.key.partition(" ")
    question = Question(WindowFirst.of(checked(asked.settings)))
    return results.answers([question], Selection(model_id, task_id), asked.value)


def _whole(rows: tuple[ShapleyRow, ...]) -> dict[str, ShapleyRow]:
    """Return rows by the player's name, unless they come from shorter windows, which are another estimate."""
    return {row.label: row for row in rows if not row.partial}


def _row(one: ShapleyRow, other: ShapleyRow) -> SharesRow:
    return SharesRow(
        label=one.label,
        kind=one.kind,
        model=one.model,
        task=one.task,
        share=one.share,
        share_low=one.share_low,
        share_high=one.share_high,
        phi=one.phi,
        rank=one.rank,
        n=one.n,
        other_model=other.model,
        other_task=other.task,
        other_share=other.share,
        other_share_low=other.share_low,
        other_share_high=other.share_high,
        other_phi=other.phi,
        other_rank=other.rank,
        other_n=other.n,
        value=one.value if one.value == other.value else f"{one.value}, {other.value}",
        estimator=one.estimator,
        max_removed=one.max_removed,
        player=one.player,
        other_player=other.player,
        model_id=one.model_id,
        task_id=one.task_id,
        other_model_id=other.model_id,
        other_task_id=other.task_id,
    )


def _drawn(rows: tuple[SharesRow, ...], one: Side, other: Side, at: Any, width: int, height: int) -> str:
    dots = [Dot(row.label, row.kind, row.share or 0.0, row.other_share or 0.0) for row in rows]
    here = at.label if isinstance(at, SharesRow) else None
    words = _in_words(rows)
    chart = share_scatter(dots, here, width, min(max(height - len(words) - 4, 8), 40))
    return "\n".join([chart, f"→ {plain(one.name)}   ↑ {plain(other.name)}", "", *words])


def _in_words(rows: tuple[SharesRow, ...]) -> list[str]:
    """Return sentences on how far both sides agree."""
    first = rows[0]
    rho = spearman(np.array([row.phi for row in rows]), np.array([row.other_phi for row in rows]))
    tops = [
        {row.label for row in sorted(rows, key=rank)[:_TOP]}
        for rank in (lambda row: row.rank, lambda row: row.other_rank)
    ]
    both = [row.label for row in rows if row.label in tops[0] & tops[1]]
    named = f": {', '.join(both)}" if both else ""
    correlation = "undefined" if np.isnan(rho) else f"{rho:+.2f}"
    return [
        f"Spearman of phi {correlation} over {counted(len(rows), 'player')}; noise in either lowers it",
        f"{len(both)} of the top {_TOP} {'is' if len(both) == 1 else 'are'} the same{named}",
        f"{first.estimator}, n {first.n} and {first.other_n}",
    ]


_COLUMNS = (
    Column("player", lambda row: row.label, lambda row: row.player),
    Column("x share", lambda row: percent(row.share), lambda row: row.share, numeric=True, falling=True),
    Column("95%", lambda row: percent_range(row.share_low, row.share_high), lambda row: row.share_low, numeric=True),
    Column("rank", lambda row: str(row.rank), lambda row: row.rank, numeric=True),
    Column("y share", lambda row: percent(row.other_share), lambda row: row.other_share, numeric=True, falling=True),
    Column(
        "95%",
        lambda row: percent_range(row.other_share_low, row.other_share_high),
        lambda row: row.other_share_low,
        numeric=True,
    ),
    Column("rank", lambda row: str(row.other_rank), lambda row: row.other_rank, numeric=True),
)
