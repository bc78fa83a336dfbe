"""Parquet: read back by pyarrow with the types of the columns, also of a table without rows."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from store.export import write
from tests.support.format_rows import BEGAN, EMPTY, FULL, HOSTILE, UNDEFINED, Row, hostile_row

TYPES = {
    "name": pa.string(),
    "number": pa.float64(),
    "count": pa.int64(),
    "sure": pa.bool_(),
    "began": pa.timestamp("us"),
    "gold": pa.list_(pa.int64()),
    "scores": pa.list_(pa.float64()),
    "labels": pa.list_(pa.string()),
}


def read(folder: Path, *rows: Row) -> pa.Table:
    path = folder / "out.parquet"
    write(rows, Row, "parquet", path, force=True)
    return parquet.ParquetFile(path).read()


def value_types(table: pa.Table) -> dict[str, pa.DataType]:
    """Return each column's type; of a list only what is in it, as writers name that differently."""
    types = {field.name: field.type for field in table.schema}
    return {name: pa.list_(kind.value_type) if pa.types.is_list(kind) else kind for name, kind in types.items()}


def test_columns_keep_their_types_with_and_without_rows(tmp_path: Path) -> None:
    assert value_types(read(tmp_path)) == TYPES
    assert value_types(read(tmp_path, FULL)) == TYPES


def test_values_come_back(tmp_path: Path) -> None:
    full, empty, undefined = read(tmp_path, FULL, EMPTY, UNDEFINED).to_pylist()
    assert full == {
        "name": "tiny", "number": -0.12345, "count": 7, "sure": True, "began": BEGAN, "gold": [1, 2],
        "scores": [-1.5, 2.25], "labels": ["Attn 0", "FFN 1"],
    }  # fmt: skip
    assert empty["gold"] is None
    assert (empty["scores"], empty["labels"]) == ([], [])
    assert (undefined["number"], undefined["gold"], undefined["scores"]) == (None, [3], [None, None, None])


def test_hostile_texts_are_those_texts(tmp_path: Path) -> None:
    found = read(tmp_path, *map(hostile_row, HOSTILE))
    assert found["name"].to_pylist() == list(HOSTILE)
    assert found["labels"].to_pylist() == [[text, "b"] for text in HOSTILE]
