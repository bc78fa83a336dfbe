"""`cornerstone run` and the evaluator where the store cannot be written: nothing is lost, and it is said."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.evaluator.protocol import Jobs, Refusal
from core.recording.orphans import waiting_spools
from core.recording.spool_folder import spools_of
from core.removal_path.request import PathRequest
from store.results import Results
from tests.support.evaluator_process import Evaluator, config_of, start, talk
from tests.support.programs import MAIN, Program, cornerstone
from tests.support.store_holder import holder
from tests.support.tiny_disk import TinyDisk, tiny_disk
from tui.commands.destination import TABLE, Destination
from tui.commands.path import FILES, PathFiles

PATIENCE_S = 240.0
TASKS = ("agreement", "capitals", "categories", "opposites")
LIMIT = 40
WINDOWS = 1 + 8 + 7 + 6 + 5
ROOM = int(3.1 * 2**20)
"""A new store fits into so many bytes, and few outcomes."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[TinyDisk]:
    with tiny_disk(tmp_path / "disk") as one:
        yield one


def run_arguments(model: Path, store: Path, *tasks: str) -> list[str]:
    named = [part for task in tasks or TASKS for part in ("--task", task)]
    return ["run", "--model", str(model), *named, "--limit", str(LIMIT), "--schedule", "windows", "--store", str(store)]


def impatient(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Do what the command line would do, but without waiting for the store at the end."""
    program = Program(["-m", "tui.worker", *arguments, "0"])
    try:
        return program.wait(PATIENCE_S)
    finally:
        program.end()


def until(true: Callable[[], object], program: Program) -> None:
    """Wait until something is true, while a program runs."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert program.runs() or true(), program.wait()
        assert time.monotonic() < deadline, program.said()
        time.sleep(0.05)


def stored(store: Path) -> int:
    """Return the number of stored outcomes; each is stored once."""
    rows = Results(store).outcomes().rows
    assert len({(row.task_id, row.doc_id, row.removed) for row in rows}) == len(rows)
    return len(rows)


def waiting(store: Path) -> int:
    return sum(spool.outcomes for spool in waiting_spools(store))


def test_a_run_on_a_full_disk_says_so_once_goes_on_and_exits_with_1_and_the_next_stores_all(
    disk: TinyDisk, tiny_model_folder: Path
) -> None:
    store = disk.folder / "s.duckdb"
    disk.fill(ROOM)
    config = config_of(tiny_model_folder, *TASKS, limit=LIMIT, schedule=("windows",), store=store)
    done = impatient("run", config.model_dump_json(), "test")
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    said = done.stderr.splitlines()
    assert len([line for line in said if "No space left" in line and "tried again every second" in line]) == 1
    assert "wait in" in said[-1]
    assert "the next run on this store stores them" in said[-1]
    waits = waiting(store)
    assert f"{waits} outcomes wait" in said[-1]
    assert waits > 0
    assert f"of this run wait for the store {store}" in done.stderr
    disk.free()
    again = cornerstone(*run_arguments(tiny_model_folder, store))
    assert again.returncode == 0, again.stderr
    assert f"{waits} outcomes that an earlier run left" in again.stderr
    assert (stored(store), waiting(store)) == (len(TASKS) * LIMIT * WINDOWS, 0)
    first, second = sorted(Results(store).runs().rows, key=lambda row: row.outcomes)
    assert (first.outcomes, second.outcomes) == (0, len(TASKS) * LIMIT * WINDOWS), "nothing was evaluated again"


@pytest.mark.slow
def test_a_path_on_a_full_disk_is_found_and_printed_and_exits_with_1(disk: TinyDisk, tiny_model_folder: Path) -> None:
    store = disk.folder / "s.duckdb"
    disk.fill(ROOM)
    config = config_of(tiny_model_folder, limit=LIMIT, store=store)
    files = PathFiles(Destination(TABLE, None, force=False), None)
    request = PathRequest(steps=3, held_out=False)
    parts = (config.model_dump_json(), request.model_dump_json(), FILES.dump_json(files).decode(), "test")
    done = impatient("path", *parts)
    assert done.returncode == 1, done.stderr
    assert "Removal path of tiny-llama" in done.stdout
    waits = waiting(store)
    assert f"{waits} outcomes wait in" in done.stderr.splitlines()[-1]
    disk.free()
    again = impatient("path", *parts)
    assert (again.returncode, again.stdout) == (0, done.stdout), again.stderr
    assert stored(store) == waits == LIMIT * (1 + 8 + 7 + 6)


@pytest.mark.slow
def test_room_that_is_made_during_a_run_is_used_and_that_is_said(disk: TinyDisk, tiny_model_folder: Path) -> None:
    store = disk.folder / "s.duckdb"
    disk.fill(ROOM)
    program = Program([*MAIN, *run_arguments(tiny_model_folder, store)])
    try:
        until(lambda: spools_of(store), program)
        disk.free()
        done = program.wait(PATIENCE_S)
    finally:
        program.end()
    assert done.returncode == 0, done.stderr
    assert "is written again" in done.stderr
    assert done.stdout.count("Top 3 by Shapley share") == len(TASKS)
    assert (stored(store), waiting(store)) == (len(TASKS) * LIMIT * WINDOWS, 0)


@pytest.mark.slow
def test_a_killed_run_leaves_its_spool_to_the_next(disk: TinyDisk, tiny_model_folder: Path) -> None:
    store = disk.folder / "s.duckdb"
    disk.fill(ROOM)
    program = Program([*MAIN, *run_arguments(tiny_model_folder, store)])
    try:
        until(lambda: waiting(store), program)
        program.signal(signal.SIGKILL)
        program.wait(PATIENCE_S)
    finally:
        program.end()
    safe = waiting(store)
    disk.free()
    again = cornerstone(*run_arguments(tiny_model_folder, store))
    assert f"{safe} outcomes that an earlier run left" in again.stderr
    assert (stored(store), waiting(store)) == (len(TASKS) * LIMIT * WINDOWS, 0)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_run_keeps_what_waits(number: signal.Signals, disk: TinyDisk, tiny_model_folder: Path) -> None:
    store = disk.folder / "s.duckdb"
    disk.fill(ROOM)
    program = Program([*MAIN, *run_arguments(tiny_model_folder, store)])
    try:
        until(lambda: waiting(store), program)
        program.signal(number)
        done = program.wait(PATIENCE_S)
    finally:
        program.end()
    assert done.returncode == 128 + number, done.stderr
    assert f"{waiting(store)} outcomes wait in" in done.stderr
    disk.free()
    again = cornerstone(*run_arguments(tiny_model_folder, store))
    assert again.returncode == 0, again.stderr
    assert (stored(store), waiting(store)) == (len(TASKS) * LIMIT * WINDOWS, 0)


@pytest.mark.slow
def test_a_run_whose_store_is_removed_goes_on_in_a_new_one(tiny_model_folder: Path, tmp_path: Path) -> None:
    store = tmp_path / "s.duckdb"
    with holder() as one:
        program = Program([*MAIN, *run_arguments(tiny_model_folder, store)])
        try:
            until(lambda: store.exists() and sum(row.outcomes for row in Results(store).runs().rows), program)
            one.hold(store)  # so that it is not removed in the middle of a write
            store.unlink()
            one.release()
            done = program.wait(PATIENCE_S)
        finally:
            program.end()
    assert done.returncode == 0, done.stderr
    assert "was removed or replaced" in done.stderr
    (run,) = Results(store).runs().rows
    assert (run.state, run.outcomes) == ("finished", stored(store))
    assert run.outcomes >= (len(TASKS) - 1) * LIMIT * WINDOWS


@pytest.fixture
def evaluator(disk: TinyDisk) -> Iterator[Evaluator]:
    one = Evaluator(disk.folder / "s.duckdb")
    yield one
    one.end()


@pytest.mark.slow
async def test_an_evaluator_on_a_full_disk_loses_no_outcome_and_no_job(
    disk: TinyDisk, evaluator: Evaluator, tiny_model_folder: Path
) -> None:
    disk.fill(ROOM)
    config = config_of(tiny_model_folder, *TASKS, limit=LIMIT, schedule=("windows",))
    async with talk(evaluator.store, evaluator) as one:
        await one.ask(start(config))
        refusal = await one.expect(Refusal, lambda refusal: bool(refusal.text))
        assert "No space left" in refusal.text
        await one.job(1, "finished")
        await one.ask(start(config_of(tiny_model_folder, limit=LIMIT + 3)))
        await one.job(2, "finished")
        disk.free()
        await one.expect(Jobs, lambda jobs: jobs.unsaved == 0)
        await one.ask(start(config_of(tiny_model_folder, limit=LIMIT + 5)))
        await one.job(3, "finished")
        await one.expect(Jobs, lambda jobs: jobs.unsaved == 0)
    assert stored(evaluator.store) == len(TASKS) * LIMIT * WINDOWS + 5 * 9


@pytest.mark.slow
async def test_where_spool_and_store_are_full_the_evaluator_pauses_and_goes_on_when_there_is_room(
    disk: TinyDisk, tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(disk.folder / "state"))
    evaluator = Evaluator(disk.folder / "s.duckdb")
    config = config_of(tiny_model_folder, *TASKS, limit=LIMIT, schedule=("windows",))
    try:
        async with talk(evaluator.store, evaluator) as one:
            await one.ask(start(config_of(tiny_model_folder, limit=4)))
            await one.job(1, "finished")
            await one.expect(Jobs, lambda jobs: jobs.unsaved == 0)
            disk.fill()
            await one.ask(start(config))
            await one.expect(Refusal, lambda refusal: "evaluation pauses" in refusal.text)
            before = (await one.expect(Jobs)).jobs[1]
            after = before
            for _ in range(3):
                after = (await one.expect(Jobs)).jobs[1]
            assert after.done == before.done < before.total
            disk.free()
            await one.job(2, "finished")
            await one.expect(Jobs, lambda jobs: jobs.unsaved == 0)
        assert stored(evaluator.store) == len(TASKS) * LIMIT * WINDOWS
        assert spools_of(evaluator.store) == []
    finally:
        evaluator.end()
