"""Check a JSON-lines file that replaces a task's data set; every fault names the file and the line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import jinja2.meta

from core.errors import CornerstoneError

_TEMPLATES = ("doc_to_text", "doc_to_target", "doc_to_choice")


@dataclass(frozen=True, slots=True)
class DataFile:
    """A checked file: ``lines[i]`` is the line number (from 1) of row ``i``."""

    path: Path
    lines: tuple[int, ...]

    def where(self, row: int) -> str:
        return f"{self.path}, line {self.lines[row]}"


def check_data_file(path: Path, task: str, definition: Mapping[str, Any]) -> DataFile:
    """Check that ``path`` holds rows with the fields that a task's definition reads.

    Args:
        path: one JSON object per line; blank lines are skipped.
        task: the task's name, for messages.
        definition: the task's lm-eval configuration, with functions resolved.

    Raises:
        CornerstoneError: the file cannot be read, a line is not a JSON object, a field is missing, or there are no
            rows.
    """
    fields = required_fields(definition)
    numbers = []
    for number, line in enumerate(read_data_file(path, task).split("\n"), start=1):
        if not line.strip():
            continue
        _check_row(line, f"{path}, line {number}", task, fields)
        numbers.append(number)
    if not numbers:
        raise CornerstoneError(f"{path} has no rows; {task} needs one JSON object a line")
    return DataFile(path, tuple(numbers))


def read_data_file(path: Path, task: str) -> str:
    """Return the text of a file that replaces the data set of ``task``.

    Raises:
        CornerstoneError: the file cannot be read, or it is not plain UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CornerstoneError(f"cannot read {path} as data for {task}: {reason}") from error
    if text.startswith("\ufeff"):
        raise CornerstoneError(f"{path} begins with a byte-order mark; save it as plain UTF-8")
    return text


def required_fields(definition: Mapping[str, Any]) -> frozenset[str]:
    """Return the top-level fields that a task's templates read; none if the task first transforms its documents."""
    if definition.get("process_docs") is not None:
        return frozenset()
    fields: set[str] = set()
    for key in _TEMPLATES:
        template = definition.get(key)
        if isinstance(template, str):
            fields |= {template} if template.isidentifier() else _undeclared(template)
    return frozenset(fields)


def _undeclared(template: str) -> set[str]:
    """Return the variables that a template reads."""
    try:
        return jinja2.meta.find_undeclared_variables(jinja2.Environment(autoescape=False).parse(template))
    except jinja2.TemplateSyntaxError:
        return set()  # lm-eval's environment knows more syntax; building the documents will find real errors


def _check_row(line: str, where: str, task: str, fields: frozenset[str]) -> None:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise CornerstoneError(f"{where}: not JSON ({error.msg} at column {error.colno})") from error
    if not isinstance(row, dict):
        raise CornerstoneError(f"{where}: {task} needs a JSON object, this is a {type(row).__name__}")
    missing = sorted(field for field in fields if row.get(field) is None)
    if missing:
        names = ", ".join(repr(field) for field in missing)
        raise CornerstoneError(f"{where}: {task} needs {names}, which this row does not have")
