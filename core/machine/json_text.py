"""Read JSON that a user may have written: bounded in depth, each key once, numbers of a usual size."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import pydantic_core

from core.machine.plain_text import short_repr

_MOST_DIGITS: Final = 40


def load_json(text: str | bytes) -> Any:
    """Return the content of a JSON text. Its size is the caller's to bound.

    Raises:
        ValueError: it is not JSON, too deep, an object has the same key twice, or a number is too long. The message
            says so in words.
    """
    pydantic_core.from_json(text, allow_inf_nan=True)  # it refuses deep nesting, which the json module recurses into
    return json.loads(text, object_pairs_hook=_each_once, parse_int=_integer)


def _each_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{short_repr(key)} appears twice")
        found[key] = value
    return found


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number has more than {_MOST_DIGITS} digits")
    return int(digits)
