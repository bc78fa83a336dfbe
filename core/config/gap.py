"""Gaps: data that an answer lacks, and the run that fills them. Each front end words the run in its own way."""

from __future__ import annotations

from dataclasses import dataclass

from core.config.run_config import RunConfig


@dataclass(frozen=True, slots=True)
class PackagedStudy:
    """A run configuration that comes with the program; ``name`` is such as ``paper/llama-3-8b``."""

    name: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap of an answer. ``str`` gives a sentence for people.

    Attributes:
        what: a sentence that names the model and the task, and what is missing.
        fill: the run that fills the gap, on the same store; None if no run does.
        writing: the ids of runs that still write these results, and may fill a part of the gap.
    """

    what: str
    fill: RunConfig | PackagedStudy | None = None
    writing: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.writing:
            return self.what
        return f"{self.what}; {still_writing(self.writing)}"


def still_writing(runs: tuple[str, ...]) -> str:
    """Return which runs are still writing, in words; there is at least one."""
    return f"run {runs[0]} is still writing" if len(runs) == 1 else f"runs {', '.join(runs)} are still writing"
