from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import CornerstoneError
from tui.worker_process import become


def test_a_run_whose_description_no_program_can_take_is_one_sentence() -> None:
    with pytest.raises(CornerstoneError, match=r"described by 4096 KiB of text.*split it into several runs"):
        become("run", "x" * 2**22, "cornerstone run")


def test_a_folder_that_was_removed_is_refused_before_libraries_end_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(CornerstoneError, match=r"started in cannot be used .*change to another"):
        become("run", "{}", "cornerstone run")
