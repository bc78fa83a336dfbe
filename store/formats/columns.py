"""The columns of a table, and their values as data: the same in every format that programs read."""

from __future__ import annotations

import math
from dataclasses import fields
from datetime import datetime
from types import NoneType
from typing import Any, get_args


def columns_of(row_type: type) -> tuple[str, ...]:
    """Return the column names of a row dataclass, in order."""
    return tuple(field.name for field in fields(row_type))


def record(row: Any) -> dict[str, Any]:
    """Return the values of a row by column, each as ``data_value`` has it."""
    return {name: data_value(getattr(row, name)) for name in columns_of(type(row))}


def data_value(value: Any) -> Any:
    """Return a value as data: undefined and infinite numbers as None, tuples as lists, times as text."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case tuple():
            return [data_value(item) for item in value]
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case _:
            return value


def types_in(hint: Any) -> list[Any]:
    """Return the types that a field's type hint allows, without None."""
    return [variant for variant in (get_args(hint) or (hint,)) if variant is not NoneType]
