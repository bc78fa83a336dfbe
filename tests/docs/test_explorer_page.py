"""docs/explorer.md names keys that exist, and its pictures are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tui.explorer.actions import APP, EXPLORE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explorer.md").read_text(encoding="utf-8")
NAMES = {"/": "slash", ":": "colon", ",": "comma", "?": "question_mark"}
KEYS = {key for action in (*APP, *EXPLORE) for key in action.keys.split(",")}


@pytest.mark.parametrize(("title", "key"), re.findall(r"^## (.+) \(`(.+)`\)$", PAGE, re.MULTILINE))
def test_a_screen_is_opened_by_its_key(title: str, key: str) -> None:
    assert NAMES.get(key, key) in KEYS, title


def test_every_picture_is_there_and_shown() -> None:
    shown = set(re.findall(r"\(pictures/(\w+\.svg)\)", PAGE))
    assert shown == {file.name for file in (ROOT / "docs" / "pictures").glob("*.svg")}


def test_keys_in_the_text_of_home_exist() -> None:
    home = PAGE.partition("## Home")[2].partition("\n## ")[0]
    keys = set(re.findall(r"^- `([^`]+)`|, `([^`]+)`", home, re.MULTILINE))
    assert keys
    for key in (one or other for one, other in keys):
        assert NAMES.get(key, key) in KEYS
