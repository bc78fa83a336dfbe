"""The notebook runs: every code cell, one after the other, on a tiny model."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from store.formats.registry import formats

NOTEBOOK = Path(__file__).parents[2] / "docs" / "example.ipynb"


def cells(kind: str) -> list[str]:
    found: list[dict[str, Any]] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in found if cell["cell_type"] == kind]


def with_settings(source: str, settings: dict[str, str]) -> str:
    """Give the variables that the first code cell sets other values."""
    for name, value in settings.items():
        line = re.compile(rf"^{name} = .*$", re.MULTILINE)
        assert line.search(source), f"the first code cell does not set {name}"
        source = line.sub(lambda _, value=value, name=name: f"{name} = {value}", source)
    return source


def test_every_code_cell_runs(tiny_model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "example"
    settings = {"MODEL": repr(str(tiny_model_folder)), "LIMIT": "3", "FOLDER": f"Path({str(folder)!r})"}
    first, *others = cells("code")
    namespace: dict[str, Any] = {}
    for number, source in enumerate([with_settings(first, settings), *others], start=1):
        exec(compile(source, f"code cell {number}", "exec"), namespace)
    assert {file.name for file in folder.iterdir()} == {"example.duckdb", "ablation.csv", "shapley.parquet"}
    said = capsys.readouterr().out
    assert "partial, from windows of up to 2" in said
    assert "8 values, complete" in said
    assert "of 3 documents changed" in said


def test_it_is_stored_without_outputs() -> None:
    found = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    assert all(cell["outputs"] == [] for cell in found if cell["cell_type"] == "code")


def test_it_names_every_format() -> None:
    (sentence,) = re.findall(r"any format of `cornerstone results`: (.*?)\.", "\n".join(cells("markdown")), re.DOTALL)
    assert {name.lower() for name in re.split(r",\s+|\s+or\s+", sentence)} == set(formats())
