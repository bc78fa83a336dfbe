"""A JSON list of objects in ASCII; what is undefined or infinite is null."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from store.formats.columns import record
from store.formats.format import Format


def _render(rows: Sequence[Any], row_type: type) -> str:
    del row_type
    return json.dumps([record(row) for row in rows], indent=1, allow_nan=False) + "\n"


FORMAT = Format("json", (".json",), "for programs", render=_render)
