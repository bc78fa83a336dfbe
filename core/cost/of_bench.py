"""Read from a workbench what a study on it costs: from sizes, and from what was measured on this machine before."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from core.cost.kept_speed import kept_speed
from core.cost.of_model import work_of
from core.cost.of_task import task_work
from core.cost.open_work import DocumentWork, OpenWork
from core.cost.speed import SWEEP_PART
from core.cost.work import ModelWork
from core.engine.sizes import compute_device
from core.records.fingerprint import short_id
from core.study.workbench import Workbench
from core.tasks.prepare import PreparedTask

_READ: Final = 256
"""About how many documents of a task are counted, evenly spread. To count all of a large task takes seconds."""


def open_work(bench: Workbench) -> OpenWork:
    """Return the sizes of a workbench, and how fast a sweep of its model is here, if that was measured.

    Of a model that does not fit into the memory of its device no speed is known, because its weights are fetched.
    """
    model, layout = bench.model.model, bench.model.layout
    work, place = work_of(model, layout), compute_device(model)
    products = None if bench.model.offloaded else kept_speed(model, layout, place)
    flops = None if products is None else products * SWEEP_PART[place.type]
    return OpenWork(work, tuple(_document(bench, work, task) for task in bench.tasks), flops)


def _document(bench: Workbench, work: ModelWork, task: PreparedTask) -> DocumentWork:
    """Return the size of a mean document of a task."""
    step = max(len(task.documents) // _READ, 1)
    some = replace(task, documents=task.documents[::step])
    sizes = task_work(work, some, bench.encoder.max_length, share=bench.model.layout.shares, exact=True).of(1)
    task_id = short_id(task.record.fingerprint, task.data.fingerprint)
    return DocumentWork(task_id, sizes.rows, sizes.requests, sizes.writes)
