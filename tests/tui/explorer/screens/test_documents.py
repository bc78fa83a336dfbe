"""A coalition's documents: changed ones are marked, the detail follows the cursor, pages, missing ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from core.records.records import WRITTEN, DocumentRecord
from store.results import Results
from store.rows import GroupRow
from tests.support.explorer import until
from tests.support.screen_host import drawn, hosted, settled
from tests.support.store_records import assignment, documents, keep, outcome, task
from tests.tui.explorer.test_bursts import burst
from tui.explorer.scope import Scope
from tui.explorer.screens import documents as documents_screen
from tui.explorer.screens.documents import DocumentsScreen
from tui.explorer.screens.export import ExportDialog
from tui.explorer.widgets.document_detail import DocumentDetail
from tui.explorer.widgets.result_table import ResultTable

pytestmark = pytest.mark.asyncio

Full = tuple[Path, GroupRow]


def screen_of(full: Full, *removed: int) -> DocumentsScreen:
    path, group = full
    return DocumentsScreen(path, Scope(group.model_id, group.task_id), removed)


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_documents_with_gold_intact_and_now(full: Full, size: tuple[int, int]) -> None:
    async with hosted(lambda: screen_of(full, 0), size) as pilot:
        text = drawn(pilot)
    assert "Attn 0 removed   3 of 6 answers changed   tiny · capitals" in text
    lines = [line.split()[:5] for line in text.splitlines()[3:9]]
    assert lines[0] == ["≠", "0", "a", "a", "b"]
    assert lines[2] == ["≠", "2", "c", "c", "d"]
    assert [line[:4] for line in lines[3:]] == [["3", "d", "d", "d"], ["4", "a", "a", "a"], ["5", "b", "c", "c"]]
    assert "6 documents" in text


async def test_the_detail_follows_the_cursor(full: Full) -> None:
    async with hosted(lambda: screen_of(full, 0), (120, 35)) as pilot:
        text = drawn(pilot)
        assert "document 0   intact right   now wrong" in text
        assert "question 0" in text
        await settled(pilot, "down", "down", "down")
        text = drawn(pilot)
        assert "document 3   intact right   now right" in text
        detail = [line.rpartition("│")[2].split() for line in text.splitlines()]
        assert ["✓", "d", "▸", "-1.00", "▸", "-2.00"] in detail


async def test_only_changed_and_back_to_all(full: Full) -> None:
    async with hosted(lambda: screen_of(full, 0)) as pilot:
        await settled(pilot, "end", "o")
        text = drawn(pilot)
        assert "3 changed documents" in text
        assert "document 0" in text
        await settled(pilot, "o")
        assert "6 documents" in drawn(pilot)


async def test_pages(full: Full, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents_screen, "_PAGE", 4)
    async with hosted(lambda: screen_of(full, 0)) as pilot:
        assert "6 documents, showing 1 to 4" in drawn(pilot)
        assert "next page" in drawn(pilot)
        assert "page before" not in drawn(pilot)
        await settled(pilot, "left_square_bracket", "right_square_bracket")
        assert "6 documents, showing 5 to 6" in drawn(pilot)
        assert "document 4" in drawn(pilot)
        assert "next page" not in drawn(pilot)
        await settled(pilot, "right_square_bracket", "left_square_bracket")
        assert "showing 1 to 4" in drawn(pilot)


async def test_a_new_size_keeps_the_document(full: Full) -> None:
    async with hosted(lambda: screen_of(full, 0), (80, 24)) as pilot:
        await settled(pilot, "down", "down")
        await pilot.resize_terminal(160, 40)
        await settled(pilot)
        assert "document 2" in drawn(pilot)
        assert pilot.app.screen.query_one(ResultTable).cursor_row == 2


async def test_the_intact_model_alone(full: Full) -> None:
    async with hosted(lambda: screen_of(full)) as pilot:
        text = drawn(pilot)
    assert "the intact model   tiny" in text
    assert "≠" not in text


async def test_a_document_without_the_intact_model_or_without_a_choice(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    cloze = assignment(documents([0], choices=1), [(), (1,)], of_task=task("lambada"))
    keep(path, cloze, [outcome("doc-0", (1,), 0.0, logprobs=[float("-inf")])])
    (group,) = Results(path).groups().rows
    async with hosted(lambda: DocumentsScreen(path, Scope(group.model_id, group.task_id), (1,)), (120, 30)) as pilot:
        text = drawn(pilot)
    assert "intact not evaluated   now wrong" in text
    assert "-inf" in text


async def test_texts_that_the_model_wrote_stand_beside_the_intact_models(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    math = replace(task("gsm8k", means=("exact_match",), others=()), output_type="generate_until")
    texts = {(): ("4 * 6 = 24\n#### 24", 1.0), (1,): ("[red]12 12[/red]", 0.0)}
    asked = assignment(documents([0], choices=1), list(texts), of_task=math)
    keep(
        path,
        asked,
        [
            outcome("doc-0", removed, logprobs=[], metrics={"exact_match": score}, other={WRITTEN: text})
            for removed, (text, score) in texts.items()
        ],
    )
    (group,) = Results(path).groups().rows
    async with hosted(lambda: DocumentsScreen(path, Scope(group.model_id, group.task_id), (1,)), (200, 40)) as pilot:
        text = drawn(pilot)
    assert "1 of 1 answers changed" in text
    assert "intact right   now wrong" in text
    assert "exact_match 1.000 → 0.000" in text
    detail = [line.rpartition("│")[2].strip() for line in text.splitlines()]
    first = detail.index("right")
    assert detail[first : first + 7] == ["right", "a", "intact", "4 * 6 = 24", "#### 24", "now", "[red]12 12[/red]"]
    assert "4 * 6 = 24 #### 24" in text


async def test_a_store_that_went_away_is_one_sentence_and_comes_back(full: Full, tmp_path: Path) -> None:
    path, group = full
    copy = tmp_path / "results.duckdb"
    async with hosted(lambda: DocumentsScreen(copy, Scope(group.model_id, group.task_id), (0,)), (160, 30)) as pilot:
        assert f"no results at {copy} yet" in drawn(pilot)
        await settled(pilot, "o", "o", "n", "down")
        copy.write_bytes(path.read_bytes())
        await settled(pilot, "f5")
        assert "6 documents" in drawn(pilot)
        await settled(pilot, "escape")
        assert not isinstance(pilot.app.screen, DocumentsScreen)


@pytest.mark.slow
async def test_a_long_prompt_says_what_it_leaves_out(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    (document,) = documents([0])
    long = type(document)(document.key, 0, document.gold, "x" * 30_000 + " the end", document.choices)
    keep(path, assignment([long], [()]), [outcome("doc-0")])
    (group,) = Results(path).groups().rows
    async with hosted(lambda: DocumentsScreen(path, Scope(group.model_id, group.task_id), ()), (200, 60)) as pilot:
        assert "the first 10 008 characters are left out here" in drawn(pilot)


async def test_export_is_of_its_model_and_task(full: Full) -> None:
    path, group = full
    async with hosted(lambda: DocumentsScreen(path, Scope(group.model_id, group.task_id), (0,))) as pilot:
        await settled(pilot, "e")
        assert isinstance(pilot.app.screen, ExportDialog)
        assert pilot.app.screen.query_one("#path", Input).value == "./cornerstone-documents.csv"
        await pilot.click("#rows-all")
        await settled(pilot)
        assert pilot.app.screen.query_one("#path", Input).value == "./cornerstone-outcomes.csv"


@pytest.mark.parametrize(("ending", "read"), [("json", json.loads), ("csv", lambda text: text.splitlines()[1:])])
async def test_the_documents_that_are_found_are_written(
    full: Full, tmp_path: Path, ending: str, read: Callable[[str], list[Any]]
) -> None:
    async with hosted(lambda: screen_of(full, 0)) as pilot:
        await settled(pilot, "o")
        await burst(pilot, "e", "ctrl+a", "ctrl+k", f"={tmp_path}/d.{ending}", "ctrl+s")
        assert "as shown: 3 changed documents" in drawn(pilot)
        await settled(pilot)
    rows = read((tmp_path / f"d.{ending}").read_text())
    assert len(rows) == 3
    if ending == "json":
        assert [(row["doc_id"], row["changed"], row["prompt"]) for row in rows] == [
            (number, True, f"question {number}") for number in range(3)
        ]


async def test_reading_again_keeps_the_document_and_where_it_is_scrolled_to(full: Full) -> None:
    async with hosted(lambda: screen_of(full, 0), (80, 14)) as pilot:
        await settled(pilot, "down", "down", "tab", "down", "down")
        detail = pilot.app.screen.query_one(DocumentDetail)
        top = detail.scroll_offset.y
        assert top > 0
        screen = pilot.app.screen
        assert isinstance(screen, DocumentsScreen)
        screen.look_again()
        await settled(pilot)
        assert screen.query_one(ResultTable).cursor_row == 2
        assert detail.scroll_offset.y == top


@pytest.mark.slow
async def test_documents_with_a_text_are_found(full: Full) -> None:
    async with hosted(lambda: screen_of(full, 0)) as pilot:
        await burst(pilot, "=/QUESTION 2")
        await until(pilot, lambda: "1 document with 'QUESTION 2'" in drawn(pilot))
        assert "document 2" in drawn(pilot)
        await settled(pilot, "enter", "o")
        assert "1 changed document with" in drawn(pilot)
        await settled(pilot, "slash", "escape")
        await until(pilot, lambda: "3 changed documents" in drawn(pilot))
        assert isinstance(pilot.app.focused, ResultTable)


async def test_prompts_and_rows_are_copied(full: Full) -> None:
    async with hosted(lambda: screen_of(full, 0), (120, 35)) as pilot:
        await settled(pilot, "j", "y")
        assert pilot.app.clipboard == "question 1"
        await settled(pilot, "Y")
        assert pilot.app.clipboard == "1\tb\tb\tc\tquestion 1"


async def test_control_characters_of_a_document_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    docs = [DocumentRecord("key", 0, (0,), "one\x1b[31m\ttwo\x00\nthree\u202e", ("a\x07", "b"))]
    keep(path, assignment(docs, [()]), [outcome("key", (), logprobs=[-1.0, -2.0])])
    (group,) = Results(path).groups().rows
    async with hosted(lambda: DocumentsScreen(path, Scope(group.model_id, group.task_id), ()), (120, 30)) as pilot:
        text = drawn(pilot)
    assert "one␛[31m    two␀" in text
    assert "three<U+202E>" in text
    assert "a␇" in text
    assert not any(char in text for char in "\x1b\x00\x07\u202e")
