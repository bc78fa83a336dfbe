"""A store is made whole, and what is left of one that was not is replaced; files of others never are."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from core.errors import CornerstoneError, InUseError, Mend
from store.file import making
from store.file.database import refuse_unusable
from store.file.location import default_path
from store.recorder import StoreRecorder
from store.results import Results
from tests.support.store_records import assignment, documents, keep, outcome, run


def _headers(tmp_path: Path) -> bytes:
    """Return the headers of a new DuckDB file, as a program leaves them that is killed at once."""
    other = tmp_path / "other.duckdb"
    program = "import duckdb, os, sys; duckdb.connect(sys.argv[1]); os._exit(1)"
    subprocess.run([sys.executable, "-c", program, str(other)], check=False)
    return other.read_bytes()


@pytest.mark.parametrize("size", [0, 12, 100, 4096, 5000, 8192, 9000, 12287, 12288])
@pytest.mark.parametrize("made", ["now", "tomorrow"])
def test_a_stub_holds_no_results_and_is_replaced(tmp_path: Path, path: Path, size: int, made: str) -> None:
    stub = _headers(tmp_path)[:size]
    path.write_bytes(stub)
    if made == "tomorrow":
        os.utime(path, (time.time() + 86400,) * 2)
    asked = assignment(documents([0]), [()])
    with pytest.raises(CornerstoneError, match=r"no results at .* yet$") as refused:
        Results(path, patience=600).runs()
    assert refused.value.mend == Mend.MAKE_RESULTS
    assert StoreRecorder(path, patience=600).stored(asked) == {}
    assert path.read_bytes() == stub
    keep(path, asked, [outcome("doc-0")])
    assert len(Results(path).outcomes().rows) == 1


def test_a_stub_of_zeros_is_replaced(path: Path) -> None:
    path.write_bytes(bytes(8192))
    StoreRecorder(path).begin(run())
    assert [row.run for row in Results(path).runs().rows] == ["run1"]


@pytest.mark.parametrize("size", [5000, 8192, 12287])
def test_a_store_that_was_cut_off_within_its_headers_is_no_stub(path: Path, size: int) -> None:
    keep(path, assignment(documents([0]), [()]), [outcome("doc-0")])
    cut = path.read_bytes()[:size]
    path.write_bytes(cut)
    for use in (Results(path).runs, lambda: StoreRecorder(path).begin(run("later"))):
        with pytest.raises(CornerstoneError, match="is damaged") as refused:
            use()
        assert refused.value.mend == Mend.SALVAGE_STORE
    assert path.read_bytes() == cut


def test_a_stub_with_a_log_is_kept_because_the_log_may_hold_results(path: Path) -> None:
    path.write_bytes(b"")
    log = path.with_name(path.name + ".wal")
    log.write_bytes(b"something")
    for use in (Results(path).runs, lambda: StoreRecorder(path).begin(run())):
        with pytest.raises(CornerstoneError):
            use()
    assert (path.read_bytes(), log.read_bytes()) == (b"", b"something")


def test_a_log_that_a_removed_store_left_behind_is_set_aside(path: Path) -> None:
    log = path.with_name(path.name + ".wal")
    log.write_bytes(b"something")
    StoreRecorder(path).begin(run())
    assert [row.run for row in Results(path).runs().rows] == ["run1"]
    assert path.with_name(path.name + ".wal.left").read_bytes() == b"something"


def test_a_stub_that_another_program_holds_is_waited_for(path: Path) -> None:
    path.write_bytes(b"")
    program = """
import fcntl, sys
file = open(sys.argv[1], "r+b")
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(InUseError, match=f"process {holder.pid}"):
            StoreRecorder(path, patience=0.3).begin(run())
        assert path.read_bytes() == b""
        holder.communicate()
    StoreRecorder(path).begin(run())
    assert [row.run for row in Results(path).runs().rows] == ["run1"]


@pytest.mark.parametrize(
    "statement",
    ["CREATE VIEW v AS SELECT 1", "CREATE SEQUENCE s", "CREATE MACRO twice(x) AS 2 * x", "CREATE SCHEMA mine",
     "CREATE TYPE mood AS ENUM ('good')", "CREATE TABLE t (x INTEGER)"],
)  # fmt: skip
def test_a_database_of_somebody_else_is_refused_and_left_alone(path: Path, statement: str) -> None:
    with duckdb.connect(str(path)) as db:
        db.execute(statement)
    before = path.read_bytes()
    for use in (Results(path).runs, lambda: StoreRecorder(path).begin(run())):
        with pytest.raises(CornerstoneError, match=r"no store of this program$") as refused:
            use()
        assert refused.value.mend == Mend.OTHER_STORE
    assert path.read_bytes() == before


def test_a_store_that_another_process_makes_meanwhile_stays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def late(fresh: Path, place: Path) -> None:
        monkeypatch.setattr(os, "link", link)
        StoreRecorder(place.with_name("theirs")).begin(run("theirs"))
        place.with_name("theirs").rename(place)
        link(fresh, place)

    monkeypatch.setattr(os, "link", late)
    StoreRecorder(path).begin(run("mine"))
    assert {row.run for row in Results(path).runs().rows} == {"theirs", "mine"}


def test_a_file_system_without_links_has_stores_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_fresh: Path, _place: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(making.os, "link", refuse)
    StoreRecorder(path).begin(run())
    assert [row.run for row in Results(path).runs().rows] == ["run1"]


def test_a_kill_while_a_store_is_made_leaves_nothing_that_stays(path: Path) -> None:
    program = """
import os, sys, pathlib
from store.file import making
from store.file.database import refuse_unusable
from store.file.location import default_path
making._put = lambda fresh, place: os._exit(9)
from store.file.database import writing
with writing(pathlib.Path(sys.argv[1])):
    pass
"""
    ended = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert ended.returncode == 9
    assert not path.exists()
    assert len(os.listdir(path.parent)) == 1
    StoreRecorder(path).begin(run())
    assert os.listdir(path.parent) == [path.name]


def test_a_disk_that_is_full_leaves_no_stub(path: Path) -> None:
    """The size of files is bounded instead, which fails in the same place."""
    program = """
import pathlib, resource, signal, sys
from core.errors import CornerstoneError
from store.file.database import writing
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for size in (0, 100, 4096, 10000, 12288, 13000, 200000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        with writing(pathlib.Path(sys.argv[1])):
            pass
    except CornerstoneError as error:
        print(error)
"""
    ended = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    sentences = ended.stdout.splitlines()
    assert len(sentences) == 7, ended.stderr
    assert all(sentence.startswith("cannot make the store") for sentence in sentences)
    assert os.listdir(path.parent) == []
    StoreRecorder(path).begin(run())
    assert [row.run for row in Results(path).runs().rows] == ["run1"]


def test_one_missing_folder_is_made_and_no_more(tmp_path: Path) -> None:
    StoreRecorder(tmp_path / "one" / "s.duckdb").begin(run())
    slip = tmp_path / "two" / "levels" / "s.duckdb"
    for use in (StoreRecorder(slip).begin, lambda _: refuse_unusable(slip)):
        with pytest.raises(CornerstoneError, match=f"there is no folder {tmp_path / 'two'}$") as refused:
            use(run())
        assert refused.value.mend == Mend.OTHER_STORE
    assert os.listdir(tmp_path) == ["one"]


def test_the_folders_of_the_default_store_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "new" / "home" / "data"))
    refuse_unusable(default_path())
    StoreRecorder(default_path()).begin(run())
    assert default_path().is_file()


def test_a_link_to_a_missing_folder_is_refused_at_once(tmp_path: Path, path: Path) -> None:
    path.symlink_to(tmp_path / "two" / "levels" / "s.duckdb")
    for use in (StoreRecorder(path, patience=600).begin, lambda _: refuse_unusable(path)):
        with pytest.raises(CornerstoneError, match="there is no folder"):
            use(run())


@pytest.mark.parametrize("folder", ["/proc", "/sys"])
def test_a_folder_in_which_nobody_may_make_a_file_is_refused_at_once(folder: str) -> None:
    if not Path(folder).is_dir():
        pytest.skip(f"this system has no {folder}")
    path = Path(folder, "results.duckdb")
    with pytest.raises(CornerstoneError, match=f"no file can be made in the folder {folder}"):
        refuse_unusable(path)
    with pytest.raises(CornerstoneError, match=f"{folder}.*") as refused:
        StoreRecorder(path, patience=600).begin(run())
    assert not isinstance(refused.value, InUseError)


def test_a_new_store_has_the_rights_that_the_user_gives_new_files(path: Path) -> None:
    path.with_name("plain").write_text("")
    StoreRecorder(path).begin(run())
    assert path.stat().st_mode == path.with_name("plain").stat().st_mode
