"""A workbench: a loaded model with the tasks that a configuration names, ready for schedules and hand-picked sets."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Generator
from dataclasses import dataclass
from importlib import metadata

from core.config.run_config import RunConfig, TaskConfig, absolute
from core.engine.encoding import RequestEncoder
from core.engine.intact_states import IntactStates
from core.engine.load import LoadedModel, load_model
from core.engine.sizes import sizes_for
from core.engine.sweep import Breathe, hold_breath
from core.machine.process import here
from core.models.families import expected_players
from core.models.fetch import find_model
from core.records.records import Recorder, RunRecord
from core.study.events import StudyEvent
from core.study.plan import Schedule, schedules_of
from core.study.study import Study
from core.tasks.build import build_task
from core.tasks.prepare import PreparedTask, prepare_task

Narrate = Callable[[str], None]

_VERSIONED = ("cornerstone", "torch", "transformers", "lm-eval", "duckdb")


@dataclass(frozen=True, slots=True)
class Workbench:
    """A model and its tasks. ``tasks`` are in the order of ``config.tasks``."""

    config: RunConfig
    model: LoadedModel
    encoder: RequestEncoder
    tasks: tuple[PreparedTask, ...]

    @property
    def device(self) -> str:
        return str(self.model.model.device.type)

    def study(
        self, tasks: tuple[PreparedTask, ...], schedules: list[Schedule], intact: IntactStates | None = None
    ) -> Study:
        """A study of some tasks under some schedules; with ``intact``, of a few documents, begun where they differ."""
        sizes = sizes_for(self.model.model, offloaded=self.model.offloaded, memory=self.config.memory)
        return Study(self.model, self.encoder, tasks, schedules, sizes, intact, self.config.value)


def open_workbench(config: RunConfig, narrate: Narrate, last: Workbench | None = None) -> Workbench:
    """Load what ``config`` names.

    Args:
        config: what to load; its schedules are checked against the model's players, not run.
        narrate: told what takes long.
        last: a workbench whose model and tasks are used again where they are the same.

    Raises:
        CornerstoneError: a model, task, file or layer name is wrong, or something cannot be had.
    """
    last = last if last is not None and same_model(last.config, config) else None
    known = _prepared(last) if last is not None else {}
    fresh = [task for task in config.tasks if _task_settings(task, config) not in known]
    # Tasks are built before the model is loaded, as a wrong name shows here at once.
    built = {
        task: build_task(
            task.name, data=task.data, num_fewshot=_shots(task, config), offline=config.offline, narrate=narrate
        )
        for task in fresh
    }
    if last is not None:
        model, encoder = last.model, last.encoder
    else:
        source = find_model(config.model, revision=config.revision, offline=config.offline, narrate=narrate)
        if (players := expected_players(source.folder)) is not None:
            schedules_of(config, players)  # what cannot be done is said before the wait
        narrate(f"loading {source.name}")
        model = load_model(source, dtype=config.dtype, device=config.device)
        encoder = RequestEncoder(model)
    schedules_of(config, model.players)
    for task in fresh:
        known[_task_settings(task, config)] = prepare_task(
            built[task],
            encoder,
            limit=config.limit,
            order=config.order,
            seed=config.seed,
            apply_chat_template=config.apply_chat_template,
        )
    return Workbench(config, model, encoder, tuple(known[_task_settings(task, config)] for task in config.tasks))


def same_model(one: RunConfig, other: RunConfig) -> bool:
    """Whether two configurations load the same model in the same way."""
    return all(getattr(one, key) == getattr(other, key) for key in ("model", "revision", "dtype", "device"))


def new_run(config: RunConfig, command: str) -> RunRecord:
    """The record of a run that begins now. Its configuration has whole paths, so it stands wherever it is read."""
    versions = json.dumps({name: metadata.version(name) for name in _VERSIONED} | here())
    return RunRecord(uuid.uuid4().hex[:8], command, absolute(config).model_dump_json(), versions, config.seed)


def run_config(
    config: RunConfig, command: str, recorder: Recorder, narrate: Narrate, breathe: Breathe = hold_breath
) -> Generator[StudyEvent, None, None]:
    """Do what ``config`` asks. Nothing is recorded before model, tasks, layer names and value were found good.

    Closing the generator, or an exception in it, ends the run and notes that it was stopped; what was recorded stays.

    Args:
        config: what to do.
        command: how it was asked for.
        recorder: keeps the outcomes.
        narrate: told what takes long.
        breathe: called between layer batches with how many outcomes of the chunk in flight are done; what it raises
            ends the run, that chunk being lost.
    """
    bench = open_workbench(config, narrate)
    record = bench.model.record
    study = bench.study(bench.tasks, schedules_of(config, bench.model.players))
    run = new_run(config, command)
    recorder.begin(run)
    narrate(f"run {run.run_id}: {record.name}, {record.dtype} on {bench.device}")
    finished = False
    try:
        yield from study.run(run.run_id, recorder, breathe)
        finished = True
    finally:
        recorder.finish(run.run_id, "finished" if finished else "stopped")


def _prepared(bench: Workbench) -> dict[tuple[object, ...], PreparedTask]:
    settings = [_task_settings(task, bench.config) for task in bench.config.tasks]
    return dict(zip(settings, bench.tasks, strict=True))


def _task_settings(task: TaskConfig, config: RunConfig) -> tuple[object, ...]:
    """What makes a prepared task what it is; a data file counts as changed when its size or time is."""
    stat = task.data.stat() if task.data is not None and task.data.is_file() else None
    file = None if stat is None else (stat.st_size, stat.st_mtime_ns)
    return (
        task,
        file,
        _shots(task, config),
        config.limit,
        config.order,
        config.seed,
        config.apply_chat_template,
    )


def _shots(task: TaskConfig, config: RunConfig) -> int | None:
    return config.num_fewshot if task.num_fewshot is None else task.num_fewshot
