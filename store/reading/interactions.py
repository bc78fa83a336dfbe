"""Interactions of neighbouring players, from the windows of one group of results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import duckdb

from core.coalitions.players import Player, players_of
from core.coalitions.schedules import INTACT, windows
from core.estimators.estimator import Outcomes
from core.estimators.interactions import interactions
from core.estimators.question import Question, Scores
from store.reading.answer import Found
from store.reading.gaps import lacks_coalitions, left_out, no_document, no_intact, only_shorter
from store.reading.groups import Group, read_values
from store.rows import InteractionRow


def read_interactions(
    db: duckdb.DuckDBPyConnection, group: Group, store: Path, max_removed: int, value: str
) -> Found[InteractionRow]:
    """Every window of 2..``max_removed`` players, over the documents that all windows have; else what is missing.

    Where windows of that length are not all there, those of the longest that are make a partial answer.
    """
    values = read_values(db, group, value, longest=max_removed)
    found: Found[InteractionRow] = Found(notes=left_out(group, value, values))
    players = players_of(group.kinds)
    labels = [player.label for player in players]
    question = Question("window-first", max_removed=max_removed)
    wanted = windows(len(labels), max_removed)
    missing = len(set(wanted) - set(values.scores))
    if INTACT not in values.scores:
        found.gaps.append(no_intact(group, store, question))
        return found
    complete = _longest(question, values.scores, players)
    if complete is None:
        lacking = lacks_coalitions(group, store, question, missing, len(wanted))
        found.gaps.append(lacking if missing else no_document(group, store, question, len(wanted)))
        return found
    longest, outcomes = complete
    if longest < max_removed:
        found.notes.append(only_shorter(group, store, question, missing, len(wanted), longest))
    found.rows += [
        InteractionRow(**group.heading, value=value, labels=tuple(labels[one.first :][: one.size]), **asdict(one))
        for one in interactions(outcomes, len(labels), longest)
    ]
    return found


def _longest(question: Question, scores: Scores, players: Sequence[Player]) -> tuple[int, Outcomes] | None:
    """The longest windows of which some document has all, and such documents; None where not even pairs have one."""
    for size in range(question.max_removed, 1, -1):
        outcomes, absent = replace(question, max_removed=size).of(players).read_complete(scores)
        if outcomes and not absent:
            return size, outcomes
    return None
