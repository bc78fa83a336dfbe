"""Tables of the command line, piped and on terminals of several widths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from store.rows import CoalitionRow, OutcomeRow, RunRow
from store.tables import Table, tables
from tui.commands.row_table import print_rows

LABEL = "Attn 0, FFN 0, Attn 1, FFN 1"
_ACC = ("acc", 0.75, 0.25, 0.75)
COALITION = CoalitionRow("tiny", "task", (0, 1, 2, 3), 9, 0.5, 0.1, 0.25, LABEL, 0.25, -0.1, 0.5, "m", "t", *_ACC)
OTHER = CoalitionRow("tiny", "task", (), 9, 0.75, 0.1, 0.25, "intact", None, None, None, "m", "t", *_ACC)


def printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], rows: Sequence[Any], width: int | None
) -> tuple[list[str], str]:
    monkeypatch.setattr("sys.stdout.isatty", lambda: width is not None)
    monkeypatch.setenv("COLUMNS", str(width or 80))
    dropped = {table.row: table.dropped for table in tables().values()}
    print_rows(rows, type(rows[0]), dropped[type(rows[0])])
    said = capsys.readouterr()
    return said.out.splitlines(), said.err


def test_a_pipe_gets_every_column_whole(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    lines, said = printed(monkeypatch, capsys, [COALITION, OTHER], None)
    columns = "model task removed n acc acc_se acc_norm label drop drop_low drop_high value intact_acc acc_low acc_high"
    assert " ".join(lines[0].split()) == columns
    assert f"[0, 1, 2, 3]  9  0.500   0.100     0.250  {LABEL}  0.250    -0.100      0.500" in lines[2]
    assert said == ""


@pytest.mark.parametrize("width", [80, 100, 140])
def test_a_terminal_gets_a_line_a_row_and_is_told_what_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int
) -> None:
    lines, said = printed(monkeypatch, capsys, [COALITION, OTHER], width)
    assert lines[0] == "\x1b[1mmodel tiny, task task, value acc, intact_acc 0.750, n 9\x1b[0m"
    assert len(lines) == 5
    assert all(len(line) <= width for line in lines[2:])
    assert ("left out for width: removed" in said) == (width < 140)
    assert LABEL in lines[3]


@pytest.mark.parametrize("table", tables().values(), ids=tables())
def test_no_table_wraps_on_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], table: Table
) -> None:
    # Two rows that share nothing, so that no column stands above the table.
    rows = [_wide(table.row, seed) for seed in (1, 2)]
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    print_rows(rows, table.row, table.dropped)
    lines = capsys.readouterr().out.replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()
    assert len(lines) >= 4
    assert max(map(len, lines)) <= 80


def _wide(row: type, seed: int) -> Any:
    """Return a row with a wide value in each field, by its type."""
    made: dict[str, Any] = {"float": -seed / 7, "int": 1000 + seed, "str": f"a name of {seed}", "bool": seed == 1}
    values = {}
    for field in fields(row):
        kind = str(field.type).removesuffix(" | None")
        values[field.name] = (
            datetime(2026, 1, seed, tzinfo=UTC) if kind == "datetime" else made.get(kind, (seed, seed + 1))
        )
    return row(**values)


def test_what_is_above_a_terminals_table_names_the_unit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [replace(one, value="gold_logprob") for one in (COALITION, OTHER)]
    lines, _ = printed(monkeypatch, capsys, rows, 140)
    assert lines[0] == "\x1b[1mmodel tiny, task task, value gold_logprob, nats, intact_acc 0.750, n 9\x1b[0m"


def test_times_have_no_microseconds(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run = RunRow(
        "1a2b", datetime(2026, 1, 2, 3, 4, 5, 678, UTC), None, "running", "cornerstone", "tiny", ("a",), 1, 1, 1
    )
    lines, _ = printed(monkeypatch, capsys, [run], None)
    assert "1a2b  2026-01-02 03:04:05  " in lines[2]


def test_a_large_table_is_printed_whole(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    row = OutcomeRow("tiny", "task", (0, 1), 3, 1, (-1.5, -2.5), (True, False), 1.0, 0.0, None, None, "m", "t")
    lines, _ = printed(monkeypatch, capsys, [row] * 15_000, None)
    assert len(lines) == 15_002


def test_a_small_number_does_not_look_like_zero(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [replace(COALITION, acc_se=0.00031), replace(COALITION, acc_se=None), replace(COALITION, acc_se=0.0)]
    lines, _ = printed(monkeypatch, capsys, rows, None)
    at = lines[0].index("acc_se")
    assert [line[at : at + len("acc_se")].strip() for line in lines[2:]] == ["0.0003", "", "0.000"]
