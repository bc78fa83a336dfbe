"""The reference is what the program says of itself."""

from __future__ import annotations

from pathlib import Path

from docs.generate import FILE, reference
from store.file.location import default_path


def test_the_file_is_what_the_program_says() -> None:
    same = FILE.read_text(encoding="utf-8") == reference()
    assert same, "docs/reference.md is not what the program says; write it anew with `make docs`"


def test_it_names_nothing_of_this_machine() -> None:
    text = FILE.read_text(encoding="utf-8")
    for path in (Path.home(), Path.cwd(), default_path()):
        assert str(path) not in text
