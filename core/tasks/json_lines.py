"""Read JSON lines strictly: what JSON leaves open, or other readers guess at, is refused with its line and field.

Light to import.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from core.errors import CornerstoneError
from core.machine.plain_text import plain
from core.machine.regular_file import open_regular
from core.machine.whole_number import whole

LONGEST_LINE = 16 * 2**20
"""Bytes of a line at most, so that a file without line ends cannot fill the memory."""

ITEM = "\0"
"""Stands in a path for an item of a list; no field has this name."""

_DEEPEST = 32
_MOST_VALUES = 100_000
"""Values of a line at most. To check millions of them takes many seconds, and no task reads so many."""
_SHOWN = 60
_LARGEST = 2**63


class _FaultError(ValueError):
    """What is wrong with a line, in words."""


def read_json_lines(path: Path, task: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number (from 1) and the object of each line that is not blank.

    Args:
        path: the file; it may also be a symbolic link to a file.
        task: the task that needs the rows, for messages.

    Raises:
        CornerstoneError: the file cannot be read, or a line is too long, is not UTF-8, or is not one JSON object whose
            keys differ, whose numbers are finite and fit into 64 bits, whose text is Unicode without null characters,
            and which has 100,000 values at most.
    """
    try:
        with open_regular(path) as file:
            number = 0
            while line := file.readline(LONGEST_LINE + 1):
                number += 1
                if (row := _row(line, number, path, task)) is not None:
                    yield number, row
    except OSError as error:
        raise CornerstoneError(f"cannot read {plain(str(path))} as data for {task}: {error.strerror}") from error


def shown(value: object) -> str:
    """Return a value as an error shows it: short, on one line, and without control characters."""
    text = repr(value[:_SHOWN]) if isinstance(value, str) else repr(value)
    return plain(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def _row(line: bytes, number: int, path: Path, task: str) -> dict[str, Any] | None:
    """Return the object of a line; None if the line is blank."""
    where = f"{path}, line {number}"
    if len(line) > LONGEST_LINE:
        raise CornerstoneError(f"{where}: longer than {LONGEST_LINE // 2**20} MiB; write one JSON object a line")
    if number == 1 and line.startswith(b"\xef\xbb\xbf"):
        raise CornerstoneError(f"{path} begins with a byte-order mark; save it as plain UTF-8")
    try:
        text = line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        said = f"it is not UTF-8 text (line {number}, byte {error.start + 1})"
        raise CornerstoneError(f"cannot read {path} as data for {task}: {said}") from error
    if not text.strip():
        return None
    try:
        row = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer)
        if not isinstance(row, dict):
            raise _FaultError(f"{task} needs a JSON object, this is a {_TYPE_NAMES.get(type(row), type(row).__name__)}")
        if _has_many_values(row):
            raise _FaultError(f"more than {whole(_MOST_VALUES)} values, and no task reads so many")
        _check(row, ())
    except json.JSONDecodeError as error:
        raise CornerstoneError(
            f"{where}: not JSON ({error.msg.removesuffix(' at')} at column {error.colno})"
        ) from error
    except _FaultError as error:
        raise CornerstoneError(f"{where}: {error}") from error
    except RecursionError as error:
        raise CornerstoneError(f"{where}: nested more than {_DEEPEST} deep") from error
    return row


_TYPE_NAMES = {str: "text", int: "number", float: "number", bool: "truth value", type(None): "null"}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object; ``json`` would silently keep the last of two equal keys."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _FaultError(f"the field {shown(key)} appears twice in one object")
        found[key] = value
    return found


def _constant(text: str) -> NoReturn:
    raise _FaultError(f"{text} is not a JSON number")


def _integer(digits: str) -> int:
    # Python refuses to read thousands of digits, and Arrow holds 64 bits.
    if len(digits) > len(str(-_LARGEST)) or not -_LARGEST <= (number := int(digits)) < _LARGEST:
        raise _FaultError(f"the number {shown(digits)[1:-1]} does not fit into 64 bits")
    return number


def _has_many_values(row: dict[str, Any]) -> bool:
    count = 0
    layer: list[Any] = [row]
    while layer and count <= _MOST_VALUES:
        count += sum(map(len, layer))
        inside = (inner.values() if isinstance(inner, dict) else inner for inner in layer)
        layer = [one for inner in inside for one in inner if isinstance(one, dict | list)]
    return count > _MOST_VALUES


def _check(value: Any, path: Sequence[str]) -> None:
    """Refuse text and numbers that ``json`` reads and nothing else can keep."""
    if len(path) > _DEEPEST:
        raise _FaultError(f"nested more than {_DEEPEST} deep")
    match value:
        case str():
            _check_text(value, f"the text of {field_name(path)}")
        case float() if not math.isfinite(value):
            raise _FaultError(f"the number in {field_name(path)} is too large")
        case dict():
            for key, item in value.items():
                _check_text(key, "a field's name")
                _check(item, (*path, key))
        case list():
            for item in value:
                _check(item, (*path, ITEM))


def _check_text(text: str, what: str) -> None:
    if text.isascii():
        if "\0" in text:
            raise _FaultError(f"{what} has a null character")
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        code = ord(text[error.start])
        raise _FaultError(f"{what} has a lone surrogate (\\u{code:04x}), which is no character") from error
    if "\0" in text:
        raise _FaultError(f"{what} has a null character")


def field_name(path: Sequence[str]) -> str:
    """Return the name of a field for messages: ``'choices.text'``; parts of a list have the list's name."""
    return shown(".".join(part for part in path if part != ITEM))
