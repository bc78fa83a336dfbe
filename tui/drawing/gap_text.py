"""Sentences on the gaps of an answer, each with the command that fills the gap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from core.config.gap import Gap, still_writing
from store.reading.answer import Answer
from tui.drawing.command_line import run_command


def gap_text(gap: Gap, store: Path) -> str:
    """Return the sentence of a gap in the results of ``store``."""
    if gap.fill is None:
        return str(gap)
    command = run_command(gap.fill, store)
    if not gap.writing:
        return f"{gap.what}; `{command}` fills it"
    return f"{gap.what}; {still_writing(gap.writing)}, and what is missing after that `{command}` fills"


def gap_texts(gaps: Iterable[Gap], store: Path) -> tuple[str, ...]:
    """Return the sentences of several gaps."""
    return tuple(gap_text(gap, store) for gap in gaps)


def note_texts(answers: Iterable[Answer[Any]], store: Path) -> Iterator[str]:
    """Yield the notes on the rows of answers, each sentence once; those on partial results come first."""
    found = list(answers)
    partial = (gap_text(gap, store) for answer in found for gap in answer.partial)
    yield from dict.fromkeys([*partial, *(note for answer in found for note in answer.notes)])
