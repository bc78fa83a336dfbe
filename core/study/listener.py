"""Listeners to long work: they get sentences about it, and may end it between two batches.

Light to import.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from core.study.worker_view import WorkerView


class Listener(Protocol):
    """Follows work, and may end it: whatever a method raises ends the work, and the chunk in flight is lost."""

    def narrate(self, text: str) -> None:
        """Take a sentence on slow work, such as loading a model."""

    def on_batch(self, done: float) -> None:
        """Called between two batches with how many outcomes of the chunk in flight are done."""

    def on_bytes(self, what: str, done: int, total: int) -> None:
        """Called many times during a download or while weights are loaded.

        Args:
            what: such as ``loading llama-3-8b``.
            done: how many bytes are there.
            total: how many there will be.
        """

    def on_workers(self, workers: Sequence[WorkerView]) -> None:
        """Called with what each worker does: when that changes, and about once a second while they evaluate."""


def _ignore(*_told: object) -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Callbacks:
    """A listener made of functions. One that is left out does nothing."""

    narrate: Callable[[str], None] = _ignore
    on_batch: Callable[[float], None] = _ignore
    on_bytes: Callable[[str, int, int], None] = _ignore
    on_workers: Callable[[Sequence[WorkerView]], None] = _ignore


SILENT: Final[Listener] = Callbacks()
"""A listener that ignores everything."""
