"""What is missing for an answer, in one sentence with the command that fills it."""

from __future__ import annotations

from pathlib import Path

import pydantic

from core.config import RunConfig, command_of
from core.schedules import DEFAULT_MAX_REMOVED, ScheduleName
from store.groups import Group
from store.location import on_store


def no_ablation(group: Group, store: Path) -> str:
    """Neither a player removed alone, nor the intact model over the same documents."""
    what = "no document has both the intact model and a player removed alone"
    return f"{group.title}: {what}; {_fill(group, store, 'ablation')}"


def no_ablation_of_all(group: Group, store: Path, removed: int, players: int) -> str:
    """Some players were removed alone, but not all, or not over the same documents."""
    what = f"partial: no document has all {players} players removed alone ({removed} of them are on some document)"
    return f"{group.title}: {what}; {_fill(group, store, 'ablation')}"


def no_windows(group: Group, store: Path, missing: int, wanted: int, max_removed: int) -> str:
    """Coalitions that an estimator reads are not there."""
    what = f"{missing} of {wanted} coalitions are missing for windows of up to {max_removed}"
    return f"{group.title}: {what}; {_fill(group, store, 'windows', max_removed)}"


def no_document(group: Group, store: Path, wanted: int, max_removed: int) -> str:
    """Every coalition is there, but not over the same document."""
    what = f"no document has all {wanted} coalitions of windows of up to {max_removed}"
    return f"{group.title}: {what}; {_fill(group, store, 'windows', max_removed)}"


def _fill(group: Group, store: Path, schedule: ScheduleName, max_removed: int = DEFAULT_MAX_REMOVED) -> str:
    """The command that asks for this task's documents, with their prompt settings, under another schedule."""
    config = config_of(group).model_copy(update={"schedule": (schedule,), "max_removed": max_removed, "remove": ()})
    return f"`{on_store(command_of(config), store)}` fills it"


def config_of(group: Group) -> RunConfig:
    """What the widest run of this group was asked, of this task alone."""
    try:
        config = RunConfig.model_validate_json(group.config)
    except pydantic.ValidationError:
        return RunConfig.model_validate({"model": group.model_name, "tasks": group.task_name})
    task = next((task for task in config.tasks if task.name == group.task_name), config.tasks[0])
    shots = config.num_fewshot if task.num_fewshot is None else task.num_fewshot
    alone = task.model_copy(update={"num_fewshot": None})
    return config.model_copy(update={"tasks": (alone,), "num_fewshot": shots})
