"""Say which document, and which part of it, a task's code or templates cannot use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import jinja2
from lm_eval.api.task import Task

from core.machine.plain_text import plain
from core.tasks.data_file import fields_of
from core.tasks.json_lines import shown

# Exceptions that a task's code or templates raise for a document that lacks a field they need, or has another kind of
# value in it. lm-eval reads some of what templates make as Python, which can nest too deeply.
DOCUMENT_FAULTS = (
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    SyntaxError,
    AssertionError,
    ArithmeticError,
    RecursionError,
    MemoryError,
    jinja2.TemplateError,
)

_LONGEST = 200
_NO_ITEM = re.compile(r"list object has no element (\d+)")
_NO_KEY = re.compile(r"'dict object' has no attribute ('[^']*')")
_NO_FIELD = re.compile(r"('[^']*') is undefined")
_PYTHON_TYPES = re.compile(r"malformed node or string|invalid syntax|was never closed|unterminated|leading zeros")


def document_fault(error: BaseException) -> str:
    """Describe one of ``DOCUMENT_FAULTS`` in words."""
    if isinstance(error, KeyError):
        return f"the field {plain(str(error))} is missing"
    if isinstance(error, IndexError):
        return "a choice is empty, or the gold answer is none of the choices"
    if isinstance(error, ValueError) and (label := str(error).removesuffix(" is not in list")) != str(error):
        return f"the gold answer {plain(label)} is none of the choices"
    if isinstance(error, RecursionError | MemoryError):
        return "its values are nested too deeply or are too large"
    if isinstance(error, SyntaxError | ValueError) and _PYTHON_TYPES.search(str(error)):
        return "it makes something that is no list of texts"
    return first_line(error)


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's text, short and without control characters; its type if it has none."""
    said = plain(str(error).strip().partition("\n")[0])[:_LONGEST]
    return said or type(error).__name__


def fault_of_document(task: Task, doc: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a document, naming the fields that are read; None if each part can be made."""
    return next((said for said in _faults(task, doc) if said is not None), None)


def _faults(task: Task, doc: Mapping[str, Any]) -> Iterable[str | None]:
    """Yield for each part of a document what is wrong with it, or None."""
    if task.config.doc_to_choice is not None:
        yield _fault(task, "doc_to_choice", doc, "its choices", _fault_of_choices)
    yield _fault(task, "doc_to_text", doc, "its prompt", _fault_of_prompt)
    # The choices could be made, or this would not be reached.
    choices = () if task.config.doc_to_choice is None else task.doc_to_choice(doc)
    yield _fault(task, "doc_to_target", doc, "its answer", partial(_fault_of_answer, choices=choices))


def _fault(
    task: Task, part: str, doc: Mapping[str, Any], name: str, check: Callable[[object], str | None]
) -> str | None:
    try:
        said = check(getattr(task, part)(doc))
    except DOCUMENT_FAULTS as error:
        if isinstance(error, KeyError):
            return _unknown_value(error, doc) or document_fault(error)
        said = document_fault(error)
    if said is None:
        return None
    fields = sorted(fields_of(getattr(task.config, part)))
    made = f"{name} ({part}), from {', '.join(map(repr, fields))}" if fields else f"{name} ({part})"
    return f"{made}: {_lacking(said, doc, fields)}"


def _lacking(said: str, doc: Mapping[str, Any], fields: Sequence[str]) -> str:
    """Say what a template lacks in words, with the field that lacks it where only one does."""
    if (item := _NO_ITEM.fullmatch(said)) is not None:
        number = int(item[1])
        short = [field for field in fields if isinstance(doc.get(field), list) and len(doc[field]) <= number]
        if len(short) == 1:
            return f"{short[0]!r} has {len(doc[short[0]])} items, and item {number} is needed (the first is 0)"
        return f"a list in it has no item {number} (the first is 0)"
    if (key := _NO_KEY.fullmatch(said)) is not None:
        objects = [field for field in fields if isinstance(doc.get(field), dict)]
        if len(objects) == 1:
            return f"{objects[0]!r} has no {key[1]}, or it is null"
        return f"an object in it has no {key[1]}"
    return said if (name := _NO_FIELD.fullmatch(said)) is None else f"the field {name[1]} is missing"


def with_null_fields(said: str, doc: Mapping[str, Any]) -> str:
    """Add to what a task's own code said the fields that are null or missing, which it does not name."""
    names = [name for name, value in doc.items() if value is None]
    if not names or any(repr(name) in said for name in names):
        return said
    return f"{said}; {', '.join(map(repr, names))} {'is' if len(names) == 1 else 'are'} null or missing"


def _unknown_value(error: KeyError, doc: Mapping[str, Any]) -> str | None:
    """Describe a value that the task looked up and does not know; None if a field is missing."""
    key = error.args[0] if error.args else None
    field = None if key in doc else next((name for name, value in doc.items() if value == key), None)
    return None if field is None else f"{shown(key)} in the field {field!r} is no value that it knows"


def _fault_of_choices(choices: object) -> str | None:
    if not isinstance(choices, list) or not all(isinstance(one, str) for one in choices):
        return f"a list of texts is needed, not {shown(choices)}"
    if not choices:
        return "there are none"
    return "a choice is empty" if "" in choices else None


def _fault_of_prompt(prompt: object) -> str | None:
    return None if isinstance(prompt, str | int) else f"text is needed, not {shown(prompt)}"


def _fault_of_answer(answer: object, choices: Sequence[str]) -> str | None:
    if isinstance(answer, int) and choices and not 0 <= answer < len(choices):
        return f"the gold answer {answer} is none of its {len(choices)} choices"
    if isinstance(answer, str | int):
        return None
    if not isinstance(answer, list) or not all(isinstance(one, str | int) for one in answer):
        return f"text or the number of a choice is needed, not {shown(answer)}"
    return None if answer else "there is none"
