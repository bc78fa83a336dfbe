"""What a run has done, in a few words."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from store.rows import RunRow
from tui.drawing.run_text import what_ran

ROW = RunRow("id", datetime(2026, 11, 29), None, "running", "", "tiny", ("agreement",), 1, 2, 3)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("cornerstone", "by hand"),
        ("cornerstone run quickstart", "quickstart"),
        ("cornerstone run --model x --task agreement", "ablation"),
        ("cornerstone run --task a --schedule windows --schedule=ablation", "windows, ablation"),
        ("cornerstone run --task a --remove 'Attn 0'", "chosen sets"),
        ("cornerstone run my.yaml --limit 3", "my.yaml"),
        ("cornerstone path --task a", "path"),
        ("cornerstone run --task 'unclosed", "ablation"),
        ("", ""),
        (f"cornerstone run {'x' * 50}", "x" * 23 + "…"),
    ],
)
def test_it_is_read_of_the_command(command: str, what: str) -> None:
    assert what_ran(replace(ROW, command=command)) == what
