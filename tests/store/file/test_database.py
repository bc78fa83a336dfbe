"""Opening: what is no store, what is newer, what is in use, what is older."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from core.errors import CornerstoneError, InUseError, Mend
from store.file.database import reading, writing
from store.file.location import default_path
from store.file.schema import VERSION
from store.file.sound import fault_of
from store.recorder import StoreRecorder
from store.results import Results
from tests.support.older_store import of_version_1
from tests.support.store_records import assignment, documents, keep, model, outcome, run

HYBRID = replace(model("hybrid"), kinds=(("ssm",), ("attn", "moe", "attn", "ffn")))


def test_a_store_that_is_not_there_is_not_made_by_reading(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "results.duckdb"
    with pytest.raises(CornerstoneError, match=r"no results at .*results\.duckdb yet$") as refused:
        Results(path).runs()
    assert refused.value.mend == Mend.MAKE_RESULTS
    assert list(tmp_path.iterdir()) == []


def test_writing_makes_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "a" / "results.duckdb"
    StoreRecorder(path).begin(run())
    assert [row.run for row in Results(path).runs().rows] == ["run1"]


@pytest.mark.parametrize(
    "content",
    [b"hello", b"hello " * 5000, b"SQLite format 3\x00" + b"\x00" * 5000, b"\xff\xfe" * 4096, b"\xff\xfe" * 40960],
)
def test_a_file_that_is_no_duckdb_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    for use in (Results(path).runs, lambda: StoreRecorder(path).begin(run())):
        with pytest.raises(CornerstoneError, match=r"results\.duckdb ") as refused:
            use()
        assert refused.value.mend == Mend.OTHER_STORE
    assert path.read_bytes() == content


def test_a_duckdb_file_of_something_else_is_refused_and_left_alone(path: Path) -> None:
    with duckdb.connect(str(path)) as db:
        db.execute("CREATE TABLE meta (name VARCHAR)")
    for use in (Results(path).runs, lambda: StoreRecorder(path).begin(run())):
        with pytest.raises(CornerstoneError, match=r"no store of this program$") as refused:
            use()
        assert refused.value.mend == Mend.OTHER_STORE
    with duckdb.connect(str(path)) as db:
        assert db.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("meta",)]


def test_a_store_of_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    StoreRecorder(path).begin(run())
    with duckdb.connect(str(path)) as db:
        db.execute("UPDATE meta SET schema_version = 99")
    for use in (Results(path).runs, lambda: StoreRecorder(path).begin(run("again"))):
        with pytest.raises(CornerstoneError, match=r"newer version .*schema 99") as refused:
            use()
        assert refused.value.mend == Mend.UPGRADE
    with duckdb.connect(str(path)) as db:
        assert db.execute("SELECT run FROM runs").fetchall() == [("run1",)]


@pytest.mark.slow
def test_a_store_of_an_older_version_is_brought_up_to_date_and_keeps_what_it_holds(path: Path, tmp_path: Path) -> None:
    asked = assignment(documents([0, 1]), [(), (0,), (5,)])
    newer = tmp_path / "newer.duckdb"
    keep(newer, asked, [outcome(doc.key, removed) for doc in asked.documents for removed in asked.coalitions])
    of_version_1(newer, path)
    assert Results(path).ablation().rows == Results(newer).ablation().rows
    assert [row.label for row in Results(path).ablation().rows] == ["Attn 0", "FFN 2"]
    with reading(path) as db:
        assert db.execute("SELECT kinds, layers FROM models").fetchall() == [(["attn", "ffn"] * 3, [0, 0, 1, 1, 2, 2])]
        assert db.execute("SELECT schema_version FROM meta").fetchall() == [(VERSION,)]
        assert fault_of(db) is None
    every = frozenset(asked.coalitions)
    assert StoreRecorder(path).stored(asked) == {"doc-0": every, "doc-1": every}
    keep(path, asked, [], run_id="again")
    keep(path, assignment(documents([0]), [()], of_model=HYBRID), [outcome("doc-0")], run_id="another")
    assert len(Results(path).coalitions().rows) == 4


def test_writing_too_brings_an_older_store_up_to_date(path: Path, tmp_path: Path) -> None:
    StoreRecorder(tmp_path / "newer").begin(run())
    of_version_1(tmp_path / "newer", path)
    keep(path, assignment(documents([0]), [()], of_model=HYBRID), [outcome("doc-0")], run_id="run2")
    with reading(path) as db:
        assert db.execute("SELECT kinds, layers FROM models").fetchall() == [
            (["ssm", "attn", "moe", "attn", "ffn"], [0, 1, 1, 1, 1])
        ]


def test_an_older_store_that_is_damaged_is_said_to_be(path: Path, tmp_path: Path) -> None:
    StoreRecorder(tmp_path / "newer").begin(run())
    of_version_1(tmp_path / "newer", path)
    with duckdb.connect(str(path)) as db:
        db.execute("ALTER TABLE outcomes DROP COLUMN logprobs")
    for use in (Results(path).runs, lambda: StoreRecorder(path).begin(run("again"))):
        with pytest.raises(CornerstoneError, match=r"damaged \(the table outcomes has no column logprobs\)") as refused:
            use()
        assert refused.value.mend == Mend.SALVAGE_STORE


def test_a_transaction_that_fails_leaves_no_part_of_it(path: Path) -> None:
    StoreRecorder(path).begin(run())

    def half_a_write() -> None:
        with writing(path) as db:
            db.execute("DELETE FROM runs")
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        half_a_write()
    assert len(Results(path).runs().rows) == 1


_HOLDER = """
import sys, duckdb
db = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read")
print("held", flush=True)
sys.stdin.readline()
db.close()
"""


@pytest.fixture
def held(path: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the store until it is told something."""
    StoreRecorder(path).begin(run())
    command = [sys.executable, "-c", _HOLDER, str(path), request.param]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield holder
        let_go(holder)


def let_go(holder: subprocess.Popen[str]) -> None:
    assert holder.stdin is not None
    if not holder.stdin.closed:
        holder.stdin.close()


@pytest.mark.parametrize("held", ["read", "write"], indirect=True)
def test_a_store_in_use_is_waited_for_and_then_named(path: Path, held: subprocess.Popen[str]) -> None:
    holder = rf"in use by another program \(process {held.pid}, `.*python.*`\) for 0 s"
    with pytest.raises(InUseError, match=holder) as told:
        StoreRecorder(path, patience=0.2).begin(run("later"))
    assert told.value.mend == Mend.FREE_STORE
    threading.Timer(0.5, let_go, [held]).start()
    StoreRecorder(path).begin(run("later"))
    assert {row.run for row in Results(path).runs().rows} == {"run1", "later"}


_TURN = """
import sys, pathlib
from store.file.database import writing
with writing(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_a_program_that_takes_turns_need_not_be_closed(path: Path) -> None:
    StoreRecorder(path).begin(run())
    command = [sys.executable, "-c", _TURN, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(InUseError, match=rf"\(process {holder.pid}, ") as told:
            Results(path, patience=0.2).runs()
        assert told.value.mend == Mend.WAIT_FOR_TURN
        let_go(holder)
    assert len(Results(path).runs().rows) == 1


@pytest.mark.parametrize("held", ["read"], indirect=True)
def test_readers_do_not_wait_for_each_other(path: Path, held: subprocess.Popen[str]) -> None:
    assert len(Results(path, patience=0).runs().rows) == 1
    assert held.poll() is None


@pytest.mark.slow
def test_one_process_may_read_in_one_thread_while_another_writes(path: Path) -> None:
    asked = assignment(documents(range(20)), [()])
    recorder = keep(path, asked, [])

    def write() -> None:
        for document in asked.documents:
            recorder.record("run1", asked, [outcome(document.key)])

    thread = threading.Thread(target=write)
    thread.start()
    counts = [len(Results(path).outcomes().rows)]
    while thread.is_alive():
        counts.append(len(Results(path).outcomes().rows))
        time.sleep(0.05)
    thread.join()
    assert counts == sorted(counts)
    assert len(Results(path).outcomes().rows) == 20


@pytest.mark.slow
@pytest.mark.parametrize("held", ["write"], indirect=True)
@pytest.mark.parametrize("use", ["read", "write"])
def test_a_long_wait_is_told_once_with_the_holder(path: Path, held: subprocess.Popen[str], use: str) -> None:
    heard: list[str] = []
    threading.Timer(4, let_go, [held]).start()
    if use == "read":
        assert len(Results(path, patience=60, on_wait=heard.append).runs().rows) == 1
    else:
        StoreRecorder(path, patience=60, on_wait=heard.append).begin(run("later"))
    (sentence,) = heard
    assert f"process {held.pid}" in sentence
    assert "60 s at most" in sentence


@pytest.mark.parametrize("held", ["write"], indirect=True)
def test_no_patience_is_no_wait(path: Path, held: subprocess.Popen[str]) -> None:
    heard: list[str] = []
    with pytest.raises(InUseError, match=r"in use by another program \(process [0-9]+, `[^`]*`\)$"):
        StoreRecorder(path, patience=0, on_wait=heard.append).begin(run("later"))
    assert heard == []


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CornerstoneError, match="cannot create the folder"):
        StoreRecorder(tmp_path / "file" / "results.duckdb").begin(run())


def test_the_default_store_is_in_the_users_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_path().name == "results.duckdb"
    assert default_path().parent.name == "cornerstone"
    assert not default_path().parent.exists()
