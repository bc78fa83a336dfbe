"""Read from a workbench what a study on it costs: from sizes, and from what was measured on this machine before."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import torch

from core.cost.kept_speed import kept_speed
from core.cost.memory import OpenMemory
from core.cost.of_model import work_of
from core.cost.of_task import task_work
from core.cost.open_work import DocumentWork, OpenWork
from core.cost.speed import sweep_part
from core.cost.work import ModelWork
from core.engine.sizes import compute_device, fetched_bytes, state_bytes, tensor_bytes
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
    flops = None if products is None else products * sweep_part(place.type, products)
    memory = _memory(bench, place) if bench.crewed is None else None
    return OpenWork(work, tuple(_document(bench, work, task) for task in bench.tasks), flops, memory)


def _memory(bench: Workbench, place: torch.device) -> OpenMemory:
    """Return what the model takes, with all its weights read, and what a sweep takes beside it."""
    model, sizes = bench.model.model, bench.sizes()
    state = state_bytes(model)
    batch = tensor_bytes(model, sizes, sizes.batch_tokens, place) - sizes.batch_tokens * state
    if place.type != "cpu":
        held = sum(weight.numel() * weight.element_size() for weight in model.parameters() if weight.device == place)
        held += int(fetched_bytes(model)) if bench.model.offloaded else 0
        return OpenMemory(held, int(batch), state, sizes)
    return OpenMemory(bench.model.held, int(batch), state, sizes)


def _document(bench: Workbench, work: ModelWork, task: PreparedTask) -> DocumentWork:
    """Return the size of a mean document of a task."""
    step = max(len(task.documents) // _READ, 1)
    some = replace(task, documents=task.documents[::step])
    sizes = task_work(work, some, bench.encoder.max_length, share=bench.model.layout.shares, exact=True).of(1)
    task_id = short_id(task.record.fingerprint, task.data.fingerprint)
    return DocumentWork(task_id, sizes.rows, sizes.requests, sizes.writes)
