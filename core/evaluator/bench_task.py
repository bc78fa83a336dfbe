"""A task that is open, as an explorer is told of it. Light to import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pydantic


class BenchTask(pydantic.BaseModel, frozen=True):
    """An open task. ``key`` names it in other messages.

    ``value`` is the one of ``values`` that is charted. Without ``values`` it is "no value", and nothing is charted.

    ``chance`` is the mean of 1/choices over the documents, None if there are no choices or the value is no accuracy.
    ``documents`` counts the open documents, and ``size`` those of the data set. ``most_new`` is the most tokens of an
    answer that the model writes, 0 if it writes none. ``title`` tells apart open tasks that share a name.
    """

    key: str
    name: str
    task_id: str
    documents: int
    size: int
    value: str
    chance: float | None
    values: tuple[str, ...] = ()
    most_new: int = 0
    title: str = ""

    @property
    def shown_name(self) -> str:
        """The name to show: no other open task has it."""
        return self.title or self.name

    @property
    def charted(self) -> str | None:
        """The value that is charted, to ask a store for; None if the task has none."""
        return self.value if self.values else None


def told_apart(tasks: Sequence[BenchTask]) -> tuple[BenchTask, ...]:
    """Return the tasks with a title, name@id, for those that share a name, as two data files of one task do."""
    names = Counter(task.name for task in tasks)
    return tuple(
        task.model_copy(update={"title": f"{task.name}@{task.task_id}"}) if names[task.name] > 1 else task
        for task in tasks
    )
