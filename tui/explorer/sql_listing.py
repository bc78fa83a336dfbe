"""The result of a query as a listing, which is filtered, sorted and copied as other tables are."""

from __future__ import annotations

import math
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from tui.drawing.numbers import NONE
from tui.explorer.listing import Column, Listing, listing

if TYPE_CHECKING:
    from store.sql.query import Found


def listing_of(found: Found) -> Listing:
    """Return the rows of a result with a column for each of its own."""
    hints = get_type_hints(found.row)
    columns = [_column(field.name, set(get_args(hints[field.name]))) for field in fields(found.row)]
    return listing(columns, found.rows, [found.note] if found.note else [])


def _column(name: str, types: set[Any]) -> Column:
    numeric = bool(types & {int, float}) and bool not in types
    ordered = numeric or str in types or bool in types
    key = partial(_value, name=name) if ordered else partial(_key, name=name)
    return Column(name, partial(_text, name=name), key, numeric=numeric, falling=numeric)


def _value(row: Any, *, name: str) -> Any:
    value = getattr(row, name)
    return None if isinstance(value, float) and math.isnan(value) else value


def _key(row: Any, *, name: str) -> Any:
    value = getattr(row, name)
    return None if value is None else _written(value)


def _text(row: Any, *, name: str) -> str:
    return _written(getattr(row, name))


def _written(value: Any) -> str:
    """Return a value as a query's result shows it: no grouped digits, and six of a fraction."""
    match value:
        case None:
            return NONE
        case float():
            return f"{value:.6g}"
        case tuple():
            return f"[{', '.join(map(_written, value))}]"
        case _:
            return str(value)
