from __future__ import annotations

import pytest

from core.errors import CornerstoneError
from tui.worker_process import become


def test_a_run_whose_description_no_program_can_take_is_one_sentence() -> None:
    with pytest.raises(CornerstoneError, match=r"described by 4096 KiB of text.*split it into several runs"):
        become("run", "x" * 2**22, "cornerstone run")
