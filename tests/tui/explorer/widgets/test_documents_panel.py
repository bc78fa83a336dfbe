from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from store.reading.documents import Documents
from tests.support import example_state as example
from tests.support.example_home import home_rows
from tests.support.mounted_widget import HOSTILE, text_of
from tui.drawing.plain import visible
from tui.explorer.home_reading import Wanted
from tui.explorer.scope import Scope
from tui.explorer.widgets.documents_panel import DocumentsPanel


def documents() -> Documents:
    found = home_rows(Path(), Wanted(Scope(), (0,), example.DOCUMENTS, 0)).documents
    assert found is not None
    return found


def text(found: Documents | None, *, intact: bool = False, width: int = 80, height: int = 12) -> str:
    panel = DocumentsPanel()
    return text_of(panel, lambda: panel.show(found, intact=intact), width=width, height=height)


def test_documents_that_changed_come_first_with_both_answers() -> None:
    lines = text(documents()).split("\n")
    assert "28 of 120 answers changed" in lines[0]
    assert lines[1].split()[1:4] == ["gold", "intact", "now"]
    assert lines[2].split()[1:5] == ["≠", "is", "is", "are"]
    assert lines[2].endswith("The key to the cabinets".ljust(len(lines[2]) - lines[2].index("The key") - 2) + " │")
    assert "[red]The authors[/]" in "\n".join(lines)


def test_the_intact_models_documents_have_no_second_answer() -> None:
    lines = text(documents(), intact=True).split("\n")
    assert "Documents: 120" in lines[0]
    assert "now" not in lines[1]
    assert "≠" not in "".join(lines)


def test_texts_that_the_model_wrote_are_shown_in_place_of_choices() -> None:
    found = documents()
    rows = tuple(replace(row, choices=(), gold=(), written_intact="42", written="4\x1b[31m2") for row in found.rows)
    assert "42" in text(replace(found, rows=rows)).split("\n")[2]
    assert "\x1b" not in text(replace(found, rows=rows))
    assert "4␛[31m2" in text(replace(found, rows=rows)), "control characters are seen"


@pytest.mark.parametrize("width", [12, 24, 40, 200])
def test_it_fits_any_width(width: int) -> None:
    assert "Doc" in text(documents(), width=width)


@pytest.mark.parametrize("found", [None, Documents((), 0, 0)])
def test_without_documents_it_says_what_will_be_here(found: Documents | None) -> None:
    assert "the documents of what is removed will be here" in text(found)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_are_text(name: str) -> None:
    found = documents()
    rows = tuple(replace(row, prompt=name, choices=(name, name)) for row in found.rows)
    assert " ".join(visible(name).split())[:12] in text(replace(found, rows=rows))
