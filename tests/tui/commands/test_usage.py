"""Wrong use of the command line: one sentence on stderr, exit code 2; and the codes of other ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer

from core.errors import CornerstoneError
from tui import cli
from tui.commands import models

WRONG = {
    "frobnicate": "no such command 'frobnicate'; see `cornerstone --help`",
    "resluts": "no such command 'resluts'; did you mean 'results'?",
    "results": "missing command; see `cornerstone results --help`",
    "--bogus": "no such option: --bogus; see `cornerstone --help`",
    "--store s.duckdb models": "--store s.duckdb goes after the command, which is models",
    "run --modle x": "no such option: --modle (possible options: --model, --order, --remove); "
    "see `cornerstone run --help`",
    "run --limit": "option '--limit' requires an argument; see `cornerstone --help`",
    "run --limit few": "--limit should be a number, not 'few'; see `cornerstone run --help`",
    "run --task t --limit -3": "limit: should be a whole number of documents, greater than or equal to 1, or a part of "
    "them below 1, such as 0.1, not -3",
    "run --seed 1.5": "--seed should be a whole number, not 1.5; see `cornerstone run --help`",
    "run --task t --confidence 3": "confidence: should be less than 1, not 3",
    "path --task t --steps 0": "--steps should be greater than or equal to 1, not 0; see `cornerstone path --help`",
    "run --task t --players blocks:0": "players: no grouping of players 'blocks:0'; use one of sublayers, layers, "
    "blocks:K, kinds (K layers each, a number from 1 to 999999, such as blocks:4)",
    "run one.yaml two.yaml": "got unexpected extra argument(s) (two.yaml); see `cornerstone run --help`",
    "results ablation --format xml": "invalid value for '--format': no format 'xml'; there is table, csv, json, latex, "
    "markdown, arrow, parquet; see `cornerstone results ablation --help`",
    "results ablation --format parket": "invalid value for '--format': no format 'parket'; there is table, csv, json, "
    "latex, markdown, arrow, parquet; did you mean parquet?",
    "results ablation --format parquet": "parquet is no text; name a file with -o FILE",
    "results ablation --format arrow": "arrow is no text; name a file with -o FILE",
    "results shapley --max-removed 9": "max_removed must be a whole number from 1 to 8, not 9",
    "results interactions --max-removed 9": "--max-removed should be less than or equal to 8, not 9; see",
    "run --bo\x1b[31mgus": "no such option: --bo",
}


def end_of(monkeypatch: pytest.MonkeyPatch, command: str) -> int | str | None:
    monkeypatch.setattr("sys.argv", ["cornerstone", *command.split(" ")])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return end.value.code


@pytest.mark.parametrize("command", WRONG)
def test_wrong_use_is_one_sentence_with_a_hint(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert end_of(monkeypatch, command) == 2
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert line.startswith(f"cornerstone: {WRONG[command]}")
    assert "\x1b" not in line


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (KeyboardInterrupt(), 130, ""),
        (typer.Exit(7), 7, ""),
        (typer.Abort(), 130, "cornerstone: stopped by Ctrl+C (SIGINT)\n"),
        (CornerstoneError("the disk is\x1b full"), 2, "cornerstone: the disk is  full\n"),
    ],
)
def test_how_a_command_ends_is_the_exit_code(
    raised: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def end(**_: object) -> None:
        raise raised

    monkeypatch.setattr(models, "print_models", end)
    assert end_of(monkeypatch, "models") == code
    assert capsys.readouterr().err == said


def test_a_plugin_that_cannot_be_used_ends_any_command(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text("formats = ['no format']\n")
    info = tmp_path / "odd-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[cornerstone.plugins]\nodd = odd\n")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from tui.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program, "models"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("cornerstone: a plugin adds 'no format' as a format")


def test_what_succeeds_ends_with_0(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert end_of(monkeypatch, "--version") in {0, None}
    assert end_of(monkeypatch, "run --help") in {0, None}
    assert capsys.readouterr().err == ""
