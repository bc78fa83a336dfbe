"""Say why a task cannot be evaluated, as far as its definition tells without its code. Light to import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.machine.plain_text import short_repr
from core.tasks.entries import PYTHON, WRITES, IndexEntry, is_evaluated, none_of_the_kinds, output_type_of


def task_entry(name: str, definition: Mapping[str, Any]) -> IndexEntry:
    """Return the entry of a single task."""
    output_type = output_type_of(definition)
    fault = None if output_type == PYTHON else fault_of_definition(definition)
    return IndexEntry(name, "task", output_type=output_type, fault=fault)


def fault_of_definition(definition: Mapping[str, Any]) -> str | None:
    """Return why the model would have to do more than give log-probabilities, or write the most likely text.

    Args:
        definition: a task's definition with all its includes. Its functions need not be resolved.
    """
    output_type = output_type_of(definition)
    if not is_evaluated(output_type):
        return none_of_the_kinds(output_type)
    if definition.get("unsafe_code"):
        return "it runs the code that the model writes (unsafe_code)"
    for field in ("doc_to_image", "doc_to_audio"):
        if definition.get(field) is not None:
            return f"{field} is no text"
    if output_type == WRITES:
        return _fault_of_writing(definition)
    for field, usual in (("filter_list", None), ("repeats", 1)):
        if (definition.get(field) or usual) != usual:
            return f"{field} is for tasks that generate text"
    return None


def _fault_of_writing(definition: Mapping[str, Any]) -> str | None:
    settings = definition.get("generation_kwargs") or {}
    if not isinstance(settings, Mapping):
        return f"generation_kwargs is a mapping, not {short_repr(settings)}"
    if (repeats := definition.get("repeats") or 1) != 1:
        return f"it takes {repeats} texts of each document (repeats), and only the most likely one is written"
    drawn, temperature = settings.get("do_sample"), settings.get("temperature") or 0
    try:
        warm = float(temperature) > 0
    except (TypeError, ValueError):
        return f"temperature is a number, not {short_repr(temperature)}"
    if drawn or (drawn is None and warm):
        return "it draws texts at random (do_sample), so that each run would give other numbers"
    for name in ("num_beams", "num_return_sequences"):
        if settings.get(name, 1) != 1:
            return f"it sets {name}, and only the most likely next token is taken"
    return None
