"""Arrow: read back by pyarrow, as a Feather file too, equal to what Parquet has, and without loading pandas."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import feather, ipc

from core.errors import CornerstoneError
from store.export import write
from tests.store.formats.test_parquet import TYPES, value_types
from tests.store.formats.test_parquet import read as read_parquet
from tests.support.format_rows import EMPTY, FULL, HOSTILE, UNDEFINED, Row, hostile_row


def read(folder: Path, *rows: Row) -> pa.Table:
    path = folder / "out.arrow"
    write(rows, Row, "arrow", path, force=True)
    with ipc.open_file(path) as file:
        return file.read_all()


def test_columns_keep_their_types_with_and_without_rows(tmp_path: Path) -> None:
    assert value_types(read(tmp_path)) == TYPES
    assert value_types(read(tmp_path, FULL)) == TYPES


def test_it_holds_what_parquet_holds(tmp_path: Path) -> None:
    rows = (FULL, EMPTY, UNDEFINED, *map(hostile_row, HOSTILE))
    assert read(tmp_path, *rows).to_pylist() == read_parquet(tmp_path, *rows).to_pylist()


def test_it_is_a_feather_file(tmp_path: Path) -> None:
    write([FULL] * 30_000, Row, "arrow", tmp_path / "out.feather", force=False)
    assert feather.read_table(tmp_path / "out.feather").num_rows == 30_000


def test_a_disk_that_refuses_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_arguments: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", full_disk)
    with pytest.raises(CornerstoneError, match=r"cannot write .*out\.arrow: No space left on device"):
        write([FULL], Row, "arrow", tmp_path / "out.arrow", force=False)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", ["arrow", "parquet"])
def test_writing_does_not_load_pandas(tmp_path: Path, form: str) -> None:
    program = (
        "import sys; from pathlib import Path; from store.export import write;"
        "from tests.support.format_rows import FULL, Row;"
        f"write([FULL], Row, {form!r}, Path(sys.argv[1]), force=False); print('pandas' in sys.modules)"
    )
    started = [sys.executable, "-c", program, str(tmp_path / "out")]
    done = subprocess.run(started, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])
    assert (done.stdout, done.stderr) == ("False\n", "")
