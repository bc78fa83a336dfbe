"""What of the paper's study is not stored: models, tasks, documents; each with the command that fills it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.config.run_config import RunConfig, command_of
from core.paper.published import DOCUMENTS, MODELS, TASKS, ZERO_SHOT, published
from core.paper.values import ModelValues, TaskValues
from store.file.location import named, store_option
from store.reading.gaps import config_of, filled_by, under
from store.reading.groups import Group

STUDIES = (*(model.alias for model in MODELS), "smollm2-135m-instruct")
"""Models whose full study is packaged, as ``paper/NAME``."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A model's values, and the groups they were read from."""

    values: ModelValues
    groups: tuple[Group, ...]


def missing_from_paper(stored: Sequence[Stored], path: Path, *, everything: bool) -> list[str]:
    """Sentences, model by model; with ``everything`` also on the paper's models of which nothing is stored."""
    sentences = [sentence for one in stored for sentence in (*_tasks(one, path), *_documents(one, path))]
    there = [published(one.values.model, len(one.values.players)) for one in stored]
    absent = [model for model in MODELS if model not in there] if everything else []
    if absent:
        names = ", ".join(model.name for model in absent)
        commands = ", ".join(f"`{_study(model.alias, path)}`" for model in absent)
        sentences.append(
            f"nothing is stored of the paper's {names}; {commands} fill{'s' if len(absent) == 1 else ''} it"
        )
    return sentences


def _tasks(one: Stored, path: Path) -> list[str]:
    """The paper's tasks that are not there."""
    known = {task.task for task in one.values.tasks}
    absent = [task for task in TASKS if task not in known]
    if not absent:
        return []
    if one.values.model in STUDIES:
        command = _study(one.values.model, path)
    else:
        asked = {
            "model": one.values.model,
            "tasks": absent,
            "limit": _wanted(one.values),
            "num_fewshot": ZERO_SHOT,
            "schedule": ("ablation", "windows"),
            "store": named(path),
        }
        command = command_of(RunConfig.model_validate(asked))
    filled = filled_by(command, one.groups)
    return [f"{one.values.model}: of the paper's tasks {', '.join(absent)} are not stored; {filled}"]


def _documents(one: Stored, path: Path) -> list[str]:
    """The paper's tasks that have fewer documents than the paper read, although their data sets hold more."""
    wanted = _wanted(one.values)
    short = [task for task in one.values.tasks if task.task in TASKS and _count(task) < min(wanted, task.size)]
    counted = [task for task in short if _count(task)]
    if not counted:
        return []
    listed = ", ".join(f"{task.task} {_count(task)}" for task in counted)
    ids = {task.task_id for task in counted}
    groups = [group for group in one.groups if group.task_id in ids]
    filled = "; ".join(_more(alike, wanted, path) for alike in _asked_alike(groups))
    return [f"{one.values.model}: fewer documents than the paper's {wanted} ({listed}); {filled}"]


def _asked_alike(groups: Sequence[Group]) -> list[list[Group]]:
    """Groups whose runs had the same settings: a command has one seed and one number of examples."""
    alike: dict[str, list[Group]] = {}
    for group in groups:
        settings = config_of(group).model_dump_json(exclude={"tasks"})
        alike.setdefault(settings, []).append(group)
    return list(alike.values())


def _more(groups: Sequence[Group], wanted: int, path: Path) -> str:
    configs = [config_of(group) for group in groups]
    tasks = tuple(task for config in configs for task in config.tasks)
    asked = {"tasks": tasks, "limit": wanted, "store": named(path)}
    return filled_by(command_of(under(configs[0], ("ablation", "windows")).model_copy(update=asked)), groups)


def _count(task: TaskValues) -> int:
    """Documents of which everything is stored."""
    return 0 if task.contributions is None else task.contributions.shape[1]


def _wanted(values: ModelValues) -> int:
    """How many documents a task the paper read; of a model it has not, the most it read."""
    known = published(values.model, len(values.players))
    return DOCUMENTS if known is None else known.documents


def _study(name: str, path: Path) -> str:
    return shlex.join(["cornerstone", "run", f"paper/{name}", *store_option(path)])
