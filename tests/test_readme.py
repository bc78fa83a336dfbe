"""The README stays true: its commands exist, its links lead somewhere, its YAML is a configuration, its Python runs."""

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
from tui.commands.app import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# Without the files that a recipe tells to write.
RECIPES = re.sub(r"\S+NAME\S*", "", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
NAMED = sorted(set(re.findall(r"`((?:core|store|tui|docs|tests)/[\w./]+)`", README + RECIPES)))
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


@pytest.mark.parametrize("name", NAMED)
def test_every_file_it_names_is_there(name: str) -> None:
    assert (ROOT / name).exists()


PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
LINKS = [
    (page.relative_to(ROOT).as_posix(), link)
    for page in PAGES
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    if not link.startswith("https://")
]


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_every_link_leads_to_a_file_or_a_heading(page: str, link: str) -> None:
    name, _, heading = link.partition("#")
    target = (ROOT / page).parent / name if name else ROOT / page
    assert target.is_file()
    if heading:
        assert heading in {
            re.sub(r"[^\w -]", "", line.lstrip("# ")).lower().replace(" ", "-")
            for line in target.read_text(encoding="utf-8").splitlines()
            if line.startswith("#")
        }


@pytest.mark.parametrize(
    "name", ["docs/architecture.md", "docs/reference.md", "docs/example.ipynb", "CONTRIBUTING.md", "CHANGELOG.md"]
)
def test_it_leads_to_what_a_stranger_needs(name: str) -> None:
    assert ("README.md", name) in LINKS


def test_the_configuration_loads(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(block("yaml"))
    config = load_config(path, {"limit": 8})
    assert (config.limit, config.settings["max_removed"], config.tasks[1].num_fewshot) == (8, 3, 2)


def test_the_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    acc = {removed: [0.0] + [float(0 not in removed)] * 3 for removed in ablation(PLAYERS)}
    keep_all(default_path(), assignment(documents(range(4)), list(acc), of_task=task("agreement")), acc)
    exec(compile(block("python"), "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("Attn 0 0.75")
