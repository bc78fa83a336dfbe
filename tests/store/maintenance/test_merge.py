"""Merging: by identity, an outcome once, and nothing at all where two stores contradict each other."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from core.coalitions.players import Removed
from core.errors import CornerstoneError, InUseError, Mend
from core.records.records import Assignment, Outcome
from store.file.connection import SETTINGS
from store.file.database import reading
from store.file.place import log_of
from store.maintenance.check import check
from store.maintenance.merge import Merged, merge
from store.recorder import StoreRecorder
from store.results import Results
from tests.support.damaged_store import change, contents, copied, leave_log, make_store, wipe
from tests.support.older_store import of_version_1
from tests.support.store_holder import held
from tests.support.store_records import assignment, data, documents, keep, model, outcome, run, task

COALITIONS: list[Removed] = [(), (0,), (1,), (0, 1), (2, 3)]


def _outcomes(asked: Assignment, shift: float = 0.0) -> Iterator[Outcome]:
    """Yield outcomes that depend on document and coalition alone, so that all stores agree."""
    for document in asked.documents:
        for removed in asked.coalitions:
            draw = np.random.default_rng([document.doc_id, *removed])
            logprobs = (-30 * draw.random(4) + shift).tolist()
            yield outcome(document.key, removed, float(draw.random() < 0.5), logprobs=logprobs)


def _kept(path: Path, run_id: str, docs: Sequence[int], coalitions: Sequence[Removed], **of: Any) -> Path:
    asked = assignment(documents(docs), coalitions, **of)
    keep(path, asked, list(_outcomes(asked)), run_id=run_id)
    return path


def _merged(inputs: Sequence[Path], output: Path) -> Merged:
    """Merge stores, which must stay as they are; the merged one must be sound."""
    before = [contents(path) for path in inputs]
    found = merge(inputs, output, force=False, patience=1)
    assert [contents(path) for path in inputs] == before
    report = check(output, 1)
    assert (report.problems, report.outcomes) == ((), found.outcomes)
    return found


def _new(found: Merged) -> list[tuple[int, int]]:
    return [(each.outcomes, each.new) for each in found.taken]


def _answers(path: Path) -> list[object]:
    results = Results(path)
    return [results.coalitions().rows, results.ablation().rows, results.groups().rows, results.shapley().rows]


def test_two_halves_of_the_documents_are_the_whole(tmp_path: Path) -> None:
    whole = _kept(tmp_path / "whole", "a", range(40), COALITIONS)
    first = _kept(tmp_path / "first", "b", range(20), COALITIONS)
    second = _kept(tmp_path / "second", "c", range(20, 40), COALITIONS)
    for order in ([first, second], [second, first]):
        target = tmp_path / f"merged-{order[0].name}"
        assert _new(_merged(order, target)) == [(100, 100), (100, 100)]
        assert _answers(target) == _answers(whole)


@pytest.mark.slow
def test_twenty_random_splits_are_the_whole(tmp_path: Path) -> None:
    whole = _kept(tmp_path / "whole", "a", range(12), COALITIONS)
    draw = random.Random(0)
    for split in range(20):
        parts = draw.randint(2, 3)
        stores = [tmp_path / f"{split}-{part}" for part in range(parts)]
        shuffled, cut = draw.sample(range(12), 12), draw.randint(1, 11)
        for docs in (shuffled[:cut], shuffled[cut:]):
            coalitions = draw.sample(COALITIONS, len(COALITIONS))
            for part, store in enumerate(stores):
                # By chance a part also has what another part has.
                some = [one for at, one in enumerate(coalitions) if at % parts == part or draw.random() < 0.2]
                _kept(store, f"{part}-{docs[0]}", docs, some)
        draw.shuffle(stores)
        target = tmp_path / f"merged-{split}"
        assert _merged(stores, target).outcomes == 60
        assert _answers(target) == _answers(whole)


@pytest.mark.slow
def test_two_halves_of_the_coalitions_are_the_whole(tmp_path: Path) -> None:
    whole = _kept(tmp_path / "whole", "a", range(30), COALITIONS)
    first = _kept(tmp_path / "first", "b", range(30), COALITIONS[:3])
    second = _kept(tmp_path / "second", "c", range(30), [(), *COALITIONS[3:]])
    found = _merged([first, second], tmp_path / "merged")
    assert _new(found) == [(90, 90), (90, 60)]
    assert _answers(tmp_path / "merged") == _answers(whole)


@pytest.mark.slow
def test_an_outcome_of_several_stores_is_taken_once(tmp_path: Path) -> None:
    first = _kept(tmp_path / "first", "b", range(30), COALITIONS)
    second = _kept(tmp_path / "second", "c", range(10, 40), COALITIONS)
    third = copied(first, tmp_path / "third")
    found = _merged([first, second, third], tmp_path / "merged")
    assert _new(found) == [(150, 150), (150, 50), (150, 0)]
    assert len(Results(tmp_path / "merged").outcomes().rows) == 200


@pytest.mark.slow
def test_an_older_store_and_one_of_other_players_are_merged(tmp_path: Path) -> None:
    hybrid = replace(model("hybrid"), kinds=(("ssm",), ("attn", "moe", "attn", "ffn")))
    first = of_version_1(_kept(tmp_path / "new", "b", range(10), COALITIONS), tmp_path / "first")
    second = _kept(tmp_path / "second", "c", range(10), [(), (3,)], of_model=hybrid)
    with reading(first, 1):
        pass  # brings it up to date
    assert _new(_merged([first, second], tmp_path / "merged")) == [(50, 50), (20, 20)]
    labels = {(row.model, row.label) for row in Results(tmp_path / "merged").ablation().rows}
    assert ("hybrid", "Attn 1b") in labels
    assert ("tiny", "Attn 0") in labels


@pytest.mark.slow
def test_a_model_with_other_players_contradicts(tmp_path: Path) -> None:
    first = _kept(tmp_path / "first", "b", range(10), COALITIONS)
    other = replace(model(), kinds=(("attn",), ("ffn", "attn", "ffn"), ("attn", "ffn")))
    second = _kept(tmp_path / "second", "c", range(10), COALITIONS, of_model=other)
    with pytest.raises(CornerstoneError, match=r"nothing was merged: it has tiny with other players$"):
        merge([first, second], tmp_path / "merged", force=False, patience=1)
    with pytest.raises(CornerstoneError, match="has tiny with other players"):
        _kept(first, "d", range(10), COALITIONS, of_model=other)


@pytest.mark.slow
def test_models_tasks_and_data_that_differ_are_kept_apart(tmp_path: Path) -> None:
    first = _kept(tmp_path / "first", "b", range(10), COALITIONS, of_model=model("one"))
    second = _kept(tmp_path / "second", "c", range(10), COALITIONS, of_task=task(shots=2))
    third = _kept(tmp_path / "third", "d", range(10), COALITIONS, of_model=model("one", "bfloat16"))
    fourth = _kept(tmp_path / "fourth", "e", range(10), COALITIONS, of_data=data("other"))
    stores = [first, second, third, fourth]
    found = _merged(stores, tmp_path / "merged")
    assert found.outcomes == 200
    rows = [row for path in stores for row in Results(path).groups().rows]
    assert sorted(map(repr, Results(tmp_path / "merged").groups().rows)) == sorted(map(repr, rows))


@pytest.mark.slow
def test_a_run_that_two_files_share_unites_what_it_asked_for(tmp_path: Path) -> None:
    first = _kept(tmp_path / "first", "same", range(20), COALITIONS)
    second = _kept(tmp_path / "second", "same", range(10, 30), COALITIONS)
    change(first, "UPDATE runs SET state = 'running', finished = NULL")
    _merged([first, second], tmp_path / "merged")
    (row,) = Results(tmp_path / "merged").runs().rows
    assert (row.run, row.state, row.documents, row.outcomes) == ("same", "finished", 30, 150)
    assert row.started == Results(first).runs().rows[0].started
    assert row.finished == Results(second).runs().rows[0].finished


@pytest.mark.slow
def test_a_run_that_has_another_configuration_in_another_file_is_refused(tmp_path: Path) -> None:
    first = _kept(tmp_path / "first", "same", range(3), COALITIONS)
    second = _kept(tmp_path / "second", "same", range(3), COALITIONS)
    change(second, "UPDATE runs SET seed = 7")
    with pytest.raises(CornerstoneError, match="its run same has another configuration"):
        merge([first, second], tmp_path / "merged", force=False, patience=1)


@pytest.mark.slow
def test_the_log_of_a_killed_program_is_merged_too(tmp_path: Path) -> None:
    first = make_store(tmp_path / "first")
    leave_log(first)
    second = _kept(tmp_path / "second", "c", range(3), COALITIONS, of_model=model("one"))
    assert _merged([first, second], tmp_path / "merged").outcomes == 295


@pytest.mark.slow
def test_a_merged_store_goes_on_as_before(tmp_path: Path) -> None:
    stores = [_kept(tmp_path / name, name, range(at, at + 5), COALITIONS) for at, name in ((0, "a"), (5, "b"))]
    target = tmp_path / "merged"
    _merged(stores, target)
    _kept(target, "later", range(8, 12), [*COALITIONS, (5,)])
    assert check(target, 1).problems == ()
    assert check(target, 1).outcomes == 10 * 5 + 2 * 5 + 4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dtype", "shift", "same"),
    [
        ("float32", 0.0, True),
        ("float32", 1e-3, True),
        ("float32", 0.01, False),
        ("float32", 1.0, False),
        ("bfloat16", 0.05, True),
        ("bfloat16", 3.0, False),
    ],
)
def test_log_probabilities_may_differ_by_rounding_and_no_more(
    tmp_path: Path, dtype: str, shift: float, same: bool
) -> None:
    asked = assignment(documents(range(4)), [(0,)], of_model=model(dtype=dtype))
    keep(tmp_path / "first", asked, list(_outcomes(asked)), run_id="a")
    keep(tmp_path / "second", asked, list(_outcomes(asked, -shift)), run_id="b")
    if same:
        assert _new(_merged([tmp_path / "first", tmp_path / "second"], tmp_path / "merged")) == [(4, 4), (4, 0)]
        return
    with pytest.raises(CornerstoneError) as refused:
        merge([tmp_path / "first", tmp_path / "second"], tmp_path / "merged", force=False, patience=1)
    for said in ("second contradicts", "tiny on capitals", "document doc-0", "without players 0", "nothing was merged"):
        assert said in str(refused.value)
    assert sorted(os.listdir(tmp_path)) == ["first", "second"]


@pytest.mark.parametrize(
    "changed",
    [
        {"metrics": {"acc": 0.0, "acc_norm": 0.0}},
        {"metrics": {"acc": 1.0}},
        {"metrics": {"acc": 1.0, "acc_norm": 0.0, "brier": 0.5}},
        {"logprobs": (-1.5, -2.5, -3.0, -4.0, -5.0)},
        {"logprobs": (-float("inf"), -2.5, -3.0, -4.0)},
    ],
)
def test_scores_that_differ_or_more_numbers_contradict(tmp_path: Path, changed: dict[str, Any]) -> None:
    asked = assignment(documents(range(2)), [()])
    keep(tmp_path / "first", asked, [outcome(document.key) for document in asked.documents])
    keep(tmp_path / "second", asked, [outcome("doc-0"), outcome("doc-1", **changed)], run_id="b")
    with pytest.raises(CornerstoneError, match=r"document doc-1, intact, has (other scores|log-probabilities)"):
        merge([tmp_path / "first", tmp_path / "second"], tmp_path / "merged", force=False, patience=1)


@pytest.mark.slow
def test_scores_written_in_other_digits_and_equal_infinities_agree(tmp_path: Path) -> None:
    asked = assignment(documents(range(2)), [()])
    scores = {"acc": 1.0, "brier": 0.1 + 0.2}
    infinite = (-float("inf"), -2.5, -3.0, -4.0)
    for name, metrics in (("first", scores), ("second", {**scores, "brier": 0.3})):
        kept = [outcome(document.key, logprobs=infinite, metrics=metrics) for document in asked.documents]
        keep(tmp_path / name, asked, kept, run_id=name)
    assert _new(_merged([tmp_path / "first", tmp_path / "second"], tmp_path / "merged")) == [(2, 2), (2, 0)]


@pytest.mark.slow
def test_a_damaged_store_is_refused_by_name(tmp_path: Path) -> None:
    first, second = make_store(tmp_path / "first"), make_store(tmp_path / "second")
    wipe(second, second.stat().st_size // 2, 300000)
    with pytest.raises(CornerstoneError, match=r"second") as refused:
        merge([first, second], tmp_path / "merged", force=False, patience=1)
    assert refused.value.mend == Mend.SALVAGE_STORE
    assert not (tmp_path / "merged").exists()


def test_what_must_not_be_written_or_read_is_refused(tmp_path: Path) -> None:
    first, second = (_kept(tmp_path / name, name, range(2), COALITIONS) for name in ("first", "second"))
    (tmp_path / "text").write_text("hello " * 3000)
    (tmp_path / "orphan.wal").write_text("log")
    change(tmp_path / "odd", "CREATE TABLE meta (name VARCHAR)")
    for inputs, output, said in (
        ([first, second], first, "exists"),
        ([first, first], tmp_path / "new", "named twice"),
        ([first, tmp_path / "text"], tmp_path / "new", "not a DuckDB file"),
        ([first, tmp_path / "odd"], tmp_path / "new", "no store of this program"),
        ([first, tmp_path / "none"], tmp_path / "new", "there is no store"),
        ([first, second], tmp_path / "no" / "new", "there is no folder"),
        ([first, second], tmp_path / "orphan", "left of another store"),
    ):
        with pytest.raises(CornerstoneError, match=said):
            merge(inputs, output, force=False, patience=1)
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_one_of_the_merged_stores_may_be_replaced_if_that_is_asked_for(tmp_path: Path) -> None:
    first, second = _kept(tmp_path / "first", "a", range(5), COALITIONS), make_store(tmp_path / "second", seed=1)
    change(second, "UPDATE models SET fingerprint = 'another'")
    leave_log(second)
    found = merge([first, second], second, force=True, patience=1)
    assert found.outcomes == 25 + 240 + 40
    assert check(second, 1) == replace(check(second, 1), sound=True, outcomes=305)
    assert not log_of(second).exists()
    assert sorted(os.listdir(tmp_path)) == ["first", "second"]


@pytest.mark.slow
def test_a_store_that_is_replaced_while_somebody_has_it_open_waits(tmp_path: Path) -> None:
    stores = [_kept(tmp_path / name, name, range(2), COALITIONS) for name in ("first", "second")]
    target = _kept(tmp_path / "target", "t", range(3), COALITIONS)
    before = contents(target)
    with held(target), pytest.raises(InUseError):
        merge(stores, target, force=True, patience=0.3)
    assert contents(target) == before
    merge(stores, target, force=True, patience=0.3)
    assert [row.run for row in Results(target).runs().rows] == ["second", "first"]


@pytest.mark.slow
def test_a_log_that_is_beside_a_replaced_file_is_not_taken_for_its_own(tmp_path: Path) -> None:
    stores = [_kept(tmp_path / name, name, range(2), COALITIONS) for name in ("first", "second")]
    target = make_store(tmp_path / "target")
    leave_log(target)
    merge(stores, target, force=True, patience=1)
    assert not log_of(target).exists()
    assert check(target, 1).outcomes == 10


@pytest.mark.slow
def test_a_recorder_goes_on_in_a_store_that_was_replaced(tmp_path: Path) -> None:
    first, second = (_kept(tmp_path / name, name, range(2), COALITIONS) for name in ("first", "second"))
    recorder = StoreRecorder(first)
    recorder.begin(run("open"))
    merge([second, first], first, force=True, patience=1)
    recorder.finish("open", "finished")
    with duckdb.connect(str(first), read_only=True, config=SETTINGS) as db:
        assert db.execute("SELECT state FROM runs WHERE run = 'open'").fetchall() == [("finished",)]
