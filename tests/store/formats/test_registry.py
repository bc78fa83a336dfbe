"""All formats by name: the built-in ones, those of plugins, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from core.errors import CornerstoneError
from store.export import render, write
from store.formats import registry
from store.formats.format import Format
from store.formats.registry import built_in, format_named, format_of, formats
from tests.support.format_rows import FULL, Row


def _names(rows: Sequence[Any], row_type: type) -> str:
    return f"{row_type.__name__}: " + " ".join(row.name for row in rows)


NAMES = Format("names", (".names", ".nms"), "names alone", render=_names)


def plug_in(monkeypatch: pytest.MonkeyPatch, *added: object) -> None:
    monkeypatch.setattr(registry, "contributed", {"formats": added}.__getitem__)


def test_the_built_in_ones() -> None:
    assert tuple(formats()) == ("csv", "json", "latex", "markdown", "arrow", "parquet")
    assert [one.name for one in built_in() if not one.text] == ["arrow", "parquet"]
    assert all(one.summary for one in built_in())


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.csv", "csv"), ("a.JSON", "json"), ("a.b.tex", "latex"), ("a.md", "markdown"), ("a.feather", "arrow")],
)
def test_a_files_name_tells_its_format(name: str, form: str) -> None:
    assert format_of(Path(name)) is formats()[form]


@pytest.mark.parametrize("name", ["a", "a.xml", ".csv", "csv"])
def test_other_names_tell_none(name: str) -> None:
    assert format_of(Path(name)) is None


def test_an_unknown_format_is_refused_by_name_and_nothing_is_written(tmp_path: Path) -> None:
    known = "there is csv, json, latex, markdown, arrow, parquet"
    with pytest.raises(CornerstoneError, match=f"^no format 'xml'; {known}$"):
        write([FULL], Row, "xml", tmp_path / "out.xml", force=False)
    with pytest.raises(CornerstoneError, match=rf"^no format 'latx'; {known}; did you mean latex\?$"):
        render([FULL], Row, "latx")
    assert not list(tmp_path.iterdir())


def test_what_is_no_text_is_not_rendered() -> None:
    with pytest.raises(CornerstoneError, match=r"^arrow is no text"):
        render([FULL], Row, "arrow")


def test_a_plugins_format_is_one_of_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plug_in(monkeypatch, NAMES)
    assert tuple(formats())[-1] == "names"
    assert format_named("names") is format_of(tmp_path / "x.nms") is NAMES
    write([FULL], Row, "names", tmp_path / "x.nms", force=False)
    assert (tmp_path / "x.nms").read_text() == render([FULL], Row, "names") == "Row: tiny"


@pytest.mark.parametrize(
    ("added", "sentence"),
    [
        (("csv",), "a plugin adds 'csv' as a format, which is no Format"),
        ((Format("csv", (".other",), "", render=_names),), "a plugin adds a format 'csv', a name that is taken"),
        ((Format("table", (".other",), "", render=_names),), "a plugin adds a format 'table', a name that is taken"),
        ((NAMES, NAMES), "a plugin adds a format 'names', a name that is taken"),
        (
            (Format("plain", (".txt", ".tex"), "", render=_names),),
            r"a plugin adds a format 'plain' for \.tex files, which latex has; choose another ending",
        ),
    ],
)
def test_what_cannot_be_told_apart_is_refused(
    monkeypatch: pytest.MonkeyPatch, added: tuple[object, ...], sentence: str
) -> None:
    plug_in(monkeypatch, *added)
    with pytest.raises(CornerstoneError, match=sentence):
        formats()


@pytest.mark.parametrize(
    ("name", "endings", "functions", "sentence"),
    [
        ("My Format", (".x",), {"render": _names}, "'My Format' is not made of lower-case letters"),
        ("x", (), {"render": _names}, "x needs endings such as '.csv'"),
        ("x", ("x",), {"render": _names}, "x needs endings such as '.csv'"),
        ("x", (".X",), {"render": _names}, "in lower case"),
        ("x", (".x",), {}, "x needs either render"),
        ("x", (".x",), {"render": _names, "write": print}, "x needs either render"),
    ],
)
def test_a_malformed_format_is_refused(
    name: str, endings: tuple[str, ...], functions: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        Format(name, endings, "", **functions)
