"""Say what a study costs before it runs, from the model's configuration and the texts of its tasks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import psutil
import torch

from core.coalitions.players import Removed, players_of
from core.config.limit import documents_in
from core.config.run_config import RunConfig
from core.config.task_config import TaskConfig
from core.cost.known_tasks import KNOWN_TASKS
from core.cost.of_model import work_of
from core.cost.of_task import TaskWork, task_work
from core.cost.outline import Outline, Reader, outline_of, reader_of
from core.cost.report import StudyCost, TaskCost
from core.cost.schedule_work import new_coalitions, work_under
from core.cost.speed import Speed
from core.cost.stored import EMPTY, stored_bytes
from core.cost.work import ModelWork, plain_operations
from core.engine.placement import ROOM
from core.engine.sizes import fetched_bytes, sizes_within, tensor_bytes
from core.engine.sweep_sizes import SweepSizes
from core.study.listener import Listener
from core.study.plan import Schedule, most_coalitions, schedules_of
from core.tasks.build import build_task
from core.tasks.choices import TaskChoice, task_facts
from core.tasks.expand import Source, expand
from core.tasks.prepare import prepare_task

_LOADED: Final = 1.0e9
"""Bytes of weights that are read in a second, when a model is loaded."""
_FETCHED: Final = {"cuda": 20e9, "mps": _LOADED, "cpu": _LOADED}
"""Bytes a second of weights that do not fit: over the bus from host memory to a GPU, else from the disk."""


@dataclass(frozen=True, slots=True)
class Study:
    """A study that is planned: a model without weights, what it multiplies, and its tasks by their sizes."""

    config: RunConfig
    outline: Outline
    work: ModelWork
    schedules: Sequence[Schedule]
    tasks: Sequence[TaskWork]


def study_of(config: RunConfig, dtype: str, listener: Listener) -> Study:
    """Return what is to be planned: the model by its configuration, the tasks by their texts.

    Raises:
        CornerstoneError: the model, a task or a schedule is not possible, or not at hand.
    """
    outline = outline_of(config, dtype)
    schedules = schedules_of(config, players_of(outline.layout.kinds))
    work = work_of(outline.model, outline.layout)
    expanded = expand(config, listener.narrate)
    texts = _Texts(outline, work, config, listener)
    tasks = [texts.work(task, expanded.sources[task.name]) for task in expanded.config.tasks]
    return Study(config, outline, work, schedules, tasks)


def cost_of(study: Study, speed: Speed, ready: float) -> StudyCost:
    """Return what a study costs.

    Args:
        study: the study.
        speed: of the machine that evaluates it.
        ready: seconds until a program has loaded its libraries and the tasks.
    """
    work, device = study.work, torch.device(speed.device)
    offloaded = work.bytes > ROOM * speed.free
    held = _held(work, speed) if offloaded else work.bytes
    allowed = speed.allowed(held, study.config.memory)
    sizes = sizes_within(study.outline.model, device, allowed, offloaded=offloaded)
    parts = [_Part(task, study, sizes) for task in study.tasks]
    fetched = max(work.layer_bytes - held, 0.0) if offloaded else 0.0
    traffic = sum(part.chunks for part in parts) * fetched / _FETCHED[speed.device]
    start = ready + work.bytes / _LOADED
    tasks = tuple(part.cost(speed) for part in parts)
    needed = max(
        tensor_bytes(study.outline.model, sizes, sizes.states_for(part.widest, part.chunk_tokens), device)
        for part in parts
    )
    needed += fetched_bytes(study.outline.model) if offloaded and speed.device != "cpu" else 0
    coalitions = most_coalitions(study.schedules)
    documents = sum(task.documents for task in tasks)
    return StudyCost(
        model=study.outline.name,
        dtype=study.outline.record.dtype,
        players=len(players_of(study.outline.layout.kinds)),
        coalitions=coalitions,
        documents=documents,
        tokens=sum(task.tokens for task in tasks),
        padded_tokens=sum(task.padded_tokens for task in tasks),
        outcomes=coalitions * documents,
        flops=sum(task.flops for task in tasks),
        lm_eval_flops=sum(part.plain_flops for part in parts),
        chunks=sum(part.chunks for part in parts),
        weight_bytes=work.bytes,
        weight_bytes_per_chunk=work.layer_bytes,
        memory_bytes=int(_resident(speed) + held + needed),
        store_bytes=EMPTY + sum(task.store_bytes for task in tasks),
        start_seconds=start,
        seconds=start + max(sum(task.seconds for task in tasks), traffic),
        lm_eval_seconds=start + sum(task.lm_eval_seconds for task in tasks),
        machine=speed.name,
        product_flops=speed.flops,
        sweep_part=speed.sweep_part,
        measured=speed.measured,
        beside_others=speed.beside_others,
        offloaded=offloaded,
        at_most=study.config.in_rounds or study.config.decides or any(task.writes for task in study.tasks),
        sure=study.outline.sure,
        tasks=tasks,
    )


def _held(work: ModelWork, speed: Speed) -> float:
    """Return how many bytes of a model that does not fit stay in memory. A GPU is counted as if none did."""
    return min(ROOM * speed.free, work.bytes) if speed.device == "cpu" else 0.0


def _resident(speed: Speed) -> int:
    """Return the memory of a program without its model, as this one has none; on a GPU it does not count."""
    return int(psutil.Process().memory_info().rss) if speed.device == "cpu" else 0


class _Texts:
    """Counts tokens: of the very documents where they are on this machine, else by what is known of a task."""

    def __init__(self, outline: Outline, work: ModelWork, config: RunConfig, listener: Listener) -> None:
        self._outline, self._work, self._config, self._listener = outline, work, config, listener
        self._reader: Reader | None = None

    def work(self, task: TaskConfig, source: Source) -> TaskWork:
        examples = self._config.shots(task)
        known = None if examples or self._config.apply_chat_template else KNOWN_TASKS.get(task.name)
        shares = self._outline.layout.shares
        if known is not None and task.data is None and source.own is None and not _cached(task, source):
            return known.work(self._work, documents_in(self._config.limit, known.documents), share=shares)
        built = build_task(
            task.name,
            source,
            data=task.data,
            num_fewshot=examples,
            offline=self._config.offline,
            narrate=self._listener.narrate,
        )
        self._reader = self._reader or reader_of(self._outline)
        prepared = prepare_task(
            built,
            self._reader.encoder,
            limit=self._config.limit,
            order=self._config.order,
            seed=self._config.seed,
            apply_chat_template=self._config.apply_chat_template,
        )
        longest = self._reader.encoder.max_length
        return task_work(self._work, prepared, longest, share=shares, exact=self._reader.own)


def _cached(task: TaskConfig, source: Source) -> bool:
    """Return whether the data of one of lm-eval's tasks are on this machine."""
    facts = task_facts(TaskChoice(task.name, definition=source.definition))
    return facts is not None and facts.cached


class _Part:
    """One task of a study, under all its schedules."""

    def __init__(self, task: TaskWork, study: Study, sizes: SweepSizes) -> None:
        self._task, self._study = task, study
        self.flops = self.plain_flops = 0.0
        self.chunks = self.outcomes = 0
        self.widest, self.chunk_tokens = 1, 1
        for coalitions, most in new_coalitions(study.schedules):
            self._add(coalitions, most, sizes)

    def _add(self, coalitions: Sequence[Removed], most: int, sizes: SweepSizes) -> None:
        """Add the work of a schedule: of its listed coalitions, or of as many as its rounds may have."""
        count = len(coalitions) or most
        if not count:
            return
        work, task = self._study.work, self._task
        self.flops += work_under(work, task.rows, coalitions, most)
        self.plain_flops += work_under(work, task.padded, coalitions, most, plain_operations)
        self.outcomes += count * task.documents
        most_tokens = max(sizes.chunk_for(count), 1)
        each = task.rows.tokens / max(task.documents, 1)
        self.chunks += math.ceil(task.documents / max(most_tokens // max(each, 1), 1))
        tokens = int(max(min(most_tokens, task.rows.tokens), task.longest))
        if count * tokens > self.widest * self.chunk_tokens:
            self.widest, self.chunk_tokens = count, tokens

    def cost(self, speed: Speed) -> TaskCost:
        """Return what the task costs on a machine."""
        task = self._task
        return TaskCost(
            task=task.name,
            documents=task.documents,
            tokens=round(task.rows.tokens),
            padded_tokens=round(task.padded.tokens),
            flops=self.flops,
            store_bytes=stored_bytes(self.outcomes, task.requests / max(task.documents, 1)),
            seconds=self.flops / speed.sweep_flops,
            lm_eval_seconds=self.plain_flops / speed.loop_flops,
            exact=task.exact,
        )
