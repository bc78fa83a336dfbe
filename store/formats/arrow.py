"""Arrow's file format, also known as Feather, with the column types of Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from store.formats.format import Format
from store.formats.typed_table import typed_table


def _write(rows: Sequence[Any], row_type: type, path: Path) -> None:
    from pyarrow import ipc

    with typed_table(rows, row_type) as table:
        found = table.to_arrow_table()
    # Opened here, so that errors are Python's own.
    with path.open("wb") as file, ipc.new_file(file, found.schema) as writer:
        writer.write_table(found)


FORMAT = Format("arrow", (".arrow", ".feather"), "Feather, typed", write=_write)
