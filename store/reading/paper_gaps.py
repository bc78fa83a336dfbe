"""Find the models, tasks and documents of the paper's study that are not stored, with the runs that fill them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.config.gap import Gap, PackagedStudy
from core.config.run_config import RunConfig
from core.paper.published import DOCUMENTS, MODELS, TASKS, ZERO_SHOT, published
from core.paper.values import ModelValues, TaskValues
from store.reading.gaps import config_of, filled
from store.reading.groups import Group

STUDIES = (*(model.alias for model in MODELS), "smollm2-135m-instruct")
"""Models whose full study comes with the program, as ``paper/NAME``."""


_OF_THE_MODEL: Final = {"dtype", "revision", "adapter", "expert_layers"}
"""Keys of a run without which it would evaluate another model of the same name."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A model's values, and the groups they were read from."""

    values: ModelValues
    groups: tuple[Group, ...]


def missing_from_paper(stored: Sequence[Stored], *, everything: bool) -> list[Gap]:
    """Return the gaps by model. ``everything`` adds the paper's models of which nothing is stored."""
    gaps = [gap for one in stored for gap in (*_tasks(one), *_documents(one))]
    there = [published(one.values.model, len(one.values.players)) for one in stored]
    absent = [model for model in MODELS if model not in there] if everything else []
    return gaps + [
        Gap(f"nothing is stored of the paper's {model.name}", PackagedStudy(f"paper/{model.alias}")) for model in absent
    ]


def _tasks(one: Stored) -> list[Gap]:
    """Return a gap for the paper's tasks that are not stored."""
    known = {task.task for task in one.values.tasks}
    absent = [task for task in TASKS if task not in known]
    if not absent:
        return []
    asked = {
        "model": one.values.model,
        "tasks": absent,
        "limit": _wanted(one.values),
        "num_fewshot": ZERO_SHOT,
        "schedule": ("ablation", "windows"),
    }
    plain = RunConfig.model_validate(asked)
    own = config_of(one.groups[0]).model_dump(include=_OF_THE_MODEL)
    fill: RunConfig | PackagedStudy = plain.model_copy(update=own)
    if one.values.model in STUDIES and fill == plain:
        fill = PackagedStudy(f"paper/{one.values.model}")
    what = f"{one.values.model}: of the paper's tasks {', '.join(absent)} are not stored"
    return [filled(what, fill, one.groups)]


def _documents(one: Stored) -> list[Gap]:
    """Return gaps for tasks with fewer documents than the paper read, although their data sets have more.

    Tasks whose runs had the same settings share a gap.
    """
    wanted = _wanted(one.values)
    short = [task for task in one.values.tasks if task.task in TASKS and 0 < _count(task) < min(wanted, task.size)]
    counts = {task.task_id: f"{task.task} {_count(task)}" for task in short}
    groups = {group.task_id: group for group in one.groups}
    return [
        filled(
            f"{one.values.model}: fewer documents than the paper's {wanted} "
            f"({', '.join(counts[group.task_id] for group in alike)})",
            _more(alike, wanted),
            alike,
        )
        for alike in _asked_alike([groups[task_id] for task_id in counts])
    ]


def _asked_alike(groups: Sequence[Group]) -> list[list[Group]]:
    """Return groups whose runs had the same settings, because a run has one seed and one number of examples."""
    alike: dict[str, list[Group]] = {}
    for group in groups:
        settings = config_of(group).model_dump_json(exclude={"tasks"})
        alike.setdefault(settings, []).append(group)
    return list(alike.values())


def _more(groups: Sequence[Group], wanted: int) -> RunConfig:
    configs = [config_of(group) for group in groups]
    tasks = tuple(task for config in configs for task in config.tasks)
    return configs[0].under("ablation", "windows").model_copy(update={"tasks": tasks, "limit": wanted})


def _count(task: TaskValues) -> int:
    """Count the documents of which everything is stored."""
    return 0 if task.contributions is None else task.contributions.shape[1]


def _wanted(values: ModelValues) -> int:
    """Return how many documents of each task the paper read; for a model it does not have, the most it read."""
    known = published(values.model, len(values.players))
    return DOCUMENTS if known is None else known.documents
