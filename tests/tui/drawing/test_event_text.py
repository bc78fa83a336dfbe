"""Verdicts on the top in words: decided after so many documents, or open between some units."""

from __future__ import annotations

from dataclasses import replace

from core.study.events import TopVerdict
from tui.drawing.event_text import verdict_text

LABELS = tuple(f"FFN {number}" for number in range(11))
OPEN = TopVerdict("windows", "capitals", 3, 0.95, 64, 300, 100, LABELS[:3], LABELS, None)


def test_a_decided_top_is_told_with_the_documents_it_took() -> None:
    decided = TopVerdict("windows", "capitals", 2, 0.95, 200, 300, 100, ("Attn 0", "FFN 1"), (), 0)
    said = "windows on capitals: top 2 decided at 95%: Attn 0, FFN 1, after 200 of 300 documents"
    assert verdict_text(decided) == said


def test_what_is_undecided_is_named_beside_what_is_sure() -> None:
    verdict = replace(OPEN, k=2, confidence=0.9, top=("Attn 0", "FFN 1"), undecided=("FFN 1", "Attn 2"))
    assert verdict_text(verdict) == (
        "windows on capitals: top 2 at 90% after 64 documents: Attn 0 for sure, undecided between these: FFN 1, "
        "Attn 2; no number of documents in sight would tell them apart"
    )


def test_a_long_list_is_cut_with_its_number_and_a_tie_has_no_end_in_sight() -> None:
    assert verdict_text(OPEN).endswith("FFN 7 and 3 more; no number of documents in sight would tell them apart")
    few = replace(OPEN, more=20, size=10_000)
    assert verdict_text(few).endswith("; about 20 more documents would be needed")
    beyond = replace(OPEN, more=1200, size=120)
    assert verdict_text(beyond).endswith("; about 1200 more documents would be needed, and the task has 120 in all")
