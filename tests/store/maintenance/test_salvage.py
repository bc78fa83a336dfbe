"""What can be read of a damaged store is saved in a sound one; the damaged one is not touched."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from core.errors import CornerstoneError, InUseError
from store.file.connection import SETTINGS
from store.file.place import log_of
from store.maintenance.check import check
from store.maintenance.extract import SMALLEST
from store.maintenance.salvage import NothingSaved, Salvaged, salvage
from store.recorder import StoreRecorder
from store.results import Results
from tests.support.damaged_store import (
    FIRST,
    blocks_of,
    change,
    contents,
    copied,
    flip,
    index_blocks,
    leave_log,
    make_store,
    wipe,
)
from tests.support.older_store import of_version_1
from tests.support.store_holder import held
from tests.support.store_records import KINDS, assignment, documents, outcome, run


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("sound") / "results.duckdb")


@pytest.fixture
def store(sound: Path, path: Path) -> Path:
    return copied(sound, path)


@pytest.fixture
def new(tmp_path: Path) -> Path:
    folder = tmp_path / "new"
    folder.mkdir()
    return folder / "saved.duckdb"


def _salvaged(store: Path, new: Path) -> Salvaged | NothingSaved:
    """Salvage a store, which must stay as it is; the new one must be sound, and nothing may be left beside it."""
    before, beside = contents(store), sorted(os.listdir(store.parent))
    found = salvage(store, new, force=False, patience=1)
    assert contents(store) == before
    assert sorted(os.listdir(store.parent)) == beside
    assert os.listdir(new.parent) == ([] if isinstance(found, NothingSaved) else [new.name])
    if isinstance(found, Salvaged):
        report = check(new, 1)
        assert report.problems == ()
        assert report.outcomes == found.outcomes.saved
    return found


def _saved(found: Salvaged | NothingSaved) -> tuple[int, int | None]:
    assert isinstance(found, Salvaged)
    return found.outcomes.saved, found.outcomes.of


def _cut(path: Path, left: float) -> None:
    os.truncate(path, int(path.stat().st_size * left))


def test_a_sound_store_is_saved_whole(store: Path, new: Path) -> None:
    leave_log(store)
    found = _salvaged(store, new)
    assert _saved(found) == (280, 280)
    assert found is not None
    assert all(table.whole for table in found.tables)
    assert Results(new).coalitions().rows == Results(store).coalitions().rows


@pytest.mark.slow
def test_the_players_of_an_older_store_are_saved_too(store: Path, new: Path, tmp_path: Path) -> None:
    older = of_version_1(store, tmp_path / "older")
    assert _saved(_salvaged(older, new)) == (240, 240)
    assert Results(new).ablation().rows == Results(store).ablation().rows
    assert {row.kinds for row in Results(new).groups().rows} == {KINDS}


@pytest.mark.slow
def test_a_store_that_was_saved_goes_on_as_before(store: Path, new: Path) -> None:
    _salvaged(store, new)
    more = assignment(documents(range(100, 103)), [(), (4,)])
    recorder = StoreRecorder(new)
    recorder.begin(run("later"))
    recorder.assign("later", more)
    recorder.record("later", more, [outcome(document.key, (4,)) for document in more.documents])
    assert check(new, 1).problems == ()
    assert check(new, 1).outcomes == 243


@pytest.mark.slow
def test_a_damaged_index_loses_nothing(store: Path, new: Path, sound: Path) -> None:
    indexes = index_blocks(sound)
    assert indexes
    for start in indexes[:3]:
        wipe(store, start, 1000)
    assert not check(store, 1).sound
    assert _saved(_salvaged(store, new)) == (240, 240)


@pytest.mark.slow
@pytest.mark.parametrize("place", [3, 12, 300, 4096 + 40, 4096 + 3000, 8192 + 7, 8192 + 300])
def test_a_damaged_header_loses_nothing(store: Path, new: Path, place: int) -> None:
    flip(store, place)
    assert _saved(_salvaged(store, new)) == (240, 240)


@pytest.mark.slow
def test_one_wrong_byte_of_the_outcomes_is_put_right(store: Path, new: Path, sound: Path) -> None:
    (start, *_) = blocks_of(store, "outcomes", "logprobs")
    flip(store, start + 8 * 100 + 2)
    found = _salvaged(store, new)
    assert _saved(found) == (240, 240)
    assert found is not None
    assert found.corrected == 1
    assert Results(new).coalitions().rows == Results(sound).coalitions().rows


@pytest.mark.slow
def test_a_damaged_block_loses_the_rows_that_are_in_it_and_no_others(path: Path, new: Path) -> None:
    asked = assignment(documents(range(12000)), FIRST.coalitions)
    make_store(path, asked)
    wipe(path, sorted(blocks_of(path, "outcomes", "logprobs"))[1], 5000)
    saved, of = _saved(_salvaged(path, new))
    assert of == 48000
    assert of - 262144 // 8 - 2 * SMALLEST < saved < of
    query = "SELECT d.key, o.coalition, o.logprobs FROM {}.outcomes o JOIN {}.documents d USING (document)"
    with duckdb.connect(config=SETTINGS) as db:
        make_store(path.with_name("again"), asked)
        db.execute(f"ATTACH '{path.with_name('again')}' AS whole (READ_ONLY); ATTACH '{new}' AS saved (READ_ONLY)")
        wrong = db.execute(f"{query.format('saved', 'saved')} EXCEPT {query.format('whole', 'whole')}").fetchall()
    assert wrong == []


@pytest.mark.slow
def test_lost_prompts_do_not_lose_outcomes(path: Path, new: Path) -> None:
    long = [
        replace(document, prompt=random.Random(document.doc_id).randbytes(3000).hex())
        for document in documents(range(300))
    ]
    make_store(path, assignment(long, FIRST.coalitions))
    only = blocks_of(path, "documents", "prompt") - blocks_of(path, "documents", "key")
    assert only
    for start in only:
        wipe(path, start, 1000)
    found = _salvaged(path, new)
    assert _saved(found) == (1200, 1200)
    assert found is not None
    assert next(each.placeholders for each in found.tables if each.table == "documents") == 300


@pytest.mark.slow
def test_lost_runs_do_not_lose_outcomes(store: Path, new: Path) -> None:
    change(store, "DELETE FROM runs")
    assert _saved(_salvaged(store, new)) == (240, 240)
    assert [(row.run, row.state) for row in Results(new).runs().rows] == [("run1", "stopped")]


def test_references_to_lost_rows_are_dropped_and_counted(store: Path, new: Path) -> None:
    change(store, "DELETE FROM documents WHERE key IN ('doc-3', 'doc-4')", "DELETE FROM coalitions WHERE removed = [1]")
    found = _salvaged(store, new)
    assert _saved(found) == (58 * 3, 240)
    assert found is not None
    outcomes = found.outcomes.dropped
    assert sum(count for count, _ in outcomes) == 240 - 58 * 3
    assert (8, "name a document that the store does not have") in outcomes
    with duckdb.connect(str(new), read_only=True, config=SETTINGS) as db:
        assert db.execute("SELECT len(doc_ids), len(coalitions) FROM assignments").fetchall() == [(58, 3)]


@pytest.mark.slow
def test_outcomes_that_are_no_numbers_or_twice_are_dropped(store: Path, new: Path) -> None:
    change(
        store,
        "INSERT INTO outcomes FROM outcomes LIMIT 7",
        "UPDATE outcomes SET logprobs = ['nan'::DOUBLE] WHERE document = (SELECT max(document) FROM documents)",
    )
    found = _salvaged(store, new)
    assert _saved(found) == (236, 247)


@pytest.mark.slow
def test_an_odd_schema_is_made_right(store: Path, new: Path) -> None:
    change(store, "ALTER TABLE outcomes DROP COLUMN other", "DROP TABLE runs", "ALTER TABLE tasks ADD COLUMN x INTEGER")
    assert _saved(_salvaged(store, new)) == (240, 240)


@pytest.mark.slow
@pytest.mark.parametrize("place", [5, 20, 45])
def test_a_log_whose_header_is_damaged_is_left_out(store: Path, new: Path, place: int) -> None:
    leave_log(store)
    flip(log_of(store), place)
    saved, _ = _saved(_salvaged(store, new))
    assert 240 <= saved <= 280


@pytest.mark.slow
def test_a_log_that_is_damaged_in_the_middle_is_read_up_to_there(store: Path, new: Path) -> None:
    leave_log(store)
    size = log_of(store).stat().st_size
    wipe(log_of(store), size * 3 // 4, 40)
    saved, _ = _saved(_salvaged(store, new))
    assert 240 < saved < 280


@pytest.mark.slow
def test_a_log_of_another_store_does_not_spoil_the_store(store: Path, new: Path, tmp_path: Path) -> None:
    leave_log(store)
    other = make_store(tmp_path / "other", seed=1)
    leave_log(other)
    log_of(store).write_bytes(log_of(other).read_bytes())
    assert _saved(_salvaged(store, new))[0] == 240


@pytest.mark.slow
def test_a_store_whose_last_write_was_torn_is_saved_as_it_was_before(store: Path, new: Path) -> None:
    StoreRecorder(store).begin(run("later"))
    with store.open("rb") as file:
        file.seek(4096 + 8)
        first = int.from_bytes(file.read(8), "little")
        file.seek(8192 + 8)
        second = int.from_bytes(file.read(8), "little")
    wipe(store, 4096 if first > second else 8192, 4096)
    assert _saved(_salvaged(store, new))[0] == 240


def test_a_store_of_which_nothing_can_be_read_is_told(store: Path, new: Path) -> None:
    _cut(store, 0.01)
    found = _salvaged(store, new)
    assert isinstance(found, NothingSaved)
    assert found.why.startswith("DuckDB cannot open it: ")


@pytest.mark.slow
def test_a_store_whose_outcomes_cannot_be_read_is_told(store: Path, new: Path) -> None:
    for start in blocks_of(store, "outcomes"):
        wipe(store, start, 50_000)
    found = _salvaged(store, new)
    assert isinstance(found, NothingSaved)
    assert found.why in {
        "of its 240 outcomes, 240 are in parts that cannot be read",
        "the table of outcomes cannot be read",
    }


@pytest.mark.slow
def test_a_store_that_lost_its_models_has_no_outcome_to_save(store: Path, new: Path) -> None:
    for start in blocks_of(store, "models"):
        wipe(store, start, 100000)
    found = _salvaged(store, new)
    assert isinstance(found, NothingSaved)
    assert "name a model that the store does not have" in found.why


@pytest.mark.slow
def test_what_must_not_be_written_is_refused(store: Path, new: Path) -> None:
    for file, said in ((store, "exists"), (new.parent, "is a folder"), (new / "in", "there is no folder")):
        with pytest.raises(CornerstoneError, match=said):
            salvage(store, file, force=False, patience=1)
    with pytest.raises(CornerstoneError, match="the very store"):
        salvage(store, store, force=True, patience=1)
    new.write_text("mine")
    assert isinstance(salvage(store, new, force=True, patience=1), Salvaged)
    assert check(new, 1).sound


def test_a_store_that_is_in_use_is_waited_for(store: Path, new: Path) -> None:
    with held(store), pytest.raises(InUseError):
        salvage(store, new, force=False, patience=0.2)
    assert not new.exists()
