"""Read a JSON-lines file that replaces a task's data set; every fault names the file, the line and the field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import jinja2.meta

from core.errors import CornerstoneError
from core.tasks.json_lines import read_json_lines, shown
from core.tasks.row_kinds import RowKinds

_TEMPLATES = ("doc_to_text", "doc_to_target", "doc_to_choice")


@dataclass(frozen=True, slots=True)
class DataFile:
    """A checked file: ``lines[i]`` is the line number (from 1) of row ``i``."""

    path: Path
    lines: tuple[int, ...]

    def where(self, row: int) -> str:
        return f"{self.path}, line {self.lines[row]}"


def read_data_file(path: Path, task: str, definition: Mapping[str, Any]) -> tuple[DataFile, list[dict[str, Any]]]:
    """Read the rows of a file that replaces the data set of a task, and check that the task can use them.

    Args:
        path: one JSON object per line; blank lines are skipped.
        task: the task's name, for messages.
        definition: the task's lm-eval configuration, with functions resolved.

    Raises:
        CornerstoneError: the file cannot be read, a line is not a sound JSON object, a field is missing or is of
            another kind than the task reads or than in another row, or there are no rows.
    """
    needs = _needs(definition)
    numbers, rows = [], []
    for number, row in _checked_rows(path, task):
        _check_row(row, f"{path}, line {number}", task, needs)
        numbers.append(number)
        rows.append(row)
    return DataFile(path, tuple(numbers)), rows


def refuse_bad_file(path: Path, task: str) -> None:
    """Refuse a file that ``read_data_file`` would refuse whatever the task is.

    Raises:
        CornerstoneError: the file cannot be read, a line is not a sound JSON object, or there are no rows.
    """
    for _row in _checked_rows(path, task):
        pass


def _checked_rows(path: Path, task: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line numbers and rows; each field has one kind of value."""
    kinds = RowKinds()
    number = 0
    for number, row in read_json_lines(path, task):
        kinds.add(row, number, f"{path}, line {number}")
        yield number, row
    if not number:
        raise CornerstoneError(f"{path} has no rows; {task} needs one JSON object a line")


def required_fields(definition: Mapping[str, Any]) -> frozenset[str]:
    """Return the top-level fields that a task's templates read; none if the task first transforms its documents."""
    if definition.get("process_docs") is not None:
        return frozenset()
    fields: set[str] = set()
    for key in _TEMPLATES:
        fields |= fields_of(definition.get(key))
    return frozenset(fields)


def fields_of(template: object) -> set[str]:
    """Return the top-level fields that a part of a task's definition reads; none if it is no template or field."""
    if not isinstance(template, str):
        return set()
    if template.isidentifier():
        return {template}
    try:
        return jinja2.meta.find_undeclared_variables(jinja2.Environment(autoescape=False).parse(template))
    except jinja2.TemplateSyntaxError:
        return set()  # lm-eval's environment knows more syntax; building the documents will find real errors


@dataclass(frozen=True, slots=True)
class _Needs:
    """What a task needs of a row: these fields, a list of texts in ``choices``, and a right choice in ``answer``.

    The last two are None where the task makes them of its fields by a template or a function.
    """

    fields: frozenset[str]
    choices: str | None
    answer: str | None


def _needs(definition: Mapping[str, Any]) -> _Needs:
    if definition.get("process_docs") is not None:
        return _Needs(frozenset(), None, None)
    choices, answer = definition.get("doc_to_choice"), definition.get("doc_to_target")
    return _Needs(required_fields(definition), _field(choices), None if choices is None else _field(answer))


def _field(template: object) -> str | None:
    return template if isinstance(template, str) and template.isidentifier() else None


def _check_row(row: Mapping[str, Any], where: str, task: str, needs: _Needs) -> None:
    missing = sorted(field for field in needs.fields if row.get(field) is None)
    if missing:
        names = ", ".join(map(repr, missing))
        raise CornerstoneError(f"{where}: {task} needs {names}, which this row does not have")
    if needs.choices is not None:
        value = row[needs.choices]
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise CornerstoneError(f"{where}: {task} needs a list of texts in {needs.choices!r}, not {shown(value)}")
        if not value:
            raise CornerstoneError(f"{where}: {needs.choices!r} is empty, so there is nothing to choose from")
        if needs.answer is not None and isinstance(row[needs.answer], float):
            # One fraction would turn the answers of all rows into fractions.
            said = f"the gold answer {shown(row[needs.answer])} is none of its {len(value)} choices"
            raise CornerstoneError(f"{where}: {said}, which are numbered from 0")
