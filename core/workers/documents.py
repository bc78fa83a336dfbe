"""How driver and workers name a task, and tell whether they have the same documents of it."""

from __future__ import annotations

from core.records.fingerprint import digest_of
from core.tasks.prepare import PreparedTask
from core.workers.messages import TaskId


def task_id(task: PreparedTask) -> TaskId:
    """Return what identifies a task and its data."""
    return task.record.fingerprint, task.data.fingerprint


def documents_digest(task: PreparedTask) -> str:
    """Return a digest of a task's documents and their order."""
    return digest_of([document.record.key for document in task.documents])
