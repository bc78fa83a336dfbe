"""Record the beginning and the end of a run, also if it fails. Light to import."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from core.records.records import Recorder, RunRecord, RunState

INTERRUPTED_QUERY = "Query interrupted"
"""What a RuntimeError says that DuckDB raises in place of a signal's exception."""


class WorkEndedError(Exception):
    """The work in hand is not wanted any more, which is no failure. ``state`` is the one in which its run ends."""

    state: ClassVar[RunState] = "stopped"


class WorkCancelledError(WorkEndedError):
    """A person has cancelled the work in hand."""

    state: ClassVar[RunState] = "cancelled"


@contextmanager
def recorded_run(recorder: Recorder, run: RunRecord) -> Iterator[str]:
    """Begin a run at a recorder and yield its id; finish it when the block ends.

    The run ends as "finished". Where the block raises it ends as "failed", or in the state of a ``WorkEndedError``, and
    as "stopped" where a signal or its caller ends it. A run that has ended may be begun again.
    """
    recorder.begin(run)
    state: RunState = "stopped"
    try:
        yield run.run_id
        state = "finished"
    except WorkEndedError as end:
        state = end.state
        raise
    except Exception as error:
        interrupted = isinstance(error, RuntimeError) and str(error) == INTERRUPTED_QUERY
        state = "stopped" if interrupted else "failed"
        raise
    finally:
        recorder.finish(run.run_id, state)
