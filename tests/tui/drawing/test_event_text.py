"""Verdicts on the top in words: decided after so many documents, or open between some units."""

from __future__ import annotations

from dataclasses import replace

from core.study.events import CostVerdict, TopVerdict
from tui.drawing.event_text import standings_text, verdict_text

LABELS = tuple(f"FFN {number}" for number in range(11))
OPEN = TopVerdict("windows", "capitals", 3, 0.95, 64, 300, 100, (), LABELS, 49, None)


def test_a_decided_top_is_told_with_the_documents_it_took() -> None:
    decided = TopVerdict("windows", "capitals", 2, 0.95, 200, 300, 100, ("Attn 0", "FFN 1"), (), 5, 0)
    said = "windows on capitals: top 2 decided at 95%: Attn 0, FFN 1, after 200 of 300 documents"
    assert verdict_text(decided) == said


def test_what_is_undecided_is_named_beside_what_is_sure() -> None:
    verdict = replace(OPEN, k=3, confidence=0.9, inside=("FFN 0", "Attn 1"), undecided=("FFN 1", "Attn 2"), more=140)
    assert verdict_text(verdict) == (
        "windows on capitals: top 3 at 90% after 64 documents: FFN 0 and Attn 1 are in; the last place is open between "
        "2: FFN 1, Attn 2; 49 are out; about 140 more documents would be needed, and the task has 100 in all"
    )
    assert standings_text(verdict) == "2 in, 49 out, 2 open"


def test_where_nothing_is_sure_all_places_are_open() -> None:
    assert "after 64 documents: 3 places are open between 11: FFN 0, " in verdict_text(OPEN)
    one = replace(OPEN, inside=("FFN 0",), undecided=LABELS[1:], out=1, documents=1)
    assert "after 1 document: FFN 0 is in; 2 places are open between 10: FFN 1, " in verdict_text(one)
    assert "; 1 is out; " in verdict_text(one)


def test_a_long_list_is_cut_with_its_number_and_a_tie_has_no_end_in_sight() -> None:
    assert verdict_text(OPEN).endswith(
        "FFN 7 and 3 more; 49 are out; no number of documents in sight would tell them apart"
    )
    few = replace(OPEN, more=20, size=10_000)
    assert verdict_text(few).endswith("; about 20 more documents would be needed")
    beyond = replace(OPEN, more=1200, size=120)
    assert verdict_text(beyond).endswith("; about 1 200 more documents would be needed, and the task has 120 in all")


def test_costs_are_told_by_what_is_above_below_and_open() -> None:
    some = CostVerdict("ablation", "capitals", 0.05, 0.95, 64, 300, 1000, ("FFN 0", "Attn 1"), LABELS, 46, 136)
    assert verdict_text(some) == (
        "ablation on capitals: cost .05 at 95% after 64 documents: above it FFN 0, Attn 1; 11 open: "
        "FFN 0, FFN 1, FFN 2, FFN 3, FFN 4, FFN 5, FFN 6, FFN 7 and 3 more; 46 below it; "
        "about 136 more documents would be needed"
    )
    assert standings_text(some) == "2 above, 46 below, 11 open"
    none = replace(some, above=(), below=0, more=None)
    assert verdict_text(none).endswith("FFN 7 and 3 more; no number of documents in sight would tell them apart")
    decided = replace(some, undecided=(), below=58, documents=1200, asked=2000)
    said = "cost .05 decided at 95%: above it FFN 0, Attn 1, below it 58, after 1 200 of 2 000 documents"
    assert verdict_text(decided) == f"ablation on capitals: {said}"
    assert "above it none, below it 58" in verdict_text(replace(decided, above=()))
