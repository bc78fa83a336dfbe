"""Read interactions of neighbouring players from the windows of one group of results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import duckdb

from core.coalitions.players import Player
from core.coalitions.schedules import INTACT, windows
from core.estimators.estimator import Outcomes
from core.estimators.interactions import interactions
from core.estimators.question import Question
from core.estimators.windows import WindowFirst
from store.reading.answer import Found
from store.reading.gaps import gap_if_too_large, lacks_coalitions, left_out, no_document, no_intact, only_shorter
from store.reading.group_values import read_values
from store.reading.groups import Group
from store.reading.pooled import Values
from store.rows import InteractionRow


def read_interactions(
    db: duckdb.DuckDBPyConnection, group: Group, max_removed: int, value: str
) -> Found[InteractionRow]:
    """Read every window of 2..``max_removed`` players, over the documents that all windows have.

    If windows of that length are not all stored, the longest that are make a partial answer. If not even all pairs are,
    the answer is a gap.
    """
    values = read_values(db, group, value, longest=max_removed)
    found: Found[InteractionRow] = Found(notes=left_out(group, value, values))
    players = group.players
    labels = [player.label for player in players]
    asked = WindowFirst(max_removed)
    question = Question(asked)
    wanted = windows(len(labels), max_removed)
    missing = len(set(wanted) - set(values.scores))
    if INTACT not in values.scores:
        found.gaps.append(no_intact(group, question))
        return found
    complete = None
    with gap_if_too_large(found.gaps, group.title):
        complete = _longest(asked, values, players)
    if found.gaps:
        return found
    if complete is None:
        lacking = lacks_coalitions(group, question, missing, len(wanted))
        found.gaps.append(lacking if missing else no_document(group, question, len(wanted)))
        return found
    longest, outcomes = complete
    if longest < max_removed:
        found.partial.append(only_shorter(group, question, missing, len(wanted), Question(WindowFirst(longest))))
    found.rows += [
        InteractionRow(
            **group.heading,
            value=value,
            layer=players[one.first].layer,
            labels=tuple(labels[one.first :][: one.size]),
            **asdict(one),
        )
        for one in interactions(outcomes, len(labels), longest)
    ]
    return found


def _longest(asked: WindowFirst, values: Values, players: Sequence[Player]) -> tuple[int, Outcomes] | None:
    """Return the longest window that some document has in full, and such documents; None if not even pairs."""
    for estimator in (asked, *asked.smaller()):
        outcomes, absent = Question(estimator).of(players).read_complete(values.scores, values.ratio)
        if estimator.max_removed > 1 and outcomes and not absent:
            return estimator.max_removed, outcomes
    return None
