"""The README stays true: its commands exist, its YAML is a configuration, its Python runs on a store."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.coalitions.schedules import ablation
from core.config.run_config import load_config
from store.file.location import default_path
from tests.support.store_records import PLAYERS, assignment, documents, keep_all, task
from tui.cli import app

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ cornerstone (.*)$", README, re.MULTILINE)


def block(language: str) -> str:
    (text,) = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_parses(command: str) -> None:
    done = CliRunner().invoke(app, [*shlex.split(command), "--help"])
    assert done.exit_code == 0, done.output
    wrong = CliRunner().invoke(app, [*shlex.split(command), "--no-such-option"])
    assert "--no-such-option" in wrong.output  # so nothing before it was refused


@pytest.mark.parametrize("name", re.findall(r"\]\((docs/[^)]+)\)|`((?:core|store|tui)/[\w./]+)`", README))
def test_every_file_it_names_is_there(name: tuple[str, str]) -> None:
    assert (Path(__file__).parents[1] / (name[0] or name[1])).exists()


def test_the_configuration_loads(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(block("yaml"))
    config = load_config(path, {"limit": 8})
    assert (config.limit, config.max_removed, config.tasks[1].num_fewshot) == (8, 3, 2)


def test_the_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    acc = {removed: [0.0] + [float(0 not in removed)] * 3 for removed in ablation(PLAYERS)}
    keep_all(default_path(), assignment(documents(range(4)), list(acc), of_task=task("agreement")), acc)
    exec(compile(block("python"), "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("Attn 0 0.75")
