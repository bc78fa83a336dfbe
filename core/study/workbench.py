"""A workbench: a loaded model and prepared tasks, as a configuration names them, ready to be studied."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from importlib import metadata

from core.coalitions.players import layers_of_experts
from core.coalitions.schedules import INTACT
from core.config.run_config import RunConfig
from core.config.task_config import TaskConfig
from core.engine.encoding import RequestEncoder
from core.engine.fetch import on_this_machine
from core.engine.intact_states import IntactStates
from core.engine.load import LoadedModel, chosen_dtype
from core.engine.sizes import sizes_for
from core.engine.sweep import OnBatch, ignore_batches
from core.engine.sweep_sizes import SweepSizes
from core.errors import CornerstoneError
from core.machine.process import here
from core.models.known_numbers import gave_numbers, keep_gave_numbers
from core.records.fingerprint import file_digest, model_fingerprint, with_experts
from core.records.records import Recorder, RunRecord
from core.study.chosen_model import load_chosen
from core.study.chunks import ChunkEvaluator
from core.study.evaluating import Evaluator
from core.study.events import StudyEvent
from core.study.left_out import TRIED, LeftOut
from core.study.listener import SILENT, Listener
from core.study.measuring import Crewed, Found, Measure, Measured
from core.study.plan import Schedule, most_coalitions, schedules_of
from core.study.recorded_run import recorded_run
from core.study.study import Study
from core.study.writing_cost import writing_cost
from core.tasks.build import build_task
from core.tasks.expand import Expanded, Source, expand, recorded
from core.tasks.own_tasks import own_digest
from core.tasks.prepare import Document, PreparedTask, prepare_task

_LOADS = ("model", "revision", "adapter", "expert_layers", "dtype", "device")
_VERSIONED = ("cornerstone", "torch", "transformers", "lm-eval", "duckdb")


@dataclass(frozen=True, slots=True)
class Workbench:
    """A model and its tasks. ``prepared`` has them by their settings, in the order of ``expanded.config.tasks``.

    ``crewed`` evaluates and measures where there are workers for that; None where this process does so.
    """

    config: RunConfig
    expanded: Expanded
    model: LoadedModel
    encoder: RequestEncoder
    prepared: Mapping[tuple[object, ...], PreparedTask]
    crewed: Crewed | None = None

    @property
    def tasks(self) -> tuple[PreparedTask, ...]:
        return tuple(self.prepared.values())

    @property
    def device(self) -> str:
        return str(self.model.model.device.type)

    def holds(self, config: RunConfig) -> bool:
        """Return whether the loaded model is the one that a configuration names: loaded alike, of the same files."""
        if any(getattr(self.config, key) != getattr(config, key) for key in _LOADS):
            return False
        try:
            source = on_this_machine(config.model, revision=config.revision)
            # Files that were checked are known from then on: only a change of them has them read again.
            check = config.check_files and not self.config.check_files
            record = self.model.record
            if source is None:
                return False
            source = source.with_adapter(config.adapter)
            now = model_fingerprint(source.folder, record.dtype, adapter=source.adapter, check=check)
            return with_experts(now, layers_of_experts(record.kinds)) == record.fingerprint
        except CornerstoneError:
            return False  # whoever loads it says what is wrong

    def tasks_of(self, config: RunConfig) -> tuple[PreparedTask, ...]:
        """Return the open tasks that a configuration names, by themselves or by a group, with its documents alone."""
        groups = {task.name for task in config.tasks}
        each = zip(self.expanded.config.tasks, self.tasks, self.expanded.named_by, strict=True)
        found = (task for named, task, group in each if named in config.tasks or group in groups)
        return tuple(task.first(config.limit) for task in found)

    def study(
        self,
        tasks: Sequence[PreparedTask],
        schedules: Sequence[Schedule],
        *,
        value: str | None = None,
        intact: IntactStates | None = None,
        evaluator: Evaluator | None = None,
    ) -> Study:
        """Return a study of this model.

        Args:
            tasks: the tasks, with the documents to evaluate.
            schedules: the schedules.
            value: the value by which the tasks are read; None for each task's own.
            intact: keeps the intact model's states, for few documents that are evaluated often.
            evaluator: evaluates it; None for the workbench's own.

        Raises:
            CornerstoneError: a task lacks the value asked for, or has none where a schedule looks at values.
        """
        return Study(evaluator or self.evaluator(intact), tasks, schedules, value, self._named_by(tasks))

    def _named_by(self, tasks: Sequence[PreparedTask]) -> list[str | None]:
        """Return for each task the group, tag or folder by which the configuration names it."""
        names = {task.record: name for task, name in zip(self.tasks, self.expanded.named_by, strict=True)}
        return [names.get(task.record) for task in tasks]

    def evaluator(self, intact: IntactStates | None = None) -> Evaluator:
        """Return what evaluates this model: its workers where it has some, but for what ``intact`` is kept for."""
        return self.alone(intact) if self.crewed is None or intact is not None else self.crewed

    def alone(self, intact: IntactStates | None = None) -> ChunkEvaluator:
        """Return an evaluator of this model in this process; ``intact`` is the same as in ``study``."""
        return ChunkEvaluator(self.model, self.encoder, self.sizes(), intact)

    def measured(self, task: PreparedTask, measure: Measure[Found], on_batch: OnBatch) -> Measured[Found]:
        """Return what is measured of the documents of a task, as ``Crewed`` does; by its workers where it has some."""
        if self.crewed is not None:
            return self.crewed.measured(task, measure, on_batch)
        found = measure(self.model.decoder(), self.encoder.max_length, task.documents, on_batch)
        return Measured(tuple(task.documents), found)

    def sizes(self) -> SweepSizes:
        """Return how much a sweep in this process does at once, by the memory that is free now."""
        return sizes_for(self.model.model, offloaded=self.model.offloaded, memory=self.config.memory)


def open_workbench(config: RunConfig, listener: Listener = SILENT, last: Workbench | None = None) -> Workbench:
    """Load the model and the tasks of a configuration.

    Args:
        config: names the model and the tasks; its schedules are checked against the model's players, not run.
        listener: gets sentences on slow work.
        last: a workbench whose model and tasks are used again where they are the same.

    Raises:
        CornerstoneError: a model, task, file or layer name is wrong, or something cannot be had.
    """
    last = last if last is not None and last.holds(config) else None
    expanded = expand(config, listener.narrate)
    tasks, sources = expanded.config.tasks, expanded.sources
    for note in expanded.notes:
        listener.narrate(note)
    settings = {task: _task_settings(task, config, sources[task.name]) for task in tasks}
    known = dict(last.prepared) if last is not None else {}
    fresh = [task for task in tasks if settings[task] not in known]
    # Tasks are built before the model is loaded, as a wrong name shows here at once.
    built = {
        task: build_task(
            task.name,
            sources[task.name],
            data=task.data,
            num_fewshot=config.shots(task),
            offline=config.offline,
            narrate=listener.narrate,
        )
        for task in fresh
    }
    if last is not None:
        model, encoder = last.model, last.encoder
        schedules_of(config, model.players)
    else:
        model = load_chosen(config, listener, lambda players: schedules_of(config, players))
        encoder = RequestEncoder(model)
    for task in fresh:
        if _task_settings(task, config, sources[task.name]) != settings[task]:
            what = task.data or sources[task.name].definition
            raise CornerstoneError(f"{what} changed while it was read; run again once it is written")
        known[settings[task]] = prepare_task(
            built[task],
            encoder,
            limit=config.limit,
            order=config.order,
            seed=config.seed,
            apply_chat_template=config.apply_chat_template,
        )
    bench = Workbench(config, expanded, model, encoder, {settings[task]: known[settings[task]] for task in tasks})
    if last is None and not model.offloaded:  # a pass of an offloaded model takes long; its first chunk shows it
        _refuse_without_numbers(bench)
    return bench


def _refuse_without_numbers(bench: Workbench) -> None:
    """Refuse a model that gives no number even with all layers, by a few short documents of the first task.

    Once seen to give one, a model is not asked again: a study refuses as well, after its first documents.

    Raises:
        CornerstoneError: it gives none.
    """
    seen = (bench.model.record.fingerprint, bench.device)
    if gave_numbers(*seen):
        return
    task = bench.tasks[0]
    left_out = LeftOut(bench.model.record, task.record.name, len(task.documents))
    evaluator = bench.alone()
    for document in sorted(task.documents, key=_length)[:TRIED]:
        one = replace(task, documents=(_begun(document),))
        for chunk in evaluator.missing(one, [INTACT], {}, ignore_batches):
            if not isinstance(chunk, SweepSizes) and left_out.sound(chunk):
                keep_gave_numbers(*seen)
                return
    raise CornerstoneError(left_out.of_the_model())


def _length(document: Document) -> int:
    return sum(len(one.context) + len(one.continuation) for one in document.texts)


def _begun(document: Document) -> Document:
    """Return a document for which the model writes one token at most."""
    prompt = document.prompt
    if prompt is None:
        return document
    return replace(document, prompt=replace(prompt, max_length=len(prompt.tokens) + 1))


def new_run(config: RunConfig, command: str) -> RunRecord:
    """Return the record of a run that begins now. Its configuration holds in any folder, and with any lm-eval."""
    versions = json.dumps({name: metadata.version(name) for name in _VERSIONED} | here())
    return RunRecord(uuid.uuid4().hex[:8], command, recorded(config), versions, config.seed)


Crewing = Callable[[Workbench, RunConfig, Listener], AbstractContextManager[Workbench]]
"""Has workers evaluate the studies of a workbench, as ``core.workers.hired.with_workers`` does."""


def without_workers(bench: Workbench, _config: RunConfig, _listener: Listener) -> AbstractContextManager[Workbench]:
    """Have this process evaluate the studies of a workbench."""
    return nullcontext(bench)


Announce = Callable[[Workbench, Sequence[Schedule], Listener], None]
"""Tells a listener what a run of some schedules on a workbench is about to do."""


def say_nothing(_bench: Workbench, _schedules: Sequence[Schedule], _listener: Listener) -> None:
    """Do nothing."""


def run_config(
    config: RunConfig,
    command: str,
    recorder: Recorder,
    listener: Listener = SILENT,
    crewing: Crewing = without_workers,
    announce: Announce = say_nothing,
) -> Generator[StudyEvent, None, None]:
    """Do the run of ``config``, and yield its events. Nothing is recorded before the whole run was found possible.

    Closing the generator, or an exception in it, ends the run as stopped; recorded outcomes stay.

    Args:
        config: the run.
        command: the command that asked for it.
        recorder: keeps the outcomes.
        listener: gets sentences on slow work, and is called between layer batches; it may end the run, and the chunk
            in flight is then lost.
        crewing: hires the workers that the configuration asks for.
        announce: is called once the run has begun, before anything is evaluated.
    """
    bench = open_workbench(for_driver(config), listener)
    record = bench.model.record
    schedules = schedules_of(config, bench.model.players)
    bench.study(bench.tasks, schedules, value=config.value)  # refuses what cannot be studied before workers start
    answers = [(len(task.documents), task.most_new) for task in bench.tasks]
    with crewing(bench, config, listener) as crewed, recorded_run(recorder, new_run(config, command)) as run_id:
        place = bench.device if crewed.crewed is None else "workers"
        listener.narrate(f"run {run_id}: {record.name}, {record.dtype} on {place}")
        if (cost := writing_cost(answers, most_coalitions(schedules))) is not None:
            listener.narrate(f"{cost}; what is stored already is not written again")
        announce(crewed, schedules, listener)
        study = crewed.study(crewed.tasks, schedules, value=config.value)
        yield from study.run(run_id, recorder, listener)


def for_driver(config: RunConfig) -> RunConfig:
    """Return what the driver of some workers opens: the model in main memory, in the dtype that it has with them.

    It evaluates little, so that it leaves the GPUs to them. Without workers, it is the run itself.
    """
    if config.workers is None and config.ray is None:
        return config
    dtype = chosen_dtype(config.dtype, config.device)
    return config.model_copy(update={"device": "cpu", "dtype": dtype})


def _task_settings(task: TaskConfig, config: RunConfig, source: Source) -> tuple[object, ...]:
    """Return the settings that identify a prepared task, with the digests of its data file and its own definition."""
    return (
        task,
        source.definition,
        None if source.own is None else own_digest(source.own),
        _data_digest(task, check=config.check_files),
        config.shots(task),
        config.limit,
        config.order,
        config.seed,
        config.apply_chat_template,
    )


def _data_digest(task: TaskConfig, *, check: bool) -> str | None:
    """Return the digest of a task's data file; None if it has none that can be read, which building the task tells."""
    try:
        return None if task.data is None else file_digest(task.data, check=check)
    except CornerstoneError:
        return None
