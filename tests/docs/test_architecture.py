"""The page on the architecture names every room, every path that it names exists, and rooms import what it says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
FREE = {"core/errors.py", "core/plugins.py"}
ROWS = re.findall(r"^\| `([\w/]+)` \| .* \| (.*) \|$", PAGE, re.MULTILINE)


def folders() -> list[str]:
    found = (folder for package in ("core", "store", "tui") for folder in (ROOT / package).rglob("*"))
    return sorted(one.relative_to(ROOT).as_posix() for one in found if (one / "__init__.py").is_file())


def room_of(module: str) -> str:
    """Return the folder of a module's file, or the file of one that lies in no room."""
    path = Path(*module.split("."))
    while not ((ROOT / path).is_dir() or (ROOT / path).with_suffix(".py").is_file()):
        path = path.parent  # a name that a module defines
    if (ROOT / path).is_dir():
        return path.as_posix()
    return path.parent.as_posix() if len(path.parts) > 2 else f"{path.as_posix()}.py"


def imports(room: str) -> Iterator[tuple[str, str]]:
    """Yield the rooms of its package that a room imports, and the file that does."""
    package = room.partition("/")[0]
    for file in (ROOT / room).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            modules: list[str] = []
            if isinstance(node, ast.ImportFrom) and node.module:
                modules = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            for module in modules:
                if module.split(".")[0] == package and (other := room_of(module)) != room:
                    yield other, file.name


def test_every_folder_is_a_room_of_a_table() -> None:
    assert sorted(room for room, _ in ROWS) == folders()


@pytest.mark.parametrize(("room", "allowed"), ROWS)
def test_a_room_imports_what_the_page_says(room: str, allowed: str) -> None:
    names = re.findall(r"`([^`]+)`", allowed)
    known = {name if "/" in name else f"core/{name}" for name in names} | FREE
    assert {(other, file) for other, file in imports(room) if other not in known} == set()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:core|store|tui|configs|tests|docs)/[\w./]+)`", PAGE))))
def test_every_path_it_names_exists(path: str) -> None:
    assert (ROOT / path).exists()
