"""Damaged models are refused in one sentence, before anything is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import constants

from core.errors import CornerstoneError
from core.models.lookup import look_up
from tests.support.bad_model_files import bad_inputs
from tests.support.programs import MAIN, Program

SECONDS = 240
"""A guard against hanging."""


@pytest.mark.parametrize("seed", range(4))
def test_every_bad_model_is_refused_in_a_sentence(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    for bad in bad_inputs(seed, tmp_path):
        monkeypatch.setattr(constants, "HF_HUB_CACHE", bad.environment.get("HF_HUB_CACHE", ""))
        with pytest.raises(CornerstoneError) as raised:
            look_up(bad.argv[2], revision=None, offline=True)
        assert str(raised.value).isprintable(), bad.name
        assert len(str(raised.value)) < 600, bad.name
        names.append((bad.name, bad.kind))
    assert len(set(names)) == len(names) > 40


def test_the_same_seed_gives_the_same_damage(tmp_path: Path) -> None:
    def texts(name: str, seed: int) -> list[bytes]:
        list(bad_inputs(seed, tmp_path / name))
        folders = sorted(path for path in (tmp_path / name).iterdir() if "JSON" in path.name)
        return [path.read_bytes() for folder in folders for path in sorted(folder.rglob("*.json"))]

    first = texts("first", 1)
    assert texts("again", 1) == first
    assert texts("other", 2) != first


@pytest.mark.slow
def test_the_command_line_prints_the_sentence_and_touches_nothing(tmp_path: Path) -> None:
    some = [*bad_inputs(7, tmp_path / "bad")][::9]
    assert len(some) > 4
    for number, bad in enumerate(some):
        store = tmp_path / f"{number}.duckdb"
        program = Program([*MAIN, *bad.argv, "--store", str(store)])
        try:
            done = program.wait(SECONDS)
        finally:
            program.end()
        assert done.returncode == 2, (bad.name, done.stderr)
        assert done.stderr.startswith("cornerstone: "), bad.name
        assert done.stderr.count("\n") == 1, (bad.name, done.stderr)
        assert not store.exists()
