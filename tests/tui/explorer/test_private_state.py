"""What an explorer keeps of its user, such as prompts and paths, only that user reads."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import platformdirs

from core.config.run_config import RunConfig
from core.evaluator.job_history import keep_history
from tests.support import example_state as example
from tui.explorer.prompt_history import keep_prompt
from tui.explorer.recent_models import remember_model
from tui.explorer.session import Session, remember
from tui.explorer.sql_history import remember_query


def test_every_file_of_the_state_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0o002)
    try:
        remember(tmp_path / "s.duckdb", Session(config=RunConfig.model_validate({"tasks": "agreement"})))
        keep_history(tmp_path / "s.duckdb", [example.job()])
        keep_prompt("Dear diary")
        remember_query("SELECT 1")
        remember_model("/home/somebody/model")
    finally:
        os.umask(before)
    files = [
        one for one in Path(platformdirs.user_state_dir("cornerstone", appauthor=False)).rglob("*") if one.is_file()
    ]
    assert len(files) >= 5
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in files} == {path.name: 0o600 for path in files}
