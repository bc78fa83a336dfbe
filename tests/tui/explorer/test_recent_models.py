"""The models that were opened last."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.explorer import recent_models as recent


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "state" / "recent-models.json"
    monkeypatch.setattr(recent, "_path", lambda: file)
    return file


def test_the_latest_is_first_and_each_stands_once() -> None:
    assert recent.recent_models() == ()
    for name in ("a", "b", "a", *map(str, range(20)), "b"):
        recent.remember_model(name)
    assert recent.recent_models() == ("b", *(str(number) for number in range(19, 8, -1)))


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[1, null, []]", b'["a"', b"\xff", b"[" * 10**5, b'"a"', b"[" + b'"a",' * 10**5]
)
def test_a_damaged_file_is_as_none(content: bytes, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    assert recent.recent_models() == ()
    recent.remember_model("a")
    assert recent.recent_models() == ("a",)


def test_a_folder_that_cannot_be_written_is_no_error(path: Path) -> None:
    path.parent.write_text("a file")
    recent.remember_model("a")
    assert recent.recent_models() == ()
