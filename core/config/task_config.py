"""One task of a run, as a file or an option names it; and the types of texts and paths in a configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pydantic

from core.machine.paths import at_home
from core.machine.plain_text import is_utf8, short_repr
from core.machine.regular_file import real_path

_LONGEST_NAME = 255
_MOST_SHOTS = 10_000


def _in_utf8(path: Path) -> Path:
    if not is_utf8(str(path)):
        raise ValueError(f"{short_repr(str(path))} is not UTF-8; rename the file or its folder")
    return path


def is_path(name: str) -> bool:
    """Return whether the name of a task is the path of a file or folder: it has a slash, or ends as YAML files do."""
    return "/" in name or name.endswith((".yaml", ".yml"))


def _name_or_path(name: str) -> str:
    if len(name) > _LONGEST_NAME and not is_path(name):
        raise ValueError(f"{short_repr(name)} has {len(name)} characters, and at most {_LONGEST_NAME} are possible")
    return name


Name = Annotated[str, pydantic.Field(min_length=1, max_length=_LONGEST_NAME)]
# The longest path that Linux takes.
Place = Annotated[str, pydantic.Field(min_length=1, max_length=4096)]
Utf8Path = Annotated[Path, pydantic.AfterValidator(_in_utf8)]
Shots = Annotated[int, pydantic.Field(ge=0, le=_MOST_SHOTS)]


class TaskConfig(pydantic.BaseModel, frozen=True, extra="forbid"):
    """One task: its name, local data in place of its data set, and its number of few-shot examples.

    The name may be that of a group or a tag, which stand for their tasks, or the path of a YAML file or a folder of
    them. ``data`` is a file, or for several tasks a folder with a file for each, ``NAME.jsonl``.
    """

    name: Annotated[Place, pydantic.AfterValidator(_name_or_path)]
    data: Utf8Path | None = None
    num_fewshot: Shots | None = None


def written_task(text: str) -> dict[str, Any]:
    """Return the keys of a task that is written as ``NAME`` or ``NAME=FILE``.

    Raises:
        ValueError: no file follows the sign.
    """
    name, equals, data = text.partition("=")
    if equals and not data:
        raise ValueError(f"no file after = in {short_repr(text)}")
    return {"name": name, "data": str(at_home(data))} if equals else {"name": name}


def absolute_task(task: TaskConfig) -> TaskConfig:
    """Return a task with absolute paths."""
    update: dict[str, Any] = {}
    if task.data is not None:
        update["data"] = real_path(at_home(task.data))
    if is_path(task.name):
        update["name"] = str(real_path(at_home(task.name)))
    return task.model_copy(update=update)
