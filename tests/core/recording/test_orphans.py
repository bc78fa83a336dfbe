"""What a process left in its spool is stored by the next one: all of it, once, and damage is told."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from core.coalitions.schedules import windows
from core.errors import CornerstoneError
from core.recording.frames import framed
from core.recording.orphans import Recovered, damaged_spools, recover, waiting_spools
from core.recording.spool import Spool
from core.recording.spool_folder import spool_folder
from core.recording.writes import Assign, Begin, Finish, Record, Write
from core.records.records import RunRecord
from store.file.database import writing
from store.recorder import StoreRecorder
from store.results import Results
from tests.support.store_records import PLAYERS, assignment, documents, outcome, run

asked = assignment(documents(range(4)), windows(PLAYERS, 2))
CHUNK = len(asked.coalitions)


def writes() -> list[Write]:
    chunks = [[outcome(document.key, removed) for removed in asked.coalitions] for document in asked.documents]
    return [Begin(run()), Assign("run1", asked), *(Record("run1", asked, chunk) for chunk in chunks)]


def run_of(run_id: str) -> RunRecord | None:
    return run(run_id)


def left_behind(store: Path, *more: Write) -> Path:
    """Leave a spool of a whole run, as a killed process does; return its file."""
    spool = Spool(store)
    for write in (*writes(), *more):  # each in an append of its own
        spool.append([write], run_of)
    path = spool.place
    spool.release()
    return path


def recovered(store: Path) -> list[Recovered]:
    return list(recover(store, StoreRecorder(store, patience=5)))


def outcomes(store: Path) -> int:
    return sum(row.outcomes for row in Results(store).runs().rows)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "s.duckdb"


def test_what_was_left_behind_is_stored_and_the_spool_removed(store: Path) -> None:
    path = left_behind(store, Finish("run1", "stopped"))
    (waits,) = waiting_spools(store)
    assert (waits.path, waits.outcomes, waits.damaged, waits.written) == (path, 4 * CHUNK, 0, False)
    (found,) = recovered(store)
    assert found == Recovered(path, 4 * CHUNK, 0, False, None)
    assert f"{4 * CHUNK} outcomes" in found.sentence
    (row,) = Results(store).runs().rows
    assert (row.outcomes, row.state) == (4 * CHUNK, "stopped")
    assert (waiting_spools(store), recovered(store)) == ((), [])
    assert not path.exists()


def test_numbers_come_back_as_they_were(store: Path) -> None:
    first = outcome("doc-0", (), 1 / 3, logprobs=(-0.1, -2.25, -1e-300, float("-inf")))
    direct = store.with_name("direct.duckdb")
    for write in (*writes()[:2], Record("run1", asked, [first])):
        write.apply(StoreRecorder(direct))
    spool = Spool(store)
    spool.append([*writes()[:2], Record("run1", asked, [first])], run_of)
    spool.release()
    recovered(store)
    assert Results(store).outcomes().rows == Results(direct).outcomes().rows


def test_the_same_spool_twice_adds_nothing(store: Path) -> None:
    path = left_behind(store)
    content = path.read_bytes()
    recovered(store)
    path.write_bytes(content)
    (found,) = recovered(store)
    assert found.outcomes == 4 * CHUNK
    assert outcomes(store) == len(Results(store).outcomes().rows) == 4 * CHUNK
    with Results(store).opened() as db:
        assert db.execute("SELECT count(*) FROM assignments").fetchone() == (1,)


def test_outcomes_alone_bring_the_run_and_the_documents_that_the_store_lacks(store: Path) -> None:
    spool = Spool(store)
    spool.append([writes()[3]], run_of)  # begun and assigned in a store that was then removed
    spool.release()
    assert [found.outcomes for found in recovered(store)] == [CHUNK]
    assert outcomes(store) == CHUNK


def test_one_that_is_still_written_is_left_alone_and_one_of_a_killed_writer_is_taken(store: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from core.recording.spool import Spool
from tests.core.recording.test_orphans import run_of, writes
Spool(Path(sys.argv[1])).append(writes(), run_of)
print("written", flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", script, str(store)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
        assert [(waits.written, waits.outcomes) for waits in waiting_spools(store)] == [(True, 4 * CHUNK)]
        assert recovered(store) == []
        writer.kill()
    assert [found.outcomes for found in recovered(store)] == [4 * CHUNK]


def test_a_cut_in_the_last_record_is_told_and_the_rest_is_stored(store: Path) -> None:
    path = left_behind(store)
    os.truncate(path, path.stat().st_size - 30)
    (found,) = recovered(store)
    assert (found.outcomes, found.damaged, found.unfinished, found.aside) == (3 * CHUNK, 0, True, None)
    assert "cut off" in found.sentence
    assert outcomes(store) == 3 * CHUNK


@pytest.mark.slow
def test_a_flipped_byte_anywhere_is_named_and_kept_aside_and_the_rest_is_stored(store: Path) -> None:
    whole = left_behind(store).read_bytes()
    waiting_spools(store)[0].path.unlink()
    stored = []
    for number, at in enumerate(range(7, len(whole), len(whole) // 12)):
        one = store.with_name(f"{number}.duckdb")
        with writing(one):
            pass
        path = left_behind(one)
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        (found,) = recovered(one)
        assert found.damaged > 0, at
        assert str(found.aside) in found.sentence
        assert damaged_spools(one) == (found.aside,)
        assert found.aside is not None
        assert found.aside.read_bytes()[at] == whole[at] ^ 4
        assert waiting_spools(one) == ()
        assert outcomes(one) == found.outcomes
        stored.append(found.outcomes)
    assert sorted(set(stored)) == [0, 3 * CHUNK], "a chunk is lost, or all where it is the run or its documents"


@pytest.mark.parametrize(
    "entry",
    [
        b"[1, 2]",
        b'{"kind":"drop","run":"run1"}',
        b'{"kind":"finish","run":"run1","state":"lost"}',
        b'{"kind":"finish","run":"run1","state":"stopped","more":1}',
        b'{"kind":"assign","run":"run1","documents":0,"coalitions":[[-1]]}',
        b'{"kind":"record","run":"run1","documents":7,"outcomes":[]}',
        b'{"kind":"record","run":"run1","documents":0,"outcomes":[{"document":"other","removed":[],"logprobs":[],'
        b'"is_greedy":[],"metrics":{},"other":{}}]}',
        b"[" * 100_000,
    ],
)
def test_an_entry_that_no_writer_makes_is_refused(store: Path, entry: bytes) -> None:
    path = left_behind(store)
    path.write_bytes(path.read_bytes() + framed(entry))
    (found,) = recovered(store)
    assert (found.outcomes, found.damaged) == (4 * CHUNK, 1)
    assert found.aside is not None


def test_a_store_that_refuses_leaves_the_spool_for_later(store: Path) -> None:
    path = left_behind(store)
    store.write_text("no store")
    with pytest.raises(CornerstoneError):
        recovered(store)
    assert path.exists()
    store.unlink()
    assert [found.outcomes for found in recovered(store)] == [4 * CHUNK]


def test_spools_are_of_one_store_and_for_their_user_alone(store: Path, tmp_path: Path) -> None:
    path = left_behind(store)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert waiting_spools(tmp_path / "other.duckdb") == ()
    link = tmp_path / "link.duckdb"
    link.symlink_to(store)
    assert [waits.path for waits in waiting_spools(link)] == [path]


def test_a_link_or_a_pipe_in_the_folder_is_no_spool(store: Path, tmp_path: Path) -> None:
    path = left_behind(store)
    target = path.rename(tmp_path / "elsewhere")
    path.symlink_to(target)
    os.mkfifo(path.with_name(path.name.replace(".spool", "0.spool")))
    assert waiting_spools(store) == ()
    assert recovered(store) == []


def test_a_folder_that_others_may_enter_is_not_used(store: Path) -> None:
    spool_folder().mkdir(parents=True)
    spool_folder().chmod(0o755)
    with pytest.raises(OSError, match="yours alone"):
        Spool(store).append(writes(), run_of)


def test_a_spool_that_somebody_removes_is_made_anew_with_all_that_it_had(store: Path) -> None:
    spool = Spool(store)
    spool.append(writes()[:4], run_of)
    spool.place.unlink()
    spool.append(writes()[4:], run_of)
    spool.release()
    assert [found.outcomes for found in recovered(store)] == [4 * CHUNK]


@pytest.mark.slow
def test_what_was_called_safe_survives_a_kill_at_any_time_while_the_store_refuses(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.support.killed_recorder", str(tmp_path), "12", "1"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[3], check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["kills"] == 12
    assert found["safe"] > 0
    assert (found["lost"], found["twice"]) == (0, 0)
