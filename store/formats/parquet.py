"""Parquet, written by DuckDB."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from store.formats.format import Format
from store.formats.typed_table import typed_table


def _write(rows: Sequence[Any], row_type: type, path: Path) -> None:
    import duckdb

    try:
        with typed_table(rows, row_type) as table:
            table.write_parquet(str(path))
    except duckdb.IOException as error:
        raise OSError(errno.EIO, str(error).splitlines()[0]) from error


FORMAT = Format("parquet", (".parquet",), "typed and compressed", write=_write)
