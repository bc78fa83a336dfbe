"""Record the beginning and the end of a run, also if it fails. Light to import."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from core.records.records import Recorder, RunRecord, RunState


@contextmanager
def recorded_run(recorder: Recorder, run: RunRecord) -> Iterator[str]:
    """Begin a run at a recorder and yield its id; finish it when the block ends.

    The run ends as "finished", or as "stopped" where the block raises or its generator is closed.
    """
    recorder.begin(run)
    state: RunState = "stopped"
    try:
        yield run.run_id
        state = "finished"
    finally:
        recorder.finish(run.run_id, state)
