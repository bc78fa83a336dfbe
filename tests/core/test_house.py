"""Core and store say what happened. Which option, key or command mends it is said by the front ends."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = "run|results|paper|path|proxies|explore|figure|estimators|bench|models|tasks|keys|doctor|store"
SAID = re.compile(
    rf"--[a-z]{{3,}}|\b(?:ctrl|shift|alt)\+\w|\bf5\b|(?<!`)`cornerstone\b(?!`)|\bcornerstone (?:{COMMANDS})\b"
    r"|\b(?:pip install|hf auth|press(?:es)? [a-z]\b)"
)
# Options of another program, which is started with them and of which nobody is told.
ARGUED_FOR = {"core/engine/fetch.py": ['"--quiet"', '"--no-deps"', '"--dest"', '"--only-binary"']}


@pytest.mark.parametrize("room", ["core", "store"])
def test_no_option_key_or_command_is_named(room: str) -> None:
    found = []
    for file in sorted((ROOT / room).rglob("*.py")):
        name = file.relative_to(ROOT).as_posix()
        text = file.read_text(encoding="utf-8")
        for allowed in ARGUED_FOR.get(name, ()):
            assert allowed in text
            text = text.replace(allowed, "")
        found += [f"{name}: {line.strip()}" for line in text.splitlines() if SAID.search(line)]
    assert found == []
