"""Wrong use of the command line: one sentence on stderr, exit code 2; and the codes of other ends."""

from __future__ import annotations

import pytest
import typer

from core.errors import CornerstoneError
from store.formats import registry
from tui import cli
from tui.commands import catalog

WRONG = {
    "frobnicate": "no such command 'frobnicate'; see `cornerstone --help`",
    "resluts": "no such command 'resluts'; did you mean 'results'?",
    "results": "missing command; see `cornerstone results --help`",
    "--bogus": "no such option: --bogus; see `cornerstone --help`",
    "--store s.duckdb models": "--store s.duckdb goes after the command, which is models",
    "run --modle x": "no such option: --modle (possible options: --model, --order, --remove); "
    "see `cornerstone run --help`",
    "run --limit": "option '--limit' requires an argument; see `cornerstone --help`",
    "run --limit few": "invalid value for '--limit': Input should be a valid integer",
    "run one.yaml two.yaml": "got unexpected extra argument(s) (two.yaml); see `cornerstone run --help`",
    "results ablation --format xml": "invalid value for '--format': no format 'xml'; there is table, csv, json, latex, "
    "markdown, arrow, parquet; see `cornerstone results ablation --help`",
    "results ablation --format parket": "invalid value for '--format': no format 'parket'; there is table, csv, json, "
    "latex, markdown, arrow, parquet; did you mean parquet?",
    "results ablation --format parquet": "parquet is no text; name a file with -o FILE",
    "results ablation --format arrow": "arrow is no text; name a file with -o FILE",
    "results shapley --max-removed 9": "invalid value for '--max-removed': Input should be less than or equal to 8",
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
        (typer.Abort(), 130, "cornerstone: stopped\n"),
        (CornerstoneError("the disk is\x1b full"), 2, "cornerstone: the disk is  full\n"),
    ],
)
def test_how_a_command_ends_is_the_exit_code(
    raised: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def end() -> None:
        raise raised

    monkeypatch.setattr(catalog, "print_models", end)
    assert end_of(monkeypatch, "models") == code
    assert capsys.readouterr().err == said


def test_a_plugin_that_cannot_be_used_ends_any_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(registry, "contributed", {"formats": ("no format",)}.__getitem__)
    assert end_of(monkeypatch, "models") == 2
    assert capsys.readouterr().err.startswith("cornerstone: a plugin adds 'no format' as a format")


def test_what_succeeds_ends_with_0(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert end_of(monkeypatch, "--version") in {0, None}
    assert end_of(monkeypatch, "run --help") in {0, None}
    assert capsys.readouterr().err == ""
