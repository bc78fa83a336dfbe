"""Who watches a removal path being searched. Light to import."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.removal_path.rows import PathRow
from core.study.events import StudyEvent


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who is told of the work: in words, and of a study's events.

    ``breathe`` is told how many outcomes of the chunk in flight are done, and what it raises ends the search;
    ``stepped`` gets the rows of each step as soon as it is taken.
    """

    narrate: Callable[[str], None]
    follow: Callable[[StudyEvent], None]
    breathe: Callable[[float], None]
    stepped: Callable[[Sequence[PathRow]], None]
