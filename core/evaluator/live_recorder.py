"""The evaluator's recorder: it passes outcomes on to the live tasks, and asks these before the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from core.coalitions.players import Removed
from core.evaluator.live_task import LiveTask
from core.recording.write_behind import WriteBehindRecorder
from core.recording.writes import Record
from core.records.records import Assignment, Recorder, StoredValues


class LiveRecorder(WriteBehindRecorder):
    """A recorder whose calls return at once. ``live_tasks`` get each outcome before it is written."""

    def __init__(self, recorder: Recorder, store: Path, on_change: Callable[[], None]) -> None:
        """Start the thread that writes.

        Args:
            recorder: the recorder to write to.
            store: the file that it writes to.
            on_change: called from the thread after each write that works or fails.
        """
        self.live_tasks: tuple[LiveTask, ...] = ()
        super().__init__(recorder, store, on_change=on_change)
        self._recover()

    def _taken(self, record: Record) -> None:
        for live_task in self.live_tasks:
            live_task.add(record.assignment, record.outcomes)

    def stored(self, assignment: Assignment) -> Mapping[str, frozenset[Removed]]:
        for live_task in self.live_tasks:
            if live_task.holds(assignment):
                return live_task.evaluated(assignment)
        return super().stored(assignment)

    def values(self, assignment: Assignment, metric: str) -> StoredValues:
        for live_task in self.live_tasks:
            if live_task.column == metric and live_task.holds(assignment):
                return live_task.values(assignment)
        return super().values(assignment, metric)

    def fill(self, live_task: LiveTask, assignment: Assignment) -> None:
        """Load into a live task the outcomes of an assignment's documents that are stored or wait to be written.

        Raises:
            CornerstoneError: the store cannot be read, or is in use.
        """
        for record in self._waiting_of(assignment):
            live_task.add(record.assignment, record.outcomes)
        live_task.load(self._reader.values(assignment, live_task.column))
