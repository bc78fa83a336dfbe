"""The tables that a run prints: no certainty where all documents have the same score."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

from rich.console import Console

from tests.support.figure_rows import ablation_rows
from tui.commands.phase_report import ablation_table
from tui.drawing.ablation_chart import ablation_chart


def test_where_there_is_no_standard_error_the_interval_is_printed() -> None:
    told, untold = ablation_rows("boolq")[:2]
    none_right = replace(untold, acc=0.0, acc_se=None, acc_low=0.0, acc_high=0.031)
    console = Console(width=120, record=True, file=StringIO())
    console.print(ablation_table([told, none_right]))
    lines = console.export_text().splitlines()
    (first,) = [line for line in lines if told.label in line]
    (second,) = [line for line in lines if untold.label in line]
    assert f"{told.acc_se:.3f}" in first
    assert "0.000 to 0.031" in second


def test_the_chart_tells_its_documents_and_draws_others_by_their_paired_drop() -> None:
    rows = ablation_rows("boolq")
    first, *others = rows
    more = replace(first, n=first.n * 2, intact_acc=first.intact_acc - 0.1, acc=first.acc - 0.1)
    title, chart = ablation_chart(rows).split("\n", 1)
    mixed, same = ablation_chart([more, *others]).split("\n", 1)
    assert "(acc), n = 120:" in title
    assert "(acc), n = 120, 1 dot of 240:" in mixed
    assert same == chart
