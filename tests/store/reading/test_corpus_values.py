"""Bits per byte and perplexity of rolling tasks, against lm-eval's own scores over plain transformers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from itertools import chain, combinations
from pathlib import Path
from unittest import mock

import lm_eval
import numpy as np
import pytest
import torch
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from transformers import AutoTokenizer

from core.coalitions.players import Removed
from core.config.run_config import RunConfig
from core.errors import CornerstoneError
from core.evaluator.live_task import LiveTask
from core.proxies.study import check_proxies
from core.records.draw import Draw
from core.removal_path.request import PathRequest
from core.removal_path.study import find_path
from store.reading.documents import Page
from store.reading.opened import Wanted, read_opened
from store.reading.paper import PaperSelection
from store.recorder import StoreRecorder
from store.results import Results, Selection
from store.study import run_study
from tests.core.evaluator.test_special_job import Silent
from tests.support.plain_lm_eval import load, silenced
from tests.support.rolling_store import rolling_store

VALUES = ("word_perplexity", "byte_perplexity", "bits_per_byte")
TEXTS = (
    "The river runs past seven grey houses, and a mill where nobody works.",
    "Rain.",
    "Zürich liegt am See; wer dort wohnt, sieht bei Föhn die Alpen – und zahlt viel für eine Wohnung.",
    "One two three four five six seven eight nine ten eleven twelve thirteen fourteen",
    "a b c",
)
Truth = Mapping[Removed, Mapping[str, float]]
BLOCKS = ((0, 1, 2, 3), (4, 5, 6, 7))
COALITIONS: tuple[Removed, ...] = (
    *(tuple(chain.from_iterable(units)) for size in range(3) for units in combinations(BLOCKS, size)),
    *((player,) for player in range(8)),
)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the definition of a small rolling task of local texts, which differ in length, words and bytes a word."""
    folder = tmp_path_factory.mktemp("pages")
    data = folder / "rows.jsonl"
    data.write_text("\n".join(json.dumps({"text": text}) for text in TEXTS), encoding="utf-8")
    definition = {
        "task": "pages",
        "output_type": "loglikelihood_rolling",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(data)}},
        "test_split": "test",
        "doc_to_text": "",
        "doc_to_target": "{{text}}",
        "metric_list": [{"metric": name} for name in VALUES],
    }
    (folder / "pages.yaml").write_text(json.dumps(definition))
    return folder


@pytest.fixture(scope="module")
def truth(own: Path, tiny_model_folder: Path) -> Truth:
    """Return lm-eval's scores without some sublayers, whose outputs hooks set to zero."""
    model = load(tiny_model_folder)
    lm = HFLM(pretrained=model, tokenizer=AutoTokenizer.from_pretrained(tiny_model_folder), batch_size=1)
    manager = TaskManager(include_path=str(own), include_defaults=False)
    found = {}
    for removed in COALITIONS:
        with ExitStack() as stack:
            for player in removed:
                stack.enter_context(silenced(model, player))
            stack.enter_context(torch.inference_mode())
            stack.enter_context(mock.patch("lm_eval.evaluator.add_env_info"))
            tasks = list(manager.load(["pages"])["tasks"].values())
            scores = lm_eval.simple_evaluate(model=lm, tasks=tasks, bootstrap_iters=0, task_manager=manager)
        found[removed] = {value: scores["results"]["pages"][f"{value},none"] for value in VALUES}
    return found


@pytest.fixture(scope="module")
def store(own: Path, tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "s.duckdb"
    options = {"model": str(tiny_model_folder), "tasks": ["pages"], "include_path": [str(own)], "dtype": "float32"}
    for more in ({"schedule": ["windows", "ablation"]}, {"schedule": ["exact"], "players": "blocks:2"}):
        list(run_study({**options, **more}, path))
    return path


@pytest.mark.parametrize("value", VALUES)
def test_scores_and_drops_are_those_of_lm_eval(value: str, store: Path, truth: Truth) -> None:
    results = Results(store)
    intact = truth[()][value]
    (score,) = results.scores(value=value).rows
    assert score.score == pytest.approx(intact, rel=1e-4)
    assert score.n == len(TEXTS)
    assert (score.score_low or np.nan) < score.score < (score.score_high or np.nan)
    alone = {row.player: row for row in results.ablation(value=value).rows}
    assert len(alone) == 8
    for player, row in alone.items():
        without = truth[(player,)][value]
        assert row.acc == pytest.approx(without, rel=1e-4)
        assert row.intact_acc == pytest.approx(intact, rel=1e-4)
        # Lower is better: a drop says how much worse the model is.
        assert row.drop == pytest.approx(without - intact, abs=1e-3 * max(without, intact))
        assert row.drop_low <= row.drop <= row.drop_high
        assert (row.chance, row.p_value) == (None, None)
    rows = {row.removed: row for row in results.coalitions(value=value).rows}
    for removed, scores in truth.items():
        assert rows[removed].acc == pytest.approx(scores[value], rel=1e-4)


@pytest.mark.parametrize("value", VALUES)
def test_shapley_values_are_those_of_lm_evals_scores(value: str, store: Path, truth: Truth) -> None:
    """The game of two blocks is small enough to solve by hand."""
    worth = {removed: -scores[value] for removed, scores in truth.items()}
    whole, first, second, nothing = (), BLOCKS[0], BLOCKS[1], (*BLOCKS[0], *BLOCKS[1])
    by_hand = [
        (worth[whole] - worth[first] + worth[second] - worth[nothing]) / 2,
        (worth[whole] - worth[second] + worth[first] - worth[nothing]) / 2,
    ]
    found = Results(store).shapley(value=value, estimator="exact", players="blocks:2")
    phi = [row.phi for row in found.rows]
    assert phi == pytest.approx(by_hand, abs=1e-3 * max(map(abs, worth.values())))
    for row in found.rows:
        assert row.phi_low <= row.phi <= row.phi_high
        assert (row.n, row.verdict) == (len(TEXTS), None)


def test_the_explorer_draws_the_same_as_is_read(store: Path) -> None:
    opened = read_opened(store, Wanted())
    assert opened is not None
    (assignment,) = opened.assignments
    for value in (None, *VALUES):
        asked = value or "bits_per_byte"
        live = LiveTask(assignment, assignment.model.players, value, draw=Draw(0, len(TEXTS)))
        live.load(StoreRecorder(store).values(assignment, live.column))
        assert live.value == asked
        charts = live.charts(4)
        read = Results(store).ablation(value=asked).rows
        assert [(p.acc, p.drop, p.drop_low, p.drop_high) for p in charts.ablation] == [
            (row.acc, row.drop, row.drop_low, row.drop_high) for row in read
        ]
        units = Results(store).shapley(value=asked, estimator="window-first").rows
        assert [(p.phi, p.phi_low, p.share, p.rank) for p in charts.shapley] == [
            (row.phi, row.phi_low, row.share, row.rank) for row in units
        ]
        assert all(point.verdict is None for point in charts.shapley)


def test_a_perplexity_beyond_all_numbers_is_said_and_not_drawn(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    rolling_store(path, nats=400.0)
    read = Results(path).ablation(value="word_perplexity")
    assert not read.rows
    assert "too large to calculate with; read bits per byte" in str(read.gaps[0])
    assert len(Results(path).ablation(value="bits_per_byte").rows) == 6
    opened = read_opened(path, Wanted())
    assert opened is not None
    (assignment,) = opened.assignments
    live = LiveTask(assignment, assignment.model.players, "word_perplexity")
    live.load(StoreRecorder(path).values(assignment, live.column))
    charts = live.charts(4)
    assert (charts.intact, charts.ablation, charts.shapley) == (None, (), ())


def test_documents_have_a_value_each(store: Path) -> None:
    found = Results(store).documents(Selection(task="pages"), (0,), "bits_per_byte", Page())
    assert (found.total, found.changed) == (len(TEXTS), 0), "a text without choices has no answer that may change"
    lengths = [len(text.encode()) for text in TEXTS]
    for row, length in zip(found.rows, lengths, strict=True):
        assert row.score == pytest.approx(-row.logprobs[0] / length / np.log(2))
        assert row.logprobs_intact is not None
        assert row.score_intact == pytest.approx(-row.logprobs_intact[0] / length / np.log(2))


def test_interactions_and_comparisons_are_of_the_corpus(store: Path, truth: Truth) -> None:
    results = Results(store)
    for value in VALUES:
        pairs = [row for row in results.interactions(value=value, max_removed=2).rows if len(row.labels) == 2]
        assert len(pairs) == 7
        rows = {row.removed: row.acc or np.nan for row in results.coalitions(value=value).rows}
        for at, row in enumerate(pairs):
            one, other, both = (rows[removed] for removed in ((at,), (at + 1,), (at, at + 1)))
            assert row.effect == pytest.approx(one + other - both - truth[()][value], rel=1e-3, abs=1e-3 * both)
    compared = results.values().rows
    assert {row.value for row in compared} == set(VALUES)
    assert all((row.reference, row.documents) == ("bits_per_byte", None) for row in compared)


def test_what_needs_a_mean_over_documents_refuses_them(store: Path, own: Path, tiny_model_folder: Path) -> None:
    with pytest.raises(CornerstoneError, match="the paper's report takes a mean over documents, and bits_per_byte"):
        Results(store).cornerstones(PaperSelection(value="bits_per_byte"))
    options = {"model": str(tiny_model_folder), "tasks": ["pages"], "include_path": [str(own)], "dtype": "float32"}
    with pytest.raises(CornerstoneError, match="decide the top on pages takes a mean over documents"):
        list(run_study({**options, "schedule": ["windows"], "until_top": 2}, store))
    config = RunConfig.model_validate(options)
    recorder = StoreRecorder(store)
    with pytest.raises(CornerstoneError, match="a removal path takes a mean over documents"):
        find_path(config, PathRequest(steps=1), "test", recorder, Silent())
    with pytest.raises(CornerstoneError, match="a comparison with proxies takes a mean over documents"):
        check_proxies(config, None, recorder, Silent())
