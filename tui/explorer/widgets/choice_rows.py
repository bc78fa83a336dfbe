"""The rows of the lists to choose from: models and tasks, in words."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from core.machine.byte_count import in_bytes
from core.models.choices import ModelChoice
from core.tasks.choices import TaskChoice, TaskFacts
from tui.drawing.numbers import NONE, whole
from tui.explorer.widgets.picker import Row

_SIZE = 8
_ARCHITECTURE = 14


def in_order(models: Sequence[ModelChoice], first: Sequence[str]) -> list[ModelChoice]:
    """Return models: those that are named first, then those that are on this machine, then the others."""
    by_name = {one.name: one for one in models}
    begin = [by_name[name] for name in dict.fromkeys(first) if name in by_name]
    rest = [one for one in models if one.name not in set(first)]
    return [*begin, *(one for one in rest if one.cached), *(one for one in rest if not one.cached)]


def model_row(model: ModelChoice, chosen: str) -> Row:
    """Return the row of a model; ``chosen`` is the one in the field."""
    mark = "● " if model.name == chosen else "  "
    return Row(model.name, model.shown, "" if model.kind == "place" else _model_about(model), mark)


def model_facts(model: ModelChoice) -> str:
    """Return a line on a model: what it is, its size, and whether it is here."""
    if model.kind == "place":
        return "a folder: enter looks into it"
    what = [model.architecture or "", "" if model.layers is None else f"{model.layers} layers", _where(model)]
    return ", ".join(filter(None, (*what, model.description)))


def _where(model: ModelChoice) -> str:
    if model.cached:
        return "on this machine" if model.bytes is None else f"{in_bytes(model.bytes)} on this machine"
    if model.cached is None:
        return ""
    return "to download" if model.download_bytes is None else f"{in_bytes(model.download_bytes)} to download"


def _model_about(model: ModelChoice) -> str:
    size = model.bytes if model.cached else model.download_bytes
    state = {True: "here", False: "fetch", None: ""}[model.cached]
    shape = " ".join(filter(None, (model.architecture, "" if model.layers is None else str(model.layers))))
    first = f"{state:5} {NONE if size is None else in_bytes(size):>{_SIZE}}"
    return f"{first}  {shape:{_ARCHITECTURE}}  {model.description}".rstrip()


def task_row(task: TaskChoice, ticked: Collection[str]) -> Row:
    """Return the row of a task; ``ticked`` are the names of those that will be opened."""
    mark = "[x] " if task.name in ticked else "    " if task.refused else "[ ] "
    return Row(task.name, task.name, _task_about(task), mark, quiet=task.refused is not None)


def task_line(task: TaskChoice, facts: TaskFacts | None) -> str:
    """Return a line on a task: its documents and its data set, and whether that is here."""
    about = _task_about(task)
    if task.ships or facts is None:
        return f"{task.name}: {about}" if about else task.name
    where = "cached" if facts.cached else "not cached: it is downloaded when the task is opened"
    count = "" if facts.documents is None else f"{whole(facts.documents)} documents, "
    return f"{task.name}: {count}data {facts.dataset}, {where}" + (f", {about}" if about else "")


def _task_about(task: TaskChoice) -> str:
    if task.refused is not None:
        return f"not evaluated: {task.refused}"
    count = "" if task.documents is None else f"{whole(task.documents)} documents"
    return ", ".join(filter(None, (count, task.description)))
