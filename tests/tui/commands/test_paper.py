"""`cornerstone paper` on a real store with one of the paper's models and another: every format, every width."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from core.coalitions.schedules import ablation, windows
from core.estimators.permutation import Permutation
from core.records.records import ModelRecord
from tests.support.open_store import open_for_reading
from tests.support.refusals import refusal
from tests.support.store_records import assignment, documents, keep_all, model, task
from tui.commands.app import app

HOSTILE = "a_b & {50%} [red] \x1b[31m| $x^2$ \\end"


def record(name: str, layers: int) -> ModelRecord:
    return ModelRecord(
        f"weights of {name}", name, f"/models/{name}", None, "float32", "llama",
        (("attn", "ffn"),) * layers,
    )  # fmt: skip


def fill(path: Path, of: ModelRecord, tasks: Sequence[str], *, only_ablation: bool = False, n: int = 8) -> None:
    players = len(of.players)
    for name in tasks:
        generator = np.random.default_rng(len(name))
        luck = generator.random(n)
        coalitions = ablation(players) if only_ablation else windows(players, 4)
        known = {
            removed: (luck < (0.3 if 1 in removed else 0.85 - 0.02 * len(removed))).astype(float).tolist()
            for removed in coalitions
        }
        asked = assignment(
            documents(range(n), prefix=name), coalitions, of_model=of, of_task=task(name, means=("acc",))
        )
        keep_all(path, asked, known, run_id=f"{of.fingerprint[-8:]}-{name}-{only_ablation}")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("store") / "s.duckdb"
    fill(path, record("llama-3-8b", 32), ("boolq", "piqa"))
    fill(path, record(HOSTILE, 3), ("boolq", "arc_easy"))
    with open_for_reading(path):
        yield path


def run(*arguments: str | Path, width: int = 100) -> Result:
    return CliRunner().invoke(app, ["paper", *map(str, arguments)], env={"COLUMNS": str(width)})


@pytest.mark.parametrize("width", [80, *(pytest.param(width, marks=pytest.mark.slow) for width in (120, 200))])
def test_every_table_and_figure_fits_the_terminal(store: Path, width: int) -> None:
    done = run("--store", store, width=width)
    assert done.exit_code == 0, done.output
    for part in ("Table 1.", "Table 2.", "Table 3.", "Table 4.", "Figure 2.", "Figures 3 to 5.", "Figure 6."):
        assert part in done.stdout
    assert max(map(cell_len, done.stdout.splitlines())) <= width
    assert "\x1b" not in done.stdout
    assert not re.search(r"\bnan\b|\binf\b", done.stdout)


@pytest.mark.slow
def test_it_says_whether_the_estimators_agree_and_why_not(store: Path) -> None:
    out = " ".join(run("--store", store, "--no-figures", width=200).stdout.split())
    assert "Do the estimators name the same top 3?" in out
    (told,) = re.findall(r"llama-3-8b on PIQA: ((?:all name|no layer is named|they agree)[^.]*)\.", out)
    why = r"too few documents to be sure of|of the others each is sure of its own, because w"
    assert re.fullmatch(rf"they agree|they agree, but there are too few .*|(all name .*|no layer .*); ({why}).*", told)


def test_estimators_that_agree_are_said_to(tmp_path: Path) -> None:
    path, players = tmp_path / "s.duckdb", 6
    # Three players lose a third of the documents each, whatever else is removed; no other loses any.
    lost = (0, 2, 5)
    values = {removed: [float(lost[at % 3] not in removed) for at in range(90)] for removed in windows(players, 4)}
    piqa = task("piqa", means=("acc",))
    keep_all(path, assignment(documents(range(90)), list(values), of_model=record("m", 3), of_task=piqa), values)
    out = " ".join(run("--store", path, "--no-figures", width=200).stdout.split())
    assert "m on PIQA: they agree." in out
    assert re.search(r"m on piqa: .* 20 walks of permutation .*; `cornerstone run .* --schedule permutation", out)


def test_an_estimator_that_names_nobody_says_why(tmp_path: Path) -> None:
    path, players = tmp_path / "s.duckdb", 6
    # The intact model is no better than one with nothing left, so that walks end where they begin.
    coalitions = list(dict.fromkeys([*windows(players, 4), *Permutation().missing({}, players)]))
    values = {removed: [float(0 in removed) if len(removed) < players else 0.0] * 4 for removed in coalitions}
    piqa = task("piqa", means=("acc",))
    keep_all(path, assignment(documents(range(4)), coalitions, of_model=record("m", 3), of_task=piqa), values)
    out = " ".join(run("--store", path, "--no-figures", width=200).stdout.split())
    assert "m on PIQA: by window-first no layer has a positive value on its 4 documents." in out
    walks = r"\d+ walks, seed 0, tolerance 0.02"
    assert re.search(rf"m on PIQA: by permutation, {walks} every value is 0, as on its 4 documents the intact", out)


def test_the_papers_numbers_stand_beside_ours_for_its_models_alone(store: Path) -> None:
    done = run("--store", store, "--no-figures", width=200)
    mean = next(line for line in done.stdout.splitlines() if "mean over tasks" in line)
    assert re.search(r"\d\] +29\.1$", mean)
    assert re.search(r"C layers .*\] +29\.3\n", done.stdout)
    assert re.search(r"BoolQ .*\] +2\.8\n", done.stdout)
    assert "Attn 0, FFN 0, FFN 1" in done.stdout
    assert "FFN 0 (" in done.stdout


def test_what_is_missing_is_said_on_stderr_with_the_command_that_fills_it(store: Path) -> None:
    said = run("--store", store, "--no-figures").stderr
    assert "`cornerstone run paper/llama-3-8b --store" in said
    assert "fewer documents than the paper's 1000 (boolq 8, piqa 8)" in said
    for name, alias in (("Llama-3-70B", "llama-3-70b"), ("Mixtral-8x7B", "mixtral-8x7b")):
        assert f"missing: nothing is stored of the paper's {name}; `cornerstone run paper/{alias} --store" in said


@pytest.mark.slow
def test_json_and_csv_hold_the_same_numbers(store: Path) -> None:
    report = json.loads(run("--store", store, "--format", "json").stdout)
    rows = list(csv.DictReader(io.StringIO(run("--store", store, "--format", "csv").stdout)))
    assert len(rows) == len(report["numbers"]) > 20
    for row, number in zip(rows, report["numbers"], strict=True):
        assert row["table"] == number["table"]
        assert (float(row["estimate"]) if row["estimate"] else None) == number["estimate"]
        if number["estimate"] is not None and number["low"] is not None:
            assert number["low"] <= number["estimate"] <= number["high"]
    published = {(row["table"], row["quantity"], row["task"]): row["published"] for row in rows if row["published"]}
    assert published["table 1", "top-3 share", "mean"] == "0.291"
    assert published["table 3", "C drop", "mean"] == "0.293"
    assert published["table 4", "NC drop", "piqa"] == "0.015"
    assert report["missing"]


@pytest.mark.slow
def test_json_has_what_is_stored_the_evidence_and_what_each_estimator_names(store: Path) -> None:
    out = run("--store", store, "--no-figures", "--model", "llama-3-8b").stdout
    read = json.loads(run("--store", store, "--format", "json", "--model", "llama-3-8b").stdout)["numbers"]

    def rows(table: str, task: str, quantity: str) -> list[dict[str, Any]]:
        wanted = {"table": table, "task": task, "quantity": quantity}
        return [row for row in read if wanted.items() <= row.items()]

    ((intact,), (chance,)) = (rows("studied", "piqa", quantity) for quantity in ("intact", "chance"))
    assert f"acc {100 * intact['estimate']:.1f}, chance {100 * chance['estimate']:.1f}, n={intact['n']}" in out
    for evidence in (rows("evidence", "mean", "lost alone"), rows("evidence", "mean", "share")):
        assert len(evidence) == 64
        assert {row["verdict"] for row in evidence} <= {"sure", "likely", "open", "no"}
    named = rows("estimators", "piqa", "probability of the top 3")
    assert {(row["estimator"], row["max_removed"]) for row in named} == {("window-first", 4), ("window-ends", 4)}
    assert all(f"{row['layers'][0]} ({row['estimate']:.2f})" in " ".join(out.split()) for row in named)
    assert {row["max_removed"] for row in read if row["table"] == "table 1"} == {4}


@pytest.mark.slow
def test_evidence_is_of_the_tasks_that_the_rule_counts(tmp_path: Path) -> None:
    path, players = tmp_path / "s.duckdb", 6
    documents_of = {
        "boolq": 12,
        "piqa": 6,
    }  # of piqa the model knows nothing: acc_norm is 1 - acc here
    for name, n in documents_of.items():
        values = {removed: [float(1 not in removed)] * n for removed in windows(players, 4)}
        of = task(name, means=("acc", "acc_norm") if name == "piqa" else ("acc",))
        asked = assignment(documents(range(n), prefix=name), list(values), of_model=record("m", 3), of_task=of)
        keep_all(path, asked, values, run_id=name)
    read = json.loads(run("--store", path, "--format", "json").stdout)["numbers"]
    evidence = {(row["quantity"], row["value"], row["n"]) for row in read if row["table"] == "evidence"}
    assert evidence == {("lost alone", "acc", 12), ("share", "acc", 12)}
    assert {row["n"] for row in read if row["quantity"] == "top-3 share" and row["task"] == "mean"} == {6}


@pytest.mark.slow
def test_latex_is_balanced_and_defused(store: Path) -> None:
    text = run("--store", store, "--format", "latex").stdout
    body = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    for environment in ("table", "tabular"):
        assert body.count(rf"\begin{{{environment}}}") == body.count(rf"\end{{{environment}}}") == 7
    assert body.count(r"\toprule") == body.count(r"\bottomrule") == 7
    assert body.count("{") - body.count(r"\{") == body.count("}") - body.count(r"\}")
    assert not re.search(r"(?<!\\)[%$#_^]", body)
    for table in re.findall(r"\\begin\{tabular\}\{(l+r*)\}(.*?)\\end\{tabular\}", body, re.DOTALL):
        lines = [line.strip() for line in table[1].splitlines() if line.strip().endswith(r"\\")]
        columns = [len(re.findall(r"(?<!\\)&", line)) + 1 for line in lines if "multicolumn" not in line]
        assert set(columns) == {len(table[0])}
        assert not any(line.startswith("[") for line in lines)
    assert r"a\_b \& \{50\%\} {[}red{]}" in body


@pytest.mark.slow
def test_markdown_tables_are_whole_and_their_text_is_escaped(store: Path) -> None:
    text = run("--store", store, "--format", "markdown").stdout
    tables = re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE)
    assert len(tables) == 7
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1
    assert r"\[red\]" in text
    assert "\x1b" not in text


def test_ablations_alone_draw_their_tables_and_figures(tmp_path: Path) -> None:
    fill(tmp_path / "s", model(), ("boolq",), only_ablation=True)
    done = run("--store", tmp_path / "s")
    assert done.exit_code == 0, done.output
    assert "Figures 3 to 5." in done.stdout
    assert "Figure 2." not in done.stdout
    assert "no shares are known, so the 3 of the largest mean drop" in " ".join(done.stdout.split())
    assert "coalitions are missing for windows of up to 4" in done.stderr


def test_one_document_is_reported_without_anything_undefined(tmp_path: Path) -> None:
    fill(tmp_path / "s", model(), ("boolq",), n=1)
    done = run("--store", tmp_path / "s")
    assert done.exit_code == 0, done.output
    assert not re.search(r"\bnan\b|\binf\b", done.stdout)


@pytest.mark.slow
def test_a_file_has_the_format_of_its_ending_and_is_not_replaced_unasked(store: Path, tmp_path: Path) -> None:
    target = tmp_path / "tables.tex"
    assert run("--store", store, "-o", target).exit_code == 0
    assert r"\toprule" in target.read_text()
    again = run("--store", store, "-o", target)
    assert "exists; add --force to replace it" in refusal(again)
    assert run("--store", store, "-o", target, "--force").exit_code == 0
    assert "\x1b" not in (target.read_text())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-o", "tables.xyz"), "let the file's name end in"),
        (("--format", "svg"), "name a folder for the figures"),
        (("--task", "bolq"), "did you mean boolq"),
        (("--estimator", "exact"), "window-first or window-ends"),
    ],
)
def test_what_is_wrong_is_one_sentence(store: Path, arguments: tuple[str, ...], said: str) -> None:
    assert said in refusal(run("--store", store, *arguments))


def test_no_store_is_one_sentence(tmp_path: Path) -> None:
    assert "cornerstone run" in refusal(run("--store", tmp_path / "none"))


@pytest.mark.slow
def test_figures_are_written_to_a_folder(store: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    done = run("--store", store, "--model", "llama-3-8b", "--format", "svg", "-o", tmp_path / "figures")
    assert done.exit_code == 0, done.output
    names = sorted(file.name for file in (tmp_path / "figures").iterdir())
    assert names == ["figure-2-shares.svg", "figure-3-ablation-llama-3-8b.svg", "figure-6-shapley-llama-3-8b.svg"]


@pytest.mark.slow
def test_names_are_data_in_a_pipe_and_harmless_on_a_terminal(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\\u001b" in run("--store", store, "--format", "json").stdout
    assert "\x1b[31m" in run("--store", store, "--format", "csv").stdout
    monkeypatch.setattr("tui.commands.stdout.on_terminal", lambda: True)
    assert "\x1b" not in run("--store", store, "--format", "csv").stdout
