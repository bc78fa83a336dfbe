"""The cells of a table that people read, before they are escaped for one kind of document."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any, get_type_hints

from store.formats.columns import columns_of, types_in


def cell_text(value: Any) -> str:
    """Return a value as readers see it: three decimals, lists joined by commas, nothing where it is undefined."""
    match value:
        case None:
            return ""
        case float():
            return "" if math.isnan(value) else f"{value:z.3f}"
        case tuple() | list():
            return ", ".join(map(cell_text, value))
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case _:
            return str(value)


def numeric_columns(row_type: type) -> frozenset[str]:
    """Return the columns of a row dataclass that hold single numbers, which stand on the right."""
    hints = get_type_hints(row_type)
    return frozenset(name for name in columns_of(row_type) if set(types_in(hints[name])) <= {int, float})
