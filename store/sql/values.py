"""The values of a result, as JSON has them, and what kind each column is of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

_INTEGERS: Final = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"}
    | {"UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"}
)
_LARGEST = 2**63

KINDS: Final[dict[str, Any]] = {
    "whole": int | None,
    "number": float | None,
    "truth": bool | None,
    "time": datetime | None,
    "text": str | None,
    "wholes": tuple[int, ...] | None,
    "numbers": tuple[float, ...] | None,
    "texts": tuple[str, ...] | None,
}
"""The type of a column's values, by its kind."""


def kind_of(sql_type: str) -> str:
    """Return the kind of a column by DuckDB's name of its type. What has no kind of its own is text."""
    if sql_type.endswith("[]"):
        return {"whole": "wholes", "number": "numbers"}.get(kind_of(sql_type[:-2]), "texts")
    if sql_type in _INTEGERS:
        return "whole"
    if sql_type in {"DOUBLE", "FLOAT"} or sql_type.startswith("DECIMAL"):
        return "number"
    return {"BOOLEAN": "truth", "TIMESTAMP": "time"}.get(sql_type, "text")


def fitting(kind: str, column: Iterable[Any]) -> str:
    """Return the kind of a column with these values: numbers that no file format holds are text, as infinite times."""
    if kind == "time" and any(value is not None and not isinstance(value, datetime) for value in column):
        return "text"
    if kind == "whole" and any(value is not None and not -_LARGEST <= value < _LARGEST for value in column):
        return "text"
    if kind == "wholes" and any(
        one is not None and not -_LARGEST <= one < _LARGEST for value in column if value is not None for one in value
    ):
        return "texts"
    return kind


def packed(value: Any, kind: str) -> Any:
    """Return a value of DuckDB as JSON has it."""
    if value is None:
        return None
    if kind in {"wholes", "numbers", "texts"}:
        return [packed(one, kind[:-1]) for one in value]
    if kind == "number":
        return float(value)
    if kind == "time":
        return value.isoformat()
    return _written(value) if kind == "text" else value


def unpacked(value: Any, kind: str) -> Any:
    """Return what ``packed`` was given, with lists as tuples."""
    if isinstance(value, list):
        return tuple(value)
    return datetime.fromisoformat(value) if kind == "time" and value is not None else value


def _written(value: Any) -> str:
    """Return a value as text: lists and structures as SQL writes them."""
    match value:
        case None:
            return "NULL"
        case bytes():
            return "".join(chr(byte) if 32 <= byte < 127 and byte != 92 else f"\\x{byte:02X}" for byte in value)
        case dict():
            return "{" + ", ".join(f"{_written(name)}: {_written(one)}" for name, one in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_written, value)) + "]"
        case _:
            return str(value)
