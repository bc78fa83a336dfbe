"""Interactions of neighbouring players, from the windows of one group of results."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import duckdb

from core.game import Question
from core.interactions import interactions
from core.players import players_of
from core.report import complete_documents
from core.schedules import INTACT, windows
from store.answer import Found
from store.gaps import lacks_coalitions, left_out, no_document, no_intact
from store.groups import Group, read_values
from store.rows import InteractionRow


def read_interactions(
    db: duckdb.DuckDBPyConnection, group: Group, store: Path, max_removed: int, value: str
) -> Found[InteractionRow]:
    """Every window of 2..``max_removed`` players, over the documents that all windows have; else what is missing."""
    values = read_values(db, group, value, longest=max_removed)
    found: Found[InteractionRow] = Found(notes=left_out(group, value, values))
    labels = [player.label for player in players_of(group.kinds)]
    question = Question("window-first", max_removed=max_removed)
    wanted = windows(len(labels), max_removed)
    missing = len(set(wanted) - set(values.scores))
    if INTACT not in values.scores:
        found.gaps.append(no_intact(group, store, question))
        return found
    if missing:
        found.gaps.append(lacks_coalitions(group, store, question, missing, len(wanted)))
        return found
    outcomes = complete_documents(values.scores, wanted)
    if not len(outcomes[INTACT]):
        found.gaps.append(no_document(group, store, question, len(wanted)))
        return found
    found.rows += [
        InteractionRow(**group.heading, value=value, labels=tuple(labels[one.first :][: one.size]), **asdict(one))
        for one in interactions(outcomes, len(labels), max_removed)
    ]
    return found
