"""Narrate long work on stderr, and show the progress of a study."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console

from core.study.events import StudyEvent
from core.study.worker_view import WorkerView
from tui.commands.progress import ProgressView, progress_on
from tui.commands.worker_report import WorkerReport
from tui.drawing.plain import plain


class ConsoleListener:
    """A ``core.study.listener.Listener`` that also shows a study's events.

    If stderr is a terminal, a bar stays until the phase ends or the listener is closed.

    Attributes:
        check: called between batches and after events; what it raises stops the work.
    """

    def __init__(self, progress: Callable[[Callable[[str], None]], ProgressView] | None = None) -> None:
        """Make a listener.

        Args:
            progress: makes what shows the progress, from what says a line; None: what suits a study and stderr.
        """
        self.check: Callable[[], None] = lambda: None
        self._err = Console(stderr=True, markup=False, highlight=False)
        self._progress = progress_on(self._err, self.narrate) if progress is None else progress(self.narrate)
        self._workers = WorkerReport(self.narrate)

    def narrate(self, text: str) -> None:
        self._err.print(plain(text), soft_wrap=True)

    def on_batch(self, done: float) -> None:
        self._progress.advance(done)
        self.check()

    def on_bytes(self, what: str, done: int, total: int) -> None:
        """Say nothing: what is downloaded, and its size, was narrated before."""

    def on_workers(self, workers: Sequence[WorkerView]) -> None:
        self._progress.show_crew(self._workers.take(workers))

    def on_event(self, event: StudyEvent) -> None:
        self._progress.show(event)
        self.check()

    def close(self) -> None:
        self._progress.close()
        self._workers.close()
