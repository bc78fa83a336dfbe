"""Turn lm-eval's values into what JSON can hold, the same in every process."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def json_value(value: Any) -> Any:
    """Return one of lm-eval's values as JSON can hold it, the same in every process.

    A function becomes the text of the file that defines it, because its helpers count too. Any other value that JSON
    cannot hold becomes its representation, without its memory address.
    """
    match value:
        case np.generic() | np.ndarray():
            return value.tolist()
        case Mapping():
            return {str(key): json_value(item) for key, item in value.items()}
        case list() | tuple():
            return [json_value(item) for item in value]
        case None | bool() | int() | float() | str():
            return value
        case FunctionType():
            return [value.__qualname__, _source_of(value)]
        case _:
            return _ADDRESS.sub("", repr(value))


def _source_of(function: FunctionType) -> str:
    """Return the text of the file that defines a function, or its bytecode if there is no file."""
    try:
        return Path(function.__code__.co_filename).read_text(encoding="utf-8")
    except OSError:
        return function.__code__.co_code.hex()
