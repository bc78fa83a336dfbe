"""JSON: read back as it was, in ASCII, without NaN."""

from __future__ import annotations

import json
from typing import Any

import pytest

from store.export import render
from tests.support.format_rows import EMPTY, FULL, HOSTILE, UNDEFINED, Row, hostile_row


def read(*rows: Row) -> list[dict[str, Any]]:
    text = render(rows, Row, "json")
    assert text.isascii()
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))


def test_the_bytes_are_these() -> None:
    assert render([], Row, "json") == "[]\n"
    assert render([EMPTY], Row, "json") == (
        '[\n {\n  "name": "",\n  "number": null,\n  "count": null,\n  "sure": false,\n  "began": null,\n'
        '  "gold": null,\n  "scores": [],\n  "labels": []\n }\n]\n'
    )


def test_values_keep_their_types() -> None:
    (row,) = read(FULL)
    assert row == {
        "name": "tiny", "number": -0.12345, "count": 7, "sure": True, "began": "2026-01-02 03:04:05", "gold": [1, 2],
        "scores": [-1.5, 2.25], "labels": ["Attn 0", "FFN 1"],
    }  # fmt: skip


def test_what_is_undefined_or_infinite_is_null() -> None:
    (row,) = read(UNDEFINED)
    assert (row["number"], row["gold"], row["scores"]) == (None, 3, [None, None, None])


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_that_text(text: str) -> None:
    (row,) = read(hostile_row(text))
    assert (row["name"], row["labels"]) == (text, [text, "b"])
