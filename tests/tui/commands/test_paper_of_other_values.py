"""`cornerstone paper --value` with derived values, from a store: its numbers by hand, in their own unit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from core.coalitions.schedules import windows
from core.records.records import ModelRecord
from core.values.derived import derived_values
from tests.support.derived_by_hand import by_hand
from tests.support.open_store import open_for_reading
from tests.support.store_records import assignment, documents, keep, outcome, task
from tui.commands.app import app

LAYERS, DOCUMENTS, LONGEST = 3, 40, 4
PLAYERS = 2 * LAYERS
SETS = windows(PLAYERS, LONGEST)
LLAMA = ModelRecord(
    "weights", "llama-3-8b", "/models/l", None, "float32", "llama",
    (("attn", "ffn"),) * 32,
)  # fmt: skip
# Nats that each player is worth to the right answer.
WORTH = (6.0, 0.1, 3.0, 2.0, 0.0, -0.5)


def fill(path: Path) -> None:
    """Two tasks of the paper with two and four choices, and one that has no right answer to choose."""
    for name, choices, length in (("boolq", 2, 3.0), ("arc_easy", 4, 20.0)):
        generator = np.random.default_rng(choices)
        docs = documents(range(DOCUMENTS), prefix=name, choices=choices)
        found = []
        for removed in SETS:
            for document in docs:
                logprobs = -length - 3 * generator.random(choices)
                logprobs[document.gold[0]] += 1 - sum(WORTH[player] for player in removed) * (0.5 + generator.random())
                right = float(logprobs.argmax() == document.gold[0])
                found.append(outcome(document.key, removed, right, logprobs=logprobs.tolist()))
        keep(path, assignment(docs, SETS, of_task=task(name, means=("acc",))), found, run_id=name)
    cloze = documents(range(4), prefix="piqa", choices=1)
    asked = assignment(cloze, SETS, of_task=task("piqa", means=("acc",)))
    keep(path, asked, [outcome(d.key, r, logprobs=[-1.0]) for d in cloze for r in SETS], run_id="cloze")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("store") / "s.duckdb"
    fill(path)
    with open_for_reading(path):
        yield path


def run(store: Path, *arguments: str | Path, width: int = 100) -> Result:
    command, *rest = map(str, arguments)
    options = rest if command != "results" else rest[1:]
    named = [command, rest[0]] if command == "results" else [command]
    done = CliRunner().invoke(app, [*named, "--store", str(store), *options], env={"COLUMNS": str(width)})
    assert done.exit_code == 0, done.exception
    return done


def exported(store: Path, value: str, name: str) -> dict[tuple[int, ...], np.ndarray]:
    """A task's values by removed set, documents in one order, from the rows that anyone may export."""
    rows = json.loads(run(store, "results", "outcomes", "--task", name, "--format", "json").stdout)
    found: dict[tuple[int, ...], dict[int, float]] = {}
    for row in rows:
        letters = list("abcdefgh"[: len(row["logprobs"])])  # the choices, one letter each
        found.setdefault(tuple(row["removed"]), {})[row["doc_id"]] = by_hand(
            value, row["logprobs"], row["gold"], letters
        )
    return {removed: np.array([of[doc] for doc in sorted(of)]) for removed, of in found.items()}


def window_first(scores: dict[tuple[int, ...], np.ndarray]) -> np.ndarray:
    """Contributions of each player, shape (players, documents): the paper's formula as it stands."""
    rows = []
    for player in range(PLAYERS):
        terms = []
        for further in range(min(LONGEST, PLAYERS - player)):
            without = tuple(range(player + 1, player + further + 1))
            terms.append(scores[without] - scores[player, *without])
        rows.append(np.mean(terms, axis=0))
    return np.array(rows)


@pytest.mark.slow
@pytest.mark.parametrize("value", tuple(derived_values()))
def test_every_number_is_that_of_plain_numpy_on_exported_rows(store: Path, value: str) -> None:
    numbers = json.loads(run(store, "paper", "--value", value, "--format", "json").stdout)["numbers"]
    found: dict[tuple[Any, ...], Any] = {(n["table"], n["quantity"], n["task"], n["clipped"]): n for n in numbers}
    scores = {name: exported(store, value, name) for name in ("boolq", "arc_easy")}
    phi = {name: window_first(of).mean(axis=1) for name, of in scores.items()}
    drops = {name: np.array([of[()] - of[player,] for player in range(PLAYERS)]) for name, of in scores.items()}
    shares = {name: np.maximum(each, 0) / np.maximum(each, 0).sum() for name, each in phi.items()}
    for name, share in shares.items():
        table = found["table 1", "top-3 share", name, True]
        assert table["estimate"] == pytest.approx(np.sort(share)[-3:].sum())
        assert (table["unit"], table["value"], table["n"]) == ("fraction", value, DOCUMENTS)
        assert 0 <= table["low"] <= table["estimate"] <= table["high"] <= 1
        assert table["low"] < table["high"]
    pooled = np.maximum(np.mean(list(phi.values()), axis=0), 0)
    assert found["table 1", "top-3 share", "pooled", True]["estimate"] == pytest.approx(
        np.sort(pooled)[-3:].sum() / pooled.sum()
    )
    leading = np.argsort(-np.mean(list(shares.values()), axis=0))[:3]
    others = [player for player in range(PLAYERS) if player not in leading]
    for quantity, chosen in (("C drop", leading), ("NC drop", others)):
        documents_own = [each[chosen].mean(axis=0) for each in drops.values()]
        table = found["table 3", quantity, "mean", False]
        expected = np.mean([own.mean() for own in documents_own])
        assert table["estimate"] == pytest.approx(expected)
        # Tasks are independent, so the variance of their mean is the mean of variances over their number.
        half = 1.96 * np.sqrt(sum(own.var() / DOCUMENTS for own in documents_own)) / len(documents_own)
        assert table["low"] == pytest.approx(expected - half, abs=0.15 * half)
        assert table["high"] == pytest.approx(expected + half, abs=0.15 * half)
        assert table["unit"] == derived_values()[value].unit
    for name, each in drops.items():
        clipped = found["table 4", "NC drop", name, True]
        assert clipped["estimate"] == pytest.approx(np.maximum(each.mean(axis=1)[others], 0).mean())
        assert clipped["unit"] == found["table 3", "C drop", "mean", True]["unit"]
    if value == "gold_logprob":
        assert found["table 3", "C drop", "mean", False]["low"] > 1


@pytest.mark.slow
@pytest.mark.parametrize("value", tuple(derived_values()))
@pytest.mark.parametrize("form", ["table", "markdown", "latex"])
def test_heads_say_the_unit_and_numbers_are_not_percent(store: Path, value: str, form: str) -> None:
    done = run(store, "paper", "--value", value, "--format", form, width=160)
    text = " ".join(done.stdout.replace("\\_", "_").split())
    unit = derived_values()[value].unit
    for head in (
        f"intact model's score ({unit}) and documents",
        f"Drop after removing one layer ({unit})",
        f"Drop after removing one NC layer, by task ({unit})",
        "Share of the top 3 of all Shapley values (",
    ):
        assert head in text
    assert "percentage points" not in text
    assert "random guess" not in text
    intact = exported(store, value, "boolq")[()].mean()
    assert f"{value} {intact:.3f}, n={DOCUMENTS}" in text
    assert f"piqa has no {value}: none of its documents has one right answer" in done.stderr + text
    assert not re.search(r"\bnan\b|\binf\b", text)


@pytest.mark.slow
def test_figures_name_the_unit_and_hold_every_point(store: Path, tmp_path: Path) -> None:
    out = run(store, "paper", "--value", "gold_logprob", width=120).stdout
    assert "Figures 3 to 5. Score after one layer is removed (nats)" in out
    assert "Figure 6. Shapley values by layer, unclipped (nats)" in out
    (chart,) = re.findall(r"tiny on arc_easy \(gold_logprob, nats\), n = 40:.*?layer removed", out, re.DOTALL)
    assert chart.split("layer removed")[0].count("o") >= LAYERS
    assert re.search(r"-2\d(\.\d+)?┤", chart)
    pytest.importorskip("matplotlib")
    folder = tmp_path / "figures"  # the test's settings, such as matplotlib's, lie in tmp_path
    run(store, "paper", "--value", "gold_logprob", "--format", "svg", "-o", folder)
    written = {file.name: file.read_text() for file in folder.iterdir()}
    assert len(written) == 3
    assert "gold_logprob, nats" in written["figure-3-ablation-tiny.svg"]
    assert "Shapley value (gold_logprob, nats)" in written["figure-6-shapley-tiny.svg"]
    run(store, "figure", "ablation", "--value", "brier", "-o", tmp_path / "one.svg")
    assert "brier, negated Brier score" in (tmp_path / "one.svg").read_text()


def test_the_rule_judges_shares_alone_and_says_why(store: Path) -> None:
    out = " ".join(run(store, "paper", "--value", "gold_logprob", "--no-figures", width=160).stdout.split())
    assert "cannot be told: no chance level" in out
    assert "gold_logprob has no chance level, so the share alone is judged" in out
    assert "lost alone" not in out
    assert "more documents would tell" not in out
    done = run(store, "results", "cornerstones", "--value", "gold_logprob", "--format", "json")
    rows = json.loads(done.stdout)
    assert "note: tiny: gold_logprob has no chance level" in done.stderr
    assert {row["cornerstone"] for row in rows} <= {"open", "no"}
    assert {row["collapse"] for row in rows} == {None}
    drops = [np.mean([of[()].mean() - of[0,].mean() for of in (exported(store, "gold_logprob", "boolq"),
             exported(store, "gold_logprob", "arc_easy"))])]  # fmt: skip
    assert rows[0]["drop"] == pytest.approx(drops[0])
    assert rows[0]["tasks"] == ["boolq", "arc_easy"]
    # An even share of six is a sixth, so half of all is needed: the two that are worth nothing are out.
    assert [rows[4]["cornerstone"], rows[5]["cornerstone"]] == ["no", "no"]


@pytest.mark.slow
def test_published_accuracies_do_not_stand_beside_another_value(tmp_path: Path) -> None:
    path, coalitions = tmp_path / "s.duckdb", windows(64, 1)
    docs = documents(range(4), prefix="boolq", choices=2)
    asked = assignment(docs, coalitions, of_model=LLAMA, of_task=task("boolq", means=("acc",)))
    keep(path, asked, [outcome(d.key, r, logprobs=[-1.0, -2.0 - len(r)]) for d in docs for r in coalitions])
    accuracies = run(path, "paper", "--no-figures", "--max-removed", "1").stdout
    assert "29.1" in accuracies
    assert "Attn 0, FFN 0, FFN 1" in accuracies
    other = run(path, "paper", "--no-figures", "--max-removed", "1", "--value", "margin").stdout
    assert not re.search(r"29\.[13]\b|Attn 0, FFN 0, FFN 1\n|  paper\n", other)
    assert "own numbers are of accuracies, so they do not stand beside these" in " ".join(other.split())
    numbers = json.loads(run(path, "paper", "--format", "json", "--max-removed", "1", "--value", "margin").stdout)
    assert {row["published"] for row in numbers["numbers"]} == {None}


def test_a_value_that_no_task_has_is_one_sentence(store: Path) -> None:
    done = CliRunner().invoke(app, ["paper", "--store", str(store), "--value", "nonsense"])
    assert str(done.exception) == f"no value 'nonsense'; there are acc, {', '.join(derived_values())}"
    done = CliRunner().invoke(app, ["paper", "--store", str(store), "--value", "margin", "--task", "piqa"])
    assert "piqa has no margin: none of its documents has one right answer" in str(done.exception)
