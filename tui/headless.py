"""Wires the engine to a recorder for a run in this process. The only module of this package that loads torch."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator
from importlib import metadata

from core.config import RunConfig
from core.documents import prepare_task
from core.encoding import RequestEncoder
from core.events import StudyEvent
from core.models import LoadedModel, load_model
from core.players import Player, parse_removed
from core.records import Recorder, RunRecord
from core.schedules import ablation, hand_picked, windows
from core.sources import find_model
from core.study import Schedule, Study, SweepSizes
from core.tasks import build_task

_VERSIONED = ("cornerstone", "torch", "transformers", "lm-eval", "duckdb")


def run_study(
    config: RunConfig, command: str, recorder: Recorder, narrate: Callable[[str], None]
) -> Iterator[StudyEvent]:
    """Do what ``config`` asks. Nothing is recorded before model, tasks and layer names were found good.

    Closing the iterator, or an exception in it, ends the run and notes that it was stopped; what was recorded stays.
    """
    if config.offline:
        os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    built = [
        build_task(
            task.name,
            data=task.data,
            num_fewshot=config.num_fewshot if task.num_fewshot is None else task.num_fewshot,
            offline=config.offline,
            narrate=narrate,
        )
        for task in config.tasks
    ]
    source = find_model(config.model, revision=config.revision, offline=config.offline, narrate=narrate)
    narrate(f"loading {source.name}")
    model = load_model(source, dtype=config.dtype, device=config.device)
    schedules = _schedules(config, model.players)
    encoder = RequestEncoder(model)
    tasks = [
        prepare_task(
            task,
            encoder,
            limit=config.limit,
            order=config.order,
            seed=config.seed,
            apply_chat_template=config.apply_chat_template,
        )
        for task in built
    ]
    study = Study(model, encoder, tasks, schedules, _sizes(model))
    run_id = uuid.uuid4().hex[:8]
    versions = json.dumps({name: metadata.version(name) for name in _VERSIONED})
    recorder.begin(RunRecord(run_id, command, config.model_dump_json(), versions, config.seed))
    narrate(f"run {run_id}: {model.record.name}, {model.record.dtype} on {model.model.device.type}")
    finished = False
    try:
        yield from study.run(run_id, recorder)
        finished = True
    finally:
        recorder.finish(run_id, "finished" if finished else "stopped")


def _schedules(config: RunConfig, players: tuple[Player, ...]) -> list[Schedule]:
    schedules = []
    if config.remove:
        chosen = hand_picked(parse_removed(text, players) for text in config.remove)
        schedules.append(Schedule("hand-picked sets", tuple(chosen)))
    for name in config.schedules:
        if name == "ablation":
            schedules.append(Schedule("ablation", tuple(ablation(len(players)))))
        else:
            schedules.append(
                Schedule(f"windows of 1 to {config.max_removed}", tuple(windows(len(players), config.max_removed)))
            )
    return schedules


def _sizes(model: LoadedModel) -> SweepSizes:
    """A CPU does best on batches that stay near its caches; an accelerator wants to be filled."""
    if model.model.device.type == "cpu":
        return SweepSizes(row_tokens=96, batch_tokens=1024, chunk_states=1024)
    return SweepSizes(row_tokens=1024, batch_tokens=16384, chunk_states=512)
