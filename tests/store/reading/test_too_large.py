"""A perplexity beyond all numbers leaves a gap where it was asked for, and every other row is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from core.coalitions.players import Removed
from core.coalitions.schedules import windows
from store.results import Results, Selection
from tests.support.store_records import PLAYERS, assignment, documents, keep, model, outcome, task

VALUES = ("bits_per_byte", "word_perplexity")
SAID = "too large to calculate with; read bits per byte"


def keep_pages(path: Path, name: str, nats: dict[Removed, float], values: Sequence[str] = VALUES) -> None:
    """Store windows of texts of 20 words, 1 nat a byte, with more under some coalitions."""
    asked = assignment(
        documents(range(6), prefix="page", choices=1),
        windows(PLAYERS, 2),
        of_model=model(name),
        of_task=task("pages", means=(), others=values),
    )
    kept = []
    for document in asked.documents:
        for removed in asked.coalitions:
            found = -100 * nats.get(removed, 1 + 0.02 * sum(3 + player for player in removed) + 0.01 * document.doc_id)
            weights = {"bits_per_byte": 100, "word_perplexity": 20}
            other = {value: [found, weight] for value, weight in weights.items()}
            kept.append(outcome(document.key, removed, logprobs=[found], metrics={}, other=other))
    keep(path, asked, kept, run_id=name)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return a store of a sound model, one with a window too many, and one whose intact model is too bad."""
    path = tmp_path / "s.duckdb"
    keep_pages(path, "sound", {})
    keep_pages(path, "window", {(1, 2): 200.0, (2, 3): 300.0})
    keep_pages(path, "intact", {(): 200.0})
    return path


def test_tables_keep_the_rows_of_other_models(store: Path) -> None:
    results = Results(store)
    ablation = results.ablation(value="word_perplexity")
    assert {row.model for row in ablation.rows} == {"sound", "window"}
    scores = results.scores(value="word_perplexity")
    assert {row.model for row in scores.rows} == {"sound", "window"}
    shapley = results.shapley(value="word_perplexity", estimator="window-first", max_removed=2)
    assert {row.model for row in shapley.rows} == {"sound"}
    interactions = results.interactions(value="word_perplexity", max_removed=2)
    assert {row.model for row in interactions.rows} == {"sound"}
    pairs = results.pairs(value="word_perplexity")
    assert [{row.model, row.other} for row in pairs.rows] == [{"sound", "window"}]
    for answer, names in (
        (ablation, ["intact"]),
        (scores, ["intact"]),
        (shapley, ["intact", "window"]),
        (interactions, ["intact", "window"]),
        (pairs, ["intact", "intact"]),
    ):
        said = [str(gap) for gap in answer.gaps]
        assert len(said) == len(names)
        assert all(SAID in one and "pages" in one for one in said)
        assert all(any(name in one for one in said) for name in names)
    by_bits = results.shapley(value="bits_per_byte", estimator="window-first", max_removed=2)
    assert (len(by_bits.rows), by_bits.gaps) == (3 * PLAYERS, ())


def test_coalitions_without_a_score_are_listed_and_said_in_one_gap(store: Path) -> None:
    found = Results(store).coalitions(Selection(model="window"), value="word_perplexity")
    assert {row.removed for row in found.rows} == set(windows(PLAYERS, 2))
    assert {row.removed for row in found.rows if row.acc is None} == {(1, 2), (2, 3)}
    (gap,) = found.gaps
    assert SAID in str(gap)
    assert "so it is with 1 more" in str(gap)


def test_values_are_compared_without_the_one_that_is_too_large(store: Path) -> None:
    found = Results(store).values(Selection(model="window"), max_removed=2)
    assert [row.value for row in found.rows] == ["bits_per_byte"]
    assert [SAID in str(gap) and "word_perplexity" in str(gap) for gap in found.gaps] == [True]


def test_no_value_is_compared_with_one_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    keep_pages(path, "window", {(1, 2): 200.0}, values=VALUES[1:])
    found = Results(path).values(max_removed=2)
    assert (found.rows, len(found.gaps)) == ((), 1)
    assert SAID in str(found.gaps[0])


def test_a_text_has_no_answer_that_changes(store: Path) -> None:
    assert {row.changed for row in Results(store).pairs(value="bits_per_byte").rows} == {0}
