"""`cornerstone path` on a tiny real model: its output, its files, and a second run that evaluates nothing again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from core import mask as masks
from core.config.run_config import load_config
from core.errors import CornerstoneError
from core.removal_path.path_mask import chosen_step, path_mask
from core.removal_path.request import PathRequest
from core.removal_path.rows import PathRow
from core.removal_path.study import find_path
from core.study.events import StudyEvent
from store.recorder import StoreRecorder
from store.results import Results, Selection
from tests.support.programs import cornerstone
from tui.drawing.path_chart import path_chart
from tui.drawing.path_text import path_title


class Follower:
    """A listener that keeps the sentences and the steps."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self.steps: list[int] = []

    def narrate(self, text: str) -> None:
        self.sentences.append(text)

    def on_batch(self, done: float) -> None: ...

    def on_bytes(self, what: str, done: int, total: int) -> None: ...

    def on_event(self, event: StudyEvent) -> None: ...

    def on_step(self, rows: Sequence[PathRow]) -> None:
        self.steps.append(rows[-1].step)


def arguments(model: Path, store: Path, *more: str | Path) -> list[str | Path]:
    asked = ["--task", "agreement", "--task", "capitals", "--limit", "6", "--steps", "2"]
    return ["path", "--model", model, *asked, "--store", store, *more]


@pytest.fixture(scope="module")
def store(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("path") / "s.duckdb"
    done = cornerstone(*arguments(tiny_model_folder, path, "--mask", path.parent / "mask.json"))
    assert done.returncode == 0, done.stderr
    assert "held out" in done.stdout
    assert "o the choosing documents   x held-out documents   . chance" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 100
    assert "…" not in done.stdout
    assert "step 2: " in done.stderr
    return path


def test_the_same_command_again_evaluates_nothing_and_says_the_same(store: Path, tiny_model_folder: Path) -> None:
    before = Results(store).outcomes().rows
    done = cornerstone(*arguments(tiny_model_folder, store, "--format", "json"))
    assert done.returncode == 0, done.stderr
    assert Results(store).outcomes().rows == before
    rows = json.loads(done.stdout)
    assert len(rows) == 2 * 3 * 3  # choosing and held out, steps, tasks and their mean
    mask = masks.read(store.parent / "mask.json")
    last = [row for row in rows if row["step"] == 2 and len(row["tasks"]) == 2]
    assert [row["removed"] for row in last] == [list(mask.numbers)] * 2
    assert [row["documents"] for row in last] == ["chosen by these", "held out"]
    assert [(e.score, e.drop, e.n) for e in mask.evidence] == [(r["score"], r["drop"], r["n"]) for r in last]


def test_the_path_is_what_the_store_says(store: Path) -> None:
    """Each step removes one of those whose mean over tasks is the best, on the documents that chose it."""
    numbers = masks.read(store.parent / "mask.json").numbers
    stays = min(set(range(8)) - set(numbers))
    chosen: dict[tuple[int, ...], list[float]] = {}
    for task in ("agreement", "capitals"):
        rows = Results(store).outcomes(Selection(task=task)).rows
        # Those held out were evaluated under the path alone.
        choosing = {row.doc_id for row in rows if row.removed == (stays,)}
        assert len(choosing) == 6
        scores: dict[tuple[int, ...], list[float]] = {}
        for row in rows:
            if row.doc_id in choosing:
                assert row.acc is not None
                scores.setdefault(row.removed, []).append(row.acc)
        for removed, values in scores.items():
            chosen.setdefault(removed, []).append(sum(values) / len(values))
    mean = {removed: sum(values) / 2 for removed, values in chosen.items()}
    best = max(value for removed, value in mean.items() if len(removed) == 2)
    assert mean[numbers] == pytest.approx(best)
    assert sum(len(removed) == 2 for removed in mean) == 7
    assert any(mean[(number,)] == max(v for r, v in mean.items() if len(r) == 1) for number in numbers)


def test_the_mask_applied_to_the_plain_model_gives_the_stored_outcomes(store: Path, tiny_model_folder: Path) -> None:
    mask = masks.read(store.parent / "mask.json")
    model = AutoModelForCausalLM.from_pretrained(tiny_model_folder)
    tokenizer = AutoTokenizer.from_pretrained(tiny_model_folder)
    rows = [r for r in Results(store).outcomes(Selection(task="agreement")).rows if r.removed == mask.numbers]
    assert len(rows) == 12
    documents = Results(store).documents(Selection(task="agreement"), mask.numbers).rows
    for document in documents[:3]:
        context = tokenizer(document.prompt).input_ids
        for choice, stored in zip(document.choices, document.logprobs, strict=True):
            ending = tokenizer(f" {choice}", add_special_tokens=False).input_ids
            with torch.no_grad(), masks.apply(model, mask):
                logits = model(torch.tensor([context + ending])).logits[0].log_softmax(-1)
            places = range(len(context) - 1, len(context) + len(ending) - 1)
            assert sum(logits[at, token].item() for at, token in zip(places, ending, strict=True)) == pytest.approx(
                stored, abs=1e-3
            )


def test_title_and_chart_name_the_unit_of_the_value() -> None:
    row = PathRow(
        model="m", tasks=("t",), value="gold_logprob", documents="chosen by these", players="sublayers", step=0,
        label=None, removed=(), n=6, intact=-12.5, score=-12.5, score_low=None, score_high=None, drop=0.0, drop_low=0.0,
        drop_high=0.0, gold_logprob=-12.5, chance=None, candidates=1, tied=0, parameters_removed=0, parameters_total=9,
        model_id="mid",
    )  # fmt: skip
    assert path_title([row]).startswith("Removal path of m on t (gold_logprob, nats)\n")
    after = replace(row, step=1, label="FFN 0", score=-14.0, drop=1.5)
    assert path_chart([row, after]).startswith("gold_logprob, nats:  o the choosing documents\n")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--mask", "there.json"), "there.json exists; add --force to replace it"),
        (("-o", "nowhere/rows.csv"), "there is no folder nowhere"),
        (("-o", "rows.txt"), "-o writes csv, json, latex, markdown, arrow or parquet"),
        (("--format", "xml"), "no format 'xml'; there is table, csv, json, latex"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    options: tuple[str, ...], sentence: str, store: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "there.json").write_text("{}")
    done = cornerstone(*arguments(tiny_model_folder, store, *options), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    last = done.stderr.strip().splitlines()[-1]
    assert sentence in last
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"value": "f1"}, "agreement has no value 'f1'; it has acc"),
        ({"value": "gold_logprob", "keep": 0.9}, "keep is a part of a score"),
        ({"players": "heads"}, "no grouping of players 'heads'"),
    ],
)
def test_what_the_model_or_task_lacks_is_told_before_anything_is_kept(
    asked: dict[str, Any], sentence: str, tiny_model_folder: Path, tmp_path: Path
) -> None:
    config = load_config(None, {"model": str(tiny_model_folder), "tasks": ["agreement"], "limit": 2})
    recorder = StoreRecorder(tmp_path / "s.duckdb")
    with pytest.raises(CornerstoneError, match=sentence):
        find_path(config, PathRequest(**asked), "cornerstone path", recorder, Follower())
    assert not (tmp_path / "s.duckdb").exists()


@pytest.mark.slow
def test_without_a_limit_nothing_is_held_out_and_that_is_said(tiny_model_folder: Path, tmp_path: Path) -> None:
    rows = [{"goal": f"goal {i}", "sol1": "a", "sol2": "b", "label": i % 2} for i in range(5)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    config = load_config(None, {"model": str(tiny_model_folder), "tasks": [f"piqa={tmp_path / 'rows.jsonl'}"]})
    follower = Follower()
    request = PathRequest(steps=1, players="layers", keep=0.01, value="acc_norm")
    found = find_path(config, request, "", StoreRecorder(tmp_path / "s.duckdb"), follower)
    assert [row.documents for row in found.rows] == ["chosen by these"] * 2
    assert follower.steps == [0, 1]
    assert any("chosen on all documents of piqa" in sentence for sentence in follower.sentences)
    assert (found.rows[1].label, len(found.rows[1].removed)) == (f"Layer {found.steps[1].unit}", 2)
    strict = request.model_copy(update={"keep": 1.0})
    kept = found.rows[1].score >= found.rows[0].score
    if kept:
        assert chosen_step(found, strict) == 1
    else:
        with pytest.raises(CornerstoneError, match="no step keeps 100% of the intact acc_norm"):
            chosen_step(found, strict)
    mask = path_mask(found, 1, request)
    assert mask.numbers == found.steps[1].removed
    assert "largest that keeps 0.01" in mask.evidence[0].how
