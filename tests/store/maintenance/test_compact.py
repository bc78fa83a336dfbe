"""Compacting: smaller, nothing lost, and nobody writes into the file that was replaced."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest

from core.errors import CornerstoneError, InUseError, Mend
from store.file.connection import SETTINGS
from store.file.place import log_of
from store.maintenance.check import check
from store.maintenance.compact import compact
from store.recorder import StoreRecorder
from store.results import Results
from tests.support.damaged_store import FIRST, blocks_of, change, contents, copied, flip, leave_log, make_store, wipe
from tests.support.store_holder import held
from tests.support.store_records import assignment, documents, keep, outcome, run


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with dead space, as deleted rows leave it."""
    path = tmp_path_factory.mktemp("large") / "results.duckdb"
    StoreRecorder(path).begin(run("first"))
    change(path, "CREATE TABLE gone AS SELECT random() AS x FROM range(1_000_000)")
    make_store(path)
    change(path, "DROP TABLE gone")
    return path


@pytest.fixture
def store(large: Path, path: Path) -> Path:
    return copied(large, path)


def _answers(path: Path) -> list[object]:
    results = Results(path)
    return [results.outcomes().rows, results.coalitions().rows, results.runs().rows, results.groups().rows]


@pytest.mark.slow
def test_a_compacted_store_is_smaller_and_answers_the_same(store: Path) -> None:
    leave_log(store)
    before, size = _answers(store), store.stat().st_size + log_of(store).stat().st_size
    found = compact(store, 1)
    assert (found.before, found.after) == (size, store.stat().st_size)
    assert found.after < size - 1_000_000
    assert _answers(store) == before
    assert check(store, 1).problems == ()
    assert os.listdir(store.parent) == [store.name]


def test_what_the_user_added_to_the_file_stays(store: Path) -> None:
    change(store, "CREATE TABLE mine AS SELECT 7 AS x", "CREATE VIEW seen AS SELECT x + 1 AS y FROM mine")
    compact(store, 1)
    with duckdb.connect(str(store), read_only=True, config=SETTINGS) as db:
        assert db.execute("SELECT y FROM seen").fetchall() == [(8,)]


@pytest.mark.slow
def test_a_compacted_store_goes_on_as_before(store: Path) -> None:
    compact(store, 1)
    more = assignment(documents(range(100, 104)), [(), (5,)])
    keep(store, more, [outcome(document.key) for document in more.documents], run_id="later")
    assert check(store, 1).problems == ()
    assert check(store, 1).outcomes == 244


def test_mode_and_symbolic_link_stay(store: Path, tmp_path: Path) -> None:
    store.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(store)
    compact(link, 1)
    assert link.is_symlink()
    assert stat.S_IMODE(store.stat().st_mode) == 0o640


def test_a_file_with_two_names_is_refused(store: Path, tmp_path: Path) -> None:
    os.link(store, tmp_path / "second")
    before = contents(store)
    with pytest.raises(CornerstoneError, match="second name"):
        compact(store, 1)
    assert contents(store) == before


def test_a_damaged_store_stays_as_it_is(store: Path) -> None:
    for start in blocks_of(store, "outcomes"):
        wipe(store, start, 1000)
    before = contents(store)
    with pytest.raises(CornerstoneError) as refused:
        compact(store, 1)
    assert refused.value.mend == Mend.SALVAGE_STORE
    assert contents(store) == before
    assert os.listdir(store.parent) == [store.name]


@pytest.mark.parametrize("place", [5, 40, 3000])
def test_a_damaged_log_is_not_dropped(store: Path, place: int) -> None:
    leave_log(store)
    flip(log_of(store), place)
    before = contents(store)
    with pytest.raises(CornerstoneError) as refused:
        compact(store, 1)
    assert refused.value.mend == Mend.SALVAGE_STORE
    assert contents(store) == before


@pytest.mark.slow
def test_a_store_in_use_is_waited_for(store: Path) -> None:
    with held(store), pytest.raises(InUseError):
        compact(store, patience=0.2)
    compact(store, patience=0.2)
    assert check(store, 1).sound


def test_a_folder_that_may_not_be_written_is_a_sentence(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write to every folder")
    store.parent.chmod(0o500)
    try:
        with pytest.raises(CornerstoneError, match="cannot write"):
            compact(store, 1)
    finally:
        store.parent.chmod(0o700)


# Opens the file, waits, and only then locks it, as DuckDB does if it is stopped at the wrong moment.
_LATE = """
import os, sys
descriptor = os.open(sys.argv[1], os.O_RDWR)
print("open", flush=True)
sys.stdin.read()
print(len(os.pread(descriptor, 100, 0)), flush=True)
"""


@pytest.mark.slow
def test_a_program_that_had_opened_the_replaced_file_finds_it_empty(store: Path) -> None:
    command = [sys.executable, "-c", _LATE, str(store)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as late:
        assert late.stdin is not None
        assert late.stdout is not None
        assert late.stdout.readline() == "open\n"
        compact(store, 1)
        late.stdin.close()
        assert late.stdout.readline() == "0\n"
    assert check(store, 1).outcomes == 240


@pytest.mark.slow
def test_nothing_is_lost_while_recorders_write(store: Path) -> None:
    asked = assignment(FIRST.documents, [(4,)])
    StoreRecorder(store).begin(run("busy"))
    StoreRecorder(store).assign("busy", asked)

    def write() -> None:
        recorder = StoreRecorder(store, patience=60)
        for document in asked.documents:
            recorder.record("busy", asked, [outcome(document.key, (4,))])

    writer = threading.Thread(target=write)
    writer.start()
    for _ in range(3):
        compact(store, patience=60)
    writer.join()
    assert check(store, 1).problems == ()
    assert check(store, 1).outcomes == 300
