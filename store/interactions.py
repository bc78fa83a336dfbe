"""Interactions of neighbouring players, from the windows of one group of results."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from core.game import Question
from core.interactions import interactions
from core.players import players_of
from core.report import complete_documents
from core.schedules import INTACT, windows
from store.gaps import lacks_coalitions, no_document, no_intact
from store.groups import Group, Values
from store.rows import InteractionRow


def interaction_rows(
    group: Group, values: Values, value: str, max_removed: int, store: Path
) -> list[InteractionRow] | str:
    """Every window of 2..``max_removed`` players, over the documents that all windows have; else what is missing."""
    labels = [player.label for player in players_of(group.kinds)]
    question = Question("window-first", max_removed=max_removed)
    wanted = windows(len(labels), max_removed)
    if INTACT not in values.scores:
        return no_intact(group, store, question)
    missing = len(set(wanted) - set(values.scores))
    if missing:
        return lacks_coalitions(group, store, question, missing, len(wanted))
    outcomes = complete_documents(values.scores, wanted)
    if not len(outcomes[INTACT]):
        return no_document(group, store, question, len(wanted))
    return [
        InteractionRow(**group.heading, value=value, labels=tuple(labels[one.first :][: one.size]), **asdict(one))
        for one in interactions(outcomes, len(labels), max_removed)
    ]
