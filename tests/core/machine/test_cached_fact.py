"""Facts are kept whole or not at all. ``tests/core/records/test_file_digest.py`` damages them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.machine.cached_fact import keep_fact, read_fact, write_whole


def test_a_fact_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, about = tmp_path / "fact.json", {"what": "a number"}
    assert keep_fact(path, about, 1)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert not keep_fact(path, about, 2)
        assert not write_whole(tmp_path / "other", b"x")
    assert read_fact(path, about) == 1
    assert read_fact(path, {"what": "another"}) is None
    assert [file.name for file in tmp_path.iterdir()] == ["fact.json"]
