"""Gaps in sentences: the missing results, and the command that adds them to the store that was asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.coalitions.schedules import ablation, windows
from core.config.gap import Gap, PackagedStudy
from core.machine.process import here
from core.records.records import RunRecord
from store.reading.paper import read_paper
from store.recorder import StoreRecorder
from store.results import Results
from tests.support.store_records import PLAYERS, assignment, documents, keep_all, task, to_run
from tui.drawing.gap_text import gap_text, gap_texts, note_texts

FILL = to_run(schedule="ablation")
COMMAND = "`cornerstone run --model tiny --task capitals --schedule ablation --store s.duckdb`"


@pytest.mark.parametrize(
    ("gap", "sentence"),
    [
        (Gap("m: too few"), "m: too few"),
        (Gap("m: none", FILL), f"m: none; {COMMAND} fills it"),
        (
            Gap("m: none", FILL, ("a",)),
            f"m: none; run a is still writing, and what is missing after that {COMMAND} fills",
        ),
        (
            Gap("m: none", FILL, ("a", "b")),
            f"m: none; runs a, b are still writing, and what is missing after that {COMMAND} fills",
        ),
        (Gap("none", PackagedStudy("paper/x")), "none; `cornerstone run paper/x --store s.duckdb` fills it"),
    ],
)
def test_a_gap_ends_with_the_command_that_fills_it(gap: Gap, sentence: str) -> None:
    assert gap_text(gap, Path("s.duckdb")) == sentence


def test_a_gap_by_itself_names_no_command() -> None:
    assert str(Gap("m: none", FILL)) == "m: none"
    assert str(Gap("m: none", FILL, ("a",))) == "m: none; run a is still writing"
    assert str(Gap("m: none", FILL, ("a", "b"))) == "m: none; runs a, b are still writing"


def test_what_a_store_lacks_is_told_with_commands_that_name_it(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    coalitions = ablation(PLAYERS)
    asked = assignment(documents(range(2)), coalitions)
    keep_all(path, asked, {removed: [1.0, 0.0] for removed in coalitions})
    run = "cornerstone run --model tiny --task capitals --schedule"
    answer = Results(path).shapley(max_removed=2, estimator="window-first")
    assert list(note_texts([answer, answer], path)) == [
        "tiny on capitals: partial, from windows of up to 1, as 5 of 12 coalitions are missing for windows of up to 2; "
        f"`{run} windows --max-removed 2 --store {path}` fills it",
        "tiny on capitals: no removal changes the acc of any of the 2 documents, so no unit can be told from another",
    ]
    walks = Results(path).shapley(estimator="permutation", players="layers", permutations=8, seed=5, tolerance=0.5)
    assert gap_texts(walks.gaps, path) == (
        "tiny on capitals: at least 7 coalitions are missing for 8 walks of permutation (seed 5, tolerance 0.5) of "
        f"layers; `{run} permutation --players layers --seed 5 --permutations 8 --tolerance 0.5 --store {path}` "
        "fills it",
    )


def test_while_a_run_goes_on_elsewhere_the_sentence_says_so(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    recorder = StoreRecorder(path)
    elsewhere = json.dumps({**here(), "host": "another machine"})
    recorder.begin(RunRecord("away", "cornerstone run", "{}", elsewhere, 0))
    recorder.assign("away", assignment(documents([0]), [()]))
    (said,) = gap_texts(Results(path).ablation().gaps, path)
    command = f"`cornerstone run --model tiny --task capitals --schedule ablation --store {path}`"
    assert said.endswith(f"; run away is still writing, and what is missing after that {command} fills")


def test_what_the_papers_study_lacks_has_a_command_each(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    every = windows(PLAYERS, 4)
    asked = assignment(documents(range(6)), every, of_task=task("boolq"))
    keep_all(path, asked, {removed: [1.0, 0.0] * 3 for removed in every})
    said = gap_texts(read_paper(path).missing, path)
    both = "--schedule ablation --schedule windows"
    assert any(f"--task boolq {both} --limit 1000 --store {path}` fills it" in one for one in said)
    assert any(f"--task openbookqa {both} --limit 1000 --num-fewshot 0 --store {path}`" in one for one in said)
    study = f"`cornerstone run paper/mixtral-8x7b --store {path}` fills it"
    assert f"nothing is stored of the paper's Mixtral-8x7B; {study}" in said
