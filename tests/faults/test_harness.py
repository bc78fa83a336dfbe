"""The harness itself: it sees what is lost, twice, changed or unsaid, and goes on where it was stopped."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from store.recorder import StoreRecorder
from tests.faults import runner, watched
from tests.faults.aftermath import check_completed, check_now
from tests.faults.endings import ended_well, refused
from tests.faults.home import Home, content_of, differences
from tests.faults.journal import Journal
from tests.faults.runner import Asked
from tests.faults.setting import Setting
from tests.faults.stored import values_of
from tests.faults.verdict import Case, Findings, Verdict
from tests.faults.work import work
from tests.support.store_records import run

_DONE: subprocess.CompletedProcess[str] = subprocess.CompletedProcess([], 0, "", "")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "s.duckdb"
    recorder, to_do = StoreRecorder(path), work(1, documents=2)
    recorder.begin(run())
    recorder.assign("run1", to_do.assignment)
    recorder.record("run1", to_do.assignment, list(to_do.first(99).values()))
    return path


def _found(store: Path) -> Verdict:
    findings = Findings("a fault")
    expected = values_of(work(1, documents=2).outcomes)
    check_now(findings, store, expected)
    check_completed(findings, store, lambda: _DONE, expected)
    return findings.verdict()


def _change(store: Path, statement: str) -> None:
    with duckdb.connect(str(store)) as db:
        db.execute(statement)


def test_a_store_that_is_whole_holds(store: Path) -> None:
    assert _found(store).held


def test_a_lost_outcome_is_counted_once(store: Path) -> None:
    _change(store, "DELETE FROM outcomes WHERE rowid = 0")
    assert (_found(store).lost, _found(store).held) == (1, False)


def test_an_outcome_that_is_there_twice_is_counted(store: Path) -> None:
    _change(store, "INSERT INTO outcomes SELECT * FROM outcomes LIMIT 1")
    assert (_found(store).duplicated, _found(store).held) == (1, False)


def test_a_changed_number_is_seen(store: Path) -> None:
    _change(store, "UPDATE outcomes SET acc = 1 - acc WHERE rowid = 0")
    assert _found(store).wrong == ("1 outcomes have other numbers than those of an undisturbed run",)


def test_an_outcome_of_another_model_is_seen(store: Path) -> None:
    _change(store, "UPDATE models SET fingerprint = 'other'")
    assert any("does not have" in what for what in _found(store).wrong)


def test_a_store_that_cannot_be_read_is_lost(store: Path) -> None:
    store.write_bytes(b"rubbish" * 2000)
    assert _found(store).lost == len(work(1, documents=2).outcomes)


@pytest.mark.parametrize(
    ("code", "stdout", "stderr"),
    [
        (1, "", "cornerstone: the store is damaged\n"),
        (2, "", ""),
        (2, "", "the store is damaged\n"),
        (2, "", "cornerstone: \n"),
        (2, "a table\n", "cornerstone: the store is damaged\n"),
        (2, "", "Traceback (most recent call last):\ncornerstone: the store is damaged\n"),
        (2, "", "cornerstone: the store is damaged\ncornerstone: and another thing\n"),
        (2, "", "cornerstone: the store \x1b[31m is damaged\n"),
        (2, "", "cornerstone: " + "x" * 5000 + "\n"),
        (-9, "", "cornerstone: the store is damaged\n"),
    ],
)
def test_what_is_not_one_sentence_is_seen(code: int, stdout: str, stderr: str) -> None:
    assert refused(subprocess.CompletedProcess([], code, stdout, stderr)) is not None


def test_one_sentence_after_narration_is_fine() -> None:
    said = subprocess.CompletedProcess([], 2, "", "getting ready (about 10 s)\ncornerstone: the store is damaged\n")
    assert refused(said) is None
    assert ended_well(said, 2) is None
    assert ended_well(said) is not None


def test_what_a_program_makes_changes_or_removes_is_seen(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_text(name)
    before = content_of(tmp_path)
    (tmp_path / "a").write_text("c")
    (tmp_path / "b").unlink()
    (tmp_path / "c").symlink_to("a")
    assert differences(before, content_of(tmp_path)) == ["c was made", "b is gone", "a was changed"]


@pytest.mark.parametrize(
    ("bound", "value", "code"),
    [("MOST_S", 0.3, "while True: pass"), ("_MOST_BYTES", 10**8, "import time; x = b'1' * 10**9; time.sleep(60)")],
)
def test_a_program_that_takes_too_much_is_ended(
    bound: str, value: float, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, bound, value)
    done = watched.watched(["-c", code], Home.made(tmp_path), {}, whole=True)
    assert (done.problem or "").startswith("more than")
    assert done.ended.returncode == -9


def test_a_run_that_was_stopped_goes_on_and_a_torn_line_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[str] = []

    def tried(name: str) -> Verdict:
        ran.append(name)
        return Verdict("fault", lost=name == "b")

    def part(_: Setting) -> Iterator[Case]:
        for name in "abc":
            yield Case(name, lambda folder, name=name: tried(name))  # type: ignore[misc]

    monkeypatch.setitem(runner.PARTS, "made up", part)
    monkeypatch.setattr(Setting, "home", "a home")
    monkeypatch.setattr(runner, "end_fork_server", lambda: None)
    setting = Setting(tmp_path)
    assert runner.run(setting, Asked("made up", jobs=1)) == 1
    assert "make faults PART=made up SEED=0 CASE='b'" in capsys.readouterr().out
    journal = tmp_path / "journals" / "made up-0.jsonl"
    journal.write_text(journal.read_text()[:-9])
    assert runner.run(setting, Asked("made up", jobs=1)) == 1
    assert ran == ["a", "b", "c", "c"]
    assert len(Journal(journal).verdicts) == 3
    runner.run(setting, Asked("made up", case="b", jobs=1))
    runner.run(setting, Asked("made up", fresh=True, jobs=1))
    assert ran[4:] == ["b", "a", "b", "c"]


def test_a_fault_of_the_harness_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_: Path) -> Verdict:
        raise OSError("no room")

    monkeypatch.setitem(runner.PARTS, "made up", lambda _: iter([Case("one", breaks)]))
    monkeypatch.setattr(Setting, "home", "a home")
    assert not runner.tried("made up", Setting(tmp_path))["one"].held
