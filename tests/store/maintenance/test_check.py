"""A check reads everything, finds every kind of damage, and changes nothing."""

from __future__ import annotations

import os
import random
import socket
import threading
from pathlib import Path

import pytest

from core.errors import CornerstoneError, InUseError
from store.file.place import log_of
from store.file.schema import COLUMNS
from store.maintenance.check import Report, check
from store.recorder import StoreRecorder
from tests.support.damaged_store import (
    BLOCK,
    FIRST,
    HEADERS,
    blocks_of,
    change,
    contents,
    copied,
    flip,
    leave_log,
    make_store,
    wipe,
)
from tests.support.older_store import of_version_1
from tests.support.store_holder import held
from tests.support.store_records import run


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("sound") / "results.duckdb")


@pytest.fixture
def store(sound: Path, path: Path) -> Path:
    return copied(sound, path)


def _checked(store: Path) -> Report:
    """Check a store, which must stay as it is, with nothing beside it."""
    before, beside = contents(store), sorted(os.listdir(store.parent))
    report = check(store, patience=1)
    assert contents(store) == before
    assert sorted(os.listdir(store.parent)) == beside
    assert report.sound == (not report.problems)
    return report


def test_a_sound_store_is_sound(store: Path) -> None:
    assert _checked(store) == Report(True, (), 2, 240)


def test_what_is_in_the_log_counts(store: Path) -> None:
    leave_log(store)
    assert _checked(store) == Report(True, (), 2, 280)


@pytest.mark.slow
def test_a_flipped_byte_in_any_block_is_found_also_in_an_index(store: Path, sound: Path) -> None:
    whole = sound.read_bytes()
    draw = random.Random(0)
    for start in range(HEADERS, len(whole), BLOCK):
        flip(store, start + draw.randrange(BLOCK))
        assert not _checked(store).sound, start
        store.write_bytes(whole)


@pytest.mark.parametrize("place", [3, 10, 700, 4096 + 20, 8192 + 20, 8192 + 3000])
def test_a_damaged_header_is_found_also_if_duckdb_opens_the_file(store: Path, place: int) -> None:
    flip(store, place)
    assert any("header" in problem for problem in _checked(store).problems)


@pytest.mark.parametrize("left", [0.999, 0.8, 0.5, 0.1, 0.01])
def test_a_store_that_was_cut_off_is_damaged(store: Path, left: float) -> None:
    os.truncate(store, int(store.stat().st_size * left))
    assert any("cut off" in problem for problem in _checked(store).problems)


@pytest.mark.slow
def test_blocks_that_duckdb_cut_off_itself_are_no_damage(store: Path) -> None:
    change(store, "CREATE TABLE gone AS SELECT random() AS x FROM range(500_000)")
    change(store, "DROP TABLE gone")
    for number in range(3):
        StoreRecorder(store).begin(run(f"more{number}"))
        assert _checked(store).sound


def test_a_missing_last_block_is_damage_if_it_is_in_use(store: Path) -> None:
    os.truncate(store, store.stat().st_size - BLOCK)
    assert not _checked(store).sound


@pytest.mark.parametrize("place", [5, 40, 80, 500, -4])
def test_a_damaged_log_is_damage_also_where_duckdb_drops_it_without_a_word(store: Path, place: int) -> None:
    leave_log(store)
    flip(log_of(store), place)
    assert not _checked(store).sound


def test_a_log_that_ends_within_a_write_is_sound_and_told(store: Path) -> None:
    leave_log(store)
    os.truncate(log_of(store), log_of(store).stat().st_size - 3)
    report = _checked(store)
    assert report.sound
    assert "not finished" in report.notes[0]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DROP TABLE members", "the table members is missing"),
        ("ALTER TABLE outcomes DROP COLUMN more", "the table outcomes does not have the column more"),
        ("ALTER TABLE runs ADD COLUMN host VARCHAR", "the table runs has a column host that no store has"),
        ("ALTER TABLE outcomes ALTER acc TYPE FLOAT", "the column acc of outcomes is FLOAT in place of DOUBLE"),
        ("DELETE FROM meta", "the version of its schema is missing"),
    ],
)
def test_an_odd_schema_is_damage(store: Path, statement: str, said: str) -> None:
    change(store, statement)
    assert said in _checked(store).problems


def test_an_older_store_is_sound_and_its_rows_are_read(store: Path, tmp_path: Path) -> None:
    older = of_version_1(store, tmp_path / "older")
    note = "its schema is older, and is brought up to date when the store is next written to"
    assert _checked(older) == Report(True, (), 1, 240, (note,))
    change(older, "DELETE FROM documents WHERE key = 'doc-3'")
    assert any("4 of the outcomes name a document" in problem for problem in _checked(older).problems)


def test_a_missing_key_is_damage(store: Path) -> None:
    change(store, "CREATE TABLE t AS FROM members", "DROP TABLE members", "ALTER TABLE t RENAME TO members")
    assert any("members does not have the primary key" in problem for problem in _checked(store).problems)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM documents WHERE key = 'doc-3'", "4 of the outcomes name a document that the store does not have"),
        ("DELETE FROM models", "240 of the outcomes name a model that the store does not have"),
        ("UPDATE models SET kinds = []", "1 of the models have no layers"),
        (
            "UPDATE models SET kinds = list_transform(kinds, lambda kind: 'what')",
            "1 of the models have players of an unknown kind",
        ),
        ("UPDATE models SET layers = list_reverse(layers)", "1 of the models do not have the layer of each player"),
        ("UPDATE models SET layers = [0, 0]", "1 of the models do not have the layer of each player"),
        ("DELETE FROM tasks", "1 of the datasets name a task that the store does not have"),
        ("DELETE FROM runs", "240 of the outcomes name a run that the store does not have"),
        ("DELETE FROM datasets", "60 of the members name a dataset that the store does not have"),
        ("DELETE FROM coalitions WHERE removed = [1]", "60 of the outcomes name a coalition that"),
        ("DELETE FROM coalitions WHERE removed = [1]", "1 of the assignments name coalitions that"),
        ("DELETE FROM members WHERE doc_id = 7", "1 of the assignments name documents that their data set"),
        ("INSERT INTO outcomes FROM outcomes LIMIT 5", "5 of the outcomes repeat the model, document and coalition of"),
        (
            "INSERT INTO coalitions (removed) VALUES ([0, 1])",
            "1 of the coalitions repeat the removed layers of another",
        ),
        ("UPDATE coalitions SET removed = [1, 0] WHERE removed = [0, 1]", "1 of the coalitions have removed layers"),
        ("UPDATE coalitions SET removed = [6] WHERE removed = [1]", "60 of the outcomes remove layers that their"),
        ("UPDATE outcomes SET logprobs = ['nan'::DOUBLE, -1, -1, -1] WHERE document % 2 = 0", "no numbers or above 0"),
        ("UPDATE outcomes SET logprobs = [0.5, -1, -1, -1]", "240 of the outcomes have log-probabilities that are no"),
        ("UPDATE outcomes SET logprobs = [-1, -2], is_greedy = [true, false]", "fewer log-probabilities than"),
        (
            "UPDATE outcomes SET is_greedy = [true]",
            "240 of the outcomes have answers and log-probabilities that differ",
        ),
        ("UPDATE outcomes SET acc = 'inf'", "240 of the outcomes have scores that are no numbers"),
        ('UPDATE outcomes SET more = \'{"brier": "high"}\'', "240 of the outcomes have scores that are no numbers"),
        ("UPDATE outcomes SET more = '{'", "240 of the outcomes have scores that are no numbers"),
        ("UPDATE documents SET gold = [4] WHERE key = 'doc-3'", "1 of the documents have a right answer that is none"),
        ("UPDATE runs SET state = 'lost'", "1 of the runs have a state that does not exist"),
        ("UPDATE runs SET versions = 'x'", "1 of the runs have versions that are no JSON"),
        ("UPDATE runs SET config = ''", "1 of the runs have a configuration that is no JSON"),
        ("INSERT INTO coalitions VALUES (90000, [5])", "the counter from which new rows get their numbers is behind"),
    ],
)
def test_rows_that_cannot_be_right_are_found(store: Path, statement: str, said: str) -> None:
    change(store, statement)
    assert any(said in problem for problem in _checked(store).problems), _checked(store).problems


def test_minus_infinity_is_a_log_probability_and_extra_tables_are_the_users_own(store: Path) -> None:
    change(store, "UPDATE outcomes SET logprobs = ['-inf'::DOUBLE, -1, -1, -1]", "CREATE TABLE mine (x INTEGER)")
    assert _checked(store).sound


def test_a_damaged_table_does_not_hide_what_is_wrong_with_another(store: Path) -> None:
    change(store, "UPDATE runs SET state = 'lost'")
    (start, *_) = blocks_of(store, "documents", "prompt")
    flip(store, start + 8, start + 100)
    problems = _checked(store).problems
    (unreadable,) = [problem for problem in problems if problem.startswith("documents cannot be read in full: ")]
    assert "prompt" in unreadable
    assert "1 of the runs have a state that does not exist" in problems


def test_many_damaged_columns_are_one_sentence_a_table(store: Path) -> None:
    for start in blocks_of(store, "outcomes") | blocks_of(store, "documents"):
        wipe(store, start, 50_000)
    problems = _checked(store).problems
    assert len([problem for problem in problems if problem.startswith("outcomes cannot be read in full")]) == 1
    assert len([problem for problem in problems if problem.startswith("documents cannot be read in full")]) == 1
    assert len(problems) <= len(COLUMNS)


def test_the_quick_form_finds_damaged_blocks_and_tables(store: Path) -> None:
    assert check(store, 1, quick=True).sound
    flip(store, store.stat().st_size - BLOCK + 50)
    assert not check(store, 1, quick=True).sound


def test_what_is_no_store_is_refused(path: Path, tmp_path: Path, store: Path) -> None:
    change(tmp_path / "other", "CREATE TABLE meta (name VARCHAR)")
    (tmp_path / "text").write_text("hello " * 5000)
    os.mkfifo(tmp_path / "pipe")
    newer = copied(store, tmp_path / "newer")
    change(newer, "UPDATE meta SET schema_version = 99")
    for file, said in {
        tmp_path / "nothing": "there is no store",
        tmp_path / "text": "is not a DuckDB file",
        tmp_path / "pipe": "is a pipe",
        tmp_path: "is a folder",
        tmp_path / "other": "no store of this program",
        newer: "newer version of this program",
        tmp_path / ("x" * 300): "cannot be opened",
    }.items():
        with pytest.raises(CornerstoneError, match=said):
            check(file, 1)


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        with pytest.raises(CornerstoneError, match="is a socket"):
            check(tmp_path / "s", 1)


@pytest.mark.slow
def test_a_store_that_another_program_writes_is_waited_for(store: Path) -> None:
    with held(store), pytest.raises(InUseError, match="in use by another program"):
        check(store, patience=0.3)
    assert check(store, patience=0.3).sound


@pytest.mark.slow
def test_a_store_can_be_checked_while_a_recorder_writes_to_it(store: Path) -> None:
    def write() -> None:
        for number in range(20):
            StoreRecorder(store, patience=30).begin(run(f"more{number}"))

    writer = threading.Thread(target=write)
    writer.start()
    reports = [check(store, patience=30) for _ in range(2)]
    writer.join()
    assert [report.problems for report in reports] == [(), ()]
    assert check(store, 1).outcomes == len(FIRST.documents) * len(FIRST.coalitions)
