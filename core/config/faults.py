"""Say what is wrong with a configuration, in one sentence that names the key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

import pydantic

from core.errors import Mend
from core.machine.plain_text import short_repr

_ORDINALS = ("first", "second", "third")
# Pydantic's messages on these are for programmers.
_WORDED: Final[Mapping[str, str]] = {
    "int_parsing": "should be a whole number",
    "float_parsing": "should be a number",
    "float_type": "should be a number",
    "int_type": "should be a whole number",
    "int_from_float": "should be a whole number",
    "bool_parsing": "should be true or false",
    "bool_type": "should be true or false",
    "string_type": "should be a text",
    "tuple_type": "should be a list",
    "model_type": "should be a task's name, or a mapping with `name:`",
    "path_type": "should be the path of a file",
    "finite_number": "should be a finite number",
    "invalid_key": "should be a text",
    "int_parsing_size": "should be a smaller number",
    "string_unicode": "should be a text that can be written as UTF-8",
}

_FORMS: Final[Mapping[str, str]] = {
    "device": "should be auto, cpu, mps, spread, cuda, or one of several such as cuda:1",
    "ray": "should be the address of a Ray cluster as HOST:PORT, such as node1:6379",
}
"""The form that the text of a key must have."""


def worst(error: pydantic.ValidationError) -> Any:
    """Return the fault to report. An unknown key comes first, because it may explain a missing one."""

    def rank(fault: Any) -> int:
        return {"extra_forbidden": 0, "missing": 2, "too_short": 2}.get(fault["type"], 1)

    return min(error.errors(), key=rank)


def in_words(fault: Any, content: Mapping[str, Any], run: Sequence[str], task: type[pydantic.BaseModel]) -> str:
    """Describe a fault of ``content`` in words; a run has the keys ``run``, and a task the fields of ``task``."""
    path, kind = fault["loc"], fault["type"]
    if kind == "extra_forbidden":
        keys = list(task.model_fields) if path[0] == "tasks" else run
        close = get_close_matches(str(path[-1]), keys, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"the keys are {', '.join(keys)}"
        return f"unknown key {short_repr(str(path[-1]))}, {hint}"
    if _names_no_task(fault):
        return "no task is named"
    if kind == "missing":
        return f"{_place(path[:-1], content)} has no {path[-1]!r}"
    if kind == "value_error" and path[0] == "settings":
        return str(fault["ctx"]["error"])
    if kind == "value_error":
        return f"{_place(path, content)}: {fault['ctx']['error']}"
    return f"{_place(path, content)}: {verdict(fault)}"


def verdict(fault: Any) -> str:
    """Return what is wrong with a value of the wrong type, size or length."""
    kind, given = fault["type"], fault["input"]
    if kind == "string_too_long":
        return f"{short_repr(given)} has {len(given)} characters, and at most {fault['ctx']['max_length']} are possible"
    if kind == "too_long":
        return f"has {len(given)} entries, and at most {fault['ctx']['max_length']} are possible"
    if kind == "string_too_short":
        return "should not be empty"
    form = _FORMS.get(str(fault["loc"][-1])) if kind == "string_pattern_mismatch" and fault["loc"] else None
    said = form or _WORDED.get(kind) or str(fault["msg"]).removeprefix("Input ")
    return f"{said}, not {short_repr(given)}"


def mend_of(fault: Any) -> Mend | None:
    """Return the way to mend a fault, if its sentence does not say it."""
    return Mend.NAME_TASK if _names_no_task(fault) else None


def _names_no_task(fault: Any) -> bool:
    return fault["loc"] == ("tasks",) and fault["type"] in {"too_short", "missing"}


def _place(path: tuple[str | int, ...], content: Mapping[str, Any]) -> str:
    """Return the place of a fault: ``num_fewshot of task 'agreement'``, ``the second task``, or just the key."""
    match path:
        case ("tasks", int(number)):
            return f"the {_ordinal(number)} task"
        case ("tasks", int(number), key):
            return f"{key} of {_named(number, content)}"
        case _:
            return str(path[0]) if isinstance(path[0], str) and len(path[0]) < 80 else short_repr(path[0])


def _named(number: int, content: Mapping[str, Any]) -> str:
    tasks = content.get("tasks")
    one = tasks[number] if isinstance(tasks, list | tuple) else tasks
    name = one.get("name") if isinstance(one, Mapping) else None
    return f"task {short_repr(name)}" if isinstance(name, str) else f"the {_ordinal(number)} task"


def _ordinal(number: int) -> str:
    return _ORDINALS[number] if number < len(_ORDINALS) else f"{number + 1}th"
