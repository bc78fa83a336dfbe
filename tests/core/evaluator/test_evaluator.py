"""A real evaluator on a real socket, store and model: its work goes on when nobody watches, and is kept."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import pytest
from websockets.asyncio.client import unix_connect
from websockets.exceptions import ConnectionClosed

from core.evaluator import client
from core.evaluator.address import lock_path, log_path, socket_path
from core.evaluator.protocol import (
    Cancel,
    Charts,
    Hello,
    Jobs,
    Narration,
    Open,
    Opened,
    Pause,
    Refusal,
    Resume,
    Scored,
    ShutDown,
    Toggle,
    parse_event,
)
from store.results import Results, Selection
from tests.support.evaluator_process import PATIENCE_S, Evaluator, Talk, config_of, start, talk
from tests.support.programs import REPOSITORY, Program
from tests.support.store_holder import held

TASKS = ("agreement", "capitals", "categories", "opposites")
DOCUMENTS = 120
ABLATION, WINDOWS = 9, 27


def evaluators() -> Iterator[Callable[..., Evaluator]]:
    started: list[Evaluator] = []

    def begin(store: Path, **more: tuple[str, ...]) -> Evaluator:
        started.append(Evaluator(store, **more))
        return started[-1]

    yield begin
    for one in started:
        one.end()


begin = pytest.fixture(evaluators)
begin_shared = pytest.fixture(evaluators, scope="module")


@pytest.fixture(scope="module")
def shared(begin_shared: Callable[[Path], Evaluator], tmp_path_factory: pytest.TempPathFactory) -> Evaluator:
    """One evaluator for all tests that leave it as they found it: alive, with nothing to do."""
    return begin_shared(tmp_path_factory.mktemp("shared") / "s.duckdb")


@pytest.fixture
async def here(shared: Evaluator) -> AsyncIterator[Talk]:
    async with talk(shared.store, shared) as one:
        await one.settled()
        yield one


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "s.duckdb"


def recorded(store: Path) -> int:
    """Return the number of outcomes of all runs, 0 while there is none."""
    return sum(run.outcomes for run in Results(store).runs().rows)


def scores(store: Path) -> dict[tuple[object, ...], tuple[float, ...]]:
    """Return the numbers of each outcome by task, document and removed set; each is stored once."""
    rows = Results(store).outcomes().rows
    found = {(row.task_id, row.doc_id, row.removed): (row.acc, row.acc_norm, *row.logprobs) for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.mark.slow
async def test_charts_are_what_is_stored(shared: Evaluator, here: Talk, tiny_model_folder: Path) -> None:
    await here.ask(Open(config=config_of(tiny_model_folder)))
    opened = await here.expect(Opened)
    (task,) = opened.tasks
    assert (task.name, task.documents, task.value, task.chance) == ("agreement", 8, "acc", 0.5)
    assert (await here.expect(Charts)).shapley == ()
    number = await here.start(config_of(tiny_model_folder, schedule=("ablation", "windows")))
    job = await here.job(number, "finished")
    assert job.done == job.total == 8 * WINDOWS  # which hold those of the ablation
    await here.expect(Jobs, lambda jobs: jobs.unsaved == 0)
    charts = [event for event in here.heard if isinstance(event, Charts)][-1]
    results, selection = Results(shared.store), Selection(model=opened.model_id, task=task.task_id)
    ablation = results.ablation(selection).rows
    shapley = results.shapley(selection, estimator=charts.estimator).rows
    assert len(ablation) == len(charts.ablation) == len(shapley) == len(charts.shapley) == 8
    for points, rows in ((charts.ablation, ablation), (charts.shapley, shapley)):
        for point, row in zip(points, rows, strict=True):
            assert asdict(point).items() <= asdict(row).items()
    assert charts.intact is not None
    assert charts.intact.acc == ablation[0].intact_acc


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"tasks": ("agrement",)}, "did you mean agreement"),
        ({"model": "./nowhere"}, "no model './nowhere'"),
        ({"device": "cuda:9"}, "no device 'cuda:9'"),
        ({"remove": ("Attn 77",)}, "no layer named 'Attn 77'"),
        ({"tasks": ({"name": "arc_easy", "data": "/nowhere.jsonl"},)}, "cannot read"),
        ({"model": "\0"}, ""),
    ],
)
async def test_what_is_wrong_is_said_and_the_evaluator_lives_on(
    wrong: dict[str, object], reason: str, here: Talk, tiny_model_folder: Path
) -> None:
    good = config_of(tiny_model_folder)
    bad = good.model_validate({**good.model_dump(), **wrong})
    await here.ask(Open(config=bad))
    assert reason in (await here.expect(Refusal)).text
    number = await here.start(bad)
    assert reason in (await here.job(number, "failed")).error
    await here.ask(Open(config=good))
    await here.expect(Opened)
    assert [event.text for event in here.heard if isinstance(event, Narration)][-1] == ""


async def test_what_is_not_understood_is_refused_and_kills_nobody(shared: Evaluator, here: Talk) -> None:
    async with unix_connect(str(socket_path(shared.store)), max_size=None) as socket:
        hello = parse_event(await socket.recv())
        assert isinstance(hello, Hello)
        for garbage in ("", "{", '{"type": "explode"}', "[" * 100_000, b"\xff\x00", '{"type": "toggle"}'):
            await socket.send(garbage)
            refusal = parse_event(await asyncio.wait_for(_of_type(socket, "refusal"), PATIENCE_S))
            assert isinstance(refusal, Refusal)
            assert refusal.text.startswith("not understood")
        with suppress(ConnectionClosed):
            await socket.send(["x" * 2**16] * 17)
        await asyncio.wait_for(socket.wait_closed(), PATIENCE_S)
        assert socket.close_code == 1009
    reader, writer = await asyncio.open_unix_connection(str(socket_path(shared.store)))
    writer.write(os.urandom(4096))
    writer.close()
    del reader
    await here.settled()
    assert shared.runs()


async def _of_type(socket, kind: str) -> str:  # type: ignore[no-untyped-def]
    while f'"type":"{kind}"' not in (text := await socket.recv()):
        pass
    return text


async def test_only_its_owner_may_talk_to_it(shared: Evaluator, here: Talk) -> None:
    mode = socket_path(shared.store).stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600
    assert stat.S_IMODE(socket_path(shared.store).parent.stat().st_mode) == 0o700


async def test_a_second_evaluator_of_a_store_ends_at_once(shared: Evaluator, here: Talk) -> None:
    code, said = Evaluator(shared.store).wait()
    assert code == 0
    assert f"there is an evaluator of {shared.store} already" in said
    await here.settled()


async def test_whoever_comes_later_sees_everything(shared: Evaluator, here: Talk, tiny_model_folder: Path) -> None:
    await here.ask(Open(config=config_of(tiny_model_folder)))
    (task,) = (await here.expect(Opened)).tasks
    number = await here.start(config_of(tiny_model_folder))
    await here.job(number, "finished")
    await here.ask(Toggle(task=task.key, removed=(0, 3)))
    scored = await here.expect(Scored, lambda scored: scored.final)
    await here.ask(Pause(job=99))
    await here.expect(Jobs, lambda jobs: jobs.unsaved == 0)
    async with talk(shared.store) as other:
        assert await other.expect(Scored, lambda scored: scored.task == task.key) == scored
        hello = other.heard[0]
        assert isinstance(hello, Hello)
        assert (hello.busy, hello.pid, hello.store) == (True, shared.pid, str(shared.store))
        for kind in (Jobs, Opened, Charts):
            latest = [event for event in here.heard if isinstance(event, kind)][-1]
            assert latest in other.heard
        # From now on both hear the same.
        await here.ask(Toggle(task=task.key, removed=(5,)))
        assert await other.expect(Scored, lambda scored: scored.final) == await here.expect(
            Scored, lambda scored: scored.final
        )


async def test_a_toggle_comes_before_a_sweep_and_leaves_its_numbers_as_they_were(
    begin: Callable[[Path], Evaluator], store: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    evaluator = begin(store)
    config = config_of(tiny_model_folder, *TASKS, limit=60, schedule=("windows",))
    async with talk(store, evaluator) as one:
        await one.ask(start(config))
        tasks = (await one.expect(Opened)).tasks
        await one.expect(Jobs, lambda jobs: jobs.jobs[0].done > 0)
        for task in tasks:
            await one.ask(Toggle(task=task.key, removed=(0, 7)))
            scored = await one.expect(Scored, lambda scored, key=task.key: scored.task == key)  # type: ignore[misc]
            assert scored.point.removed == (0, 7)
            assert scored.point.drop is not None
            jobs = [event for event in one.heard if isinstance(event, Jobs)][-1]
            assert jobs.jobs[0].state == "running"
            assert jobs.jobs[0].done < jobs.jobs[0].total
        for removed in ((1, 6), (2, 5), (3, 7)):  # the last of a quick series counts
            await one.ask(Toggle(task=tasks[-1].key, removed=removed))
        scored = await one.expect(Scored, lambda scored: scored.final)
        assert (scored.point.removed, scored.point.n) == ((3, 7), 60)
        job = await one.job(1, "finished")
        assert job.done == job.total == len(TASKS) * 60 * WINDOWS
        await one.expect(Jobs, lambda jobs: jobs.unsaved == 0)
    alone = tmp_path / "alone.duckdb"
    text = config.model_copy(update={"store": alone}).model_dump_json()
    run = Program(["-m", "tui.worker", "run", text, "alone", "30"])
    assert run.wait().returncode == 0
    disturbed, expected = scores(store), scores(alone)
    assert len(expected) == len(TASKS) * 60 * WINDOWS
    for key, numbers in expected.items():  # what a toggle has evaluated is packed in other rows: float32 rounds
        assert disturbed[key] == pytest.approx(numbers, rel=1e-4, abs=1e-4)
    runs = {run.command: run for run in Results(store).runs().rows}
    assert runs["test"].state == "finished"


@pytest.mark.slow
async def test_a_job_is_held_goes_on_and_ends_when_told(
    begin: Callable[[Path], Evaluator], store: Path, tiny_model_folder: Path
) -> None:
    evaluator = begin(store)
    async with talk(store, evaluator) as one:
        await one.ask(start(config_of(tiny_model_folder, *TASKS, limit=None, schedule=("windows",))))
        await one.expect(Charts, lambda charts: charts.intact is not None)
        await one.ask(Pause(job=1))
        held_at = await one.job(1, "paused")
        await one.ask(Pause(job=1))
        assert (await one.job(1, "paused")).done == held_at.done
        await one.ask(Resume(job=1))
        await one.expect(Jobs, lambda jobs: jobs.jobs[0].done > held_at.done)
        await one.ask(Pause(job=1))
        await one.job(1, "paused")
        await one.ask(Cancel(job=1))
        await one.job(1, "cancelled")
        await one.expect(Jobs, lambda jobs: jobs.unsaved == 0)
        await one.ask(ShutDown())
        await one.gone()
    assert evaluator.wait()[0] == 0
    (run,) = Results(store).runs().rows
    assert run.state == "cancelled"
    assert 0 < run.outcomes == len(scores(store)) < len(TASKS) * DOCUMENTS * WINDOWS


@pytest.mark.slow
async def test_a_job_goes_on_when_nobody_listens(
    begin: Callable[[Path], Evaluator], store: Path, tiny_model_folder: Path
) -> None:
    evaluator = begin(store)
    config = config_of(tiny_model_folder, limit=None, schedule=("windows",))
    async with talk(store, evaluator) as one:
        await one.ask(start(config))
        await one.expect(Jobs, lambda jobs: jobs.jobs[0].done > 0)
        await one.ask(Pause(job=1))
        before = await one.job(1, "paused")
    async with talk(store, evaluator) as other:
        jobs = await other.expect(Jobs)
        assert jobs.jobs[0].done == before.done
        await other.ask(Resume(job=1))
        await other.expect(Jobs, lambda jobs: jobs.jobs[0].state == "running")
    async with talk(store, evaluator) as third:
        assert (await third.job(1, "finished")).done == DOCUMENTS * WINDOWS
    evaluator.signal(signal.SIGHUP)  # as when its terminal goes
    async with talk(store, evaluator) as fourth:
        await fourth.expect(Jobs)


DOWNLOAD = """
import sys, time
from pathlib import Path
from core.evaluator import open_tasks, service
from store.recorder import StoreRecorder
open_tasks.open_workbench = lambda *_: time.sleep(600)
service._UNRESPONSIVE_S = 0.5
service.serve(Path(sys.argv[1]), StoreRecorder(Path(sys.argv[1])))
"""


async def test_told_to_end_during_a_download_it_does(
    begin: Callable[..., Evaluator], store: Path, tiny_model_folder: Path
) -> None:
    evaluator = begin(store, program=("-c", DOWNLOAD))
    async with talk(store, evaluator) as one:
        await one.ask(Open(config=config_of(tiny_model_folder)))
        await one.expect(Narration)
        await one.ask(ShutDown())
        evaluator.signal(signal.SIGTERM)
        await one.gone()
    assert evaluator.wait() == (1, "ended while a model or a task was being opened\n")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_told_to_end_it_drops_the_chunk_and_leaves_things_tidy(
    number: int, begin: Callable[[Path], Evaluator], store: Path, tiny_model_folder: Path
) -> None:
    evaluator = begin(store)
    async with talk(store, evaluator) as one:
        await one.ask(start(config_of(tiny_model_folder, *TASKS, limit=None, schedule=("windows",))))
        await one.expect(Charts, lambda charts: charts.intact is not None)
        evaluator.signal(number)
        await one.gone()
        assert [event for event in one.heard if isinstance(event, Jobs)][-1].jobs[0].state == "running"
    assert evaluator.wait() == (0, "")
    assert not socket_path(store).exists()
    (run,) = Results(store).runs().rows
    assert run.state == "stopped"
    assert run.finished is not None
    stored = scores(store)
    assert 0 < len(stored) < len(TASKS) * DOCUMENTS * WINDOWS
    by_document: dict[object, int] = {}
    for task, document, _ in stored:
        by_document[task, document] = by_document.get((task, document), 0) + 1
    assert set(by_document.values()) == {WINDOWS}


async def test_killed_it_can_be_started_again_and_does_nothing_twice(
    begin: Callable[[Path], Evaluator], store: Path, tiny_model_folder: Path
) -> None:
    config = config_of(tiny_model_folder, *TASKS, limit=60, schedule=("windows",))
    first = begin(store)
    async with talk(store, first) as one:
        await one.ask(start(config))
        # The chunk in flight is counted as it goes, so that much done may be none of it stored.
        while not (store.exists() and await asyncio.to_thread(recorded, store)):
            await one.expect(Jobs)
        first.signal(signal.SIGKILL)
        await one.gone()
    first.wait()
    assert socket_path(store).exists()
    assert await client.connect(store) is None
    before = scores(store)
    assert 0 < len(before) < len(TASKS) * 60 * WINDOWS
    second = begin(store)
    async with talk(store, second) as one:
        await one.ask(start(config))
        await one.job(1, "finished")
        await one.expect(Jobs, lambda jobs: jobs.unsaved == 0)
    after = scores(store)
    assert len(after) == len(TASKS) * 60 * WINDOWS
    assert before.items() <= after.items()
    again, killed = Results(store).runs().rows
    assert killed.outcomes == len(before)
    assert again.outcomes == len(after) - len(before)


@pytest.mark.slow
async def test_while_another_program_holds_the_store_a_job_goes_on_and_then_all_is_written(
    begin: Callable[[Path], Evaluator], store: Path, tiny_model_folder: Path
) -> None:
    evaluator = begin(store)
    async with talk(store, evaluator) as one:
        await one.ask(Open(config=config_of(tiny_model_folder)))
        await one.expect(Opened)
        await one.ask(start(config_of(tiny_model_folder)))
        await one.job(1, "finished")
        await one.expect(Jobs, lambda jobs: jobs.unsaved == 0)
        with held(store):
            await one.ask(start(config_of(tiny_model_folder, schedule=("windows",))))
            assert "in use" in (await one.expect(Refusal)).text  # before or after the job's end
            told = await one.expect(Jobs, lambda jobs: jobs.jobs[1].state == "finished" and jobs.unsaved > 8 * 9)
            assert (told.jobs[1].done, told.unsaved) == (8 * WINDOWS, 8 * (WINDOWS - 9))
            assert [event for event in one.heard if isinstance(event, Charts)][-1].shapley
        await one.expect(Jobs, lambda jobs: jobs.unsaved == 0)
    assert len(scores(store)) == 8 * WINDOWS


_SERVE = """
import sys
from pathlib import Path
from core.evaluator.service import serve
from store.recorder import StoreRecorder
path = Path(sys.argv[1])
print(serve(path, StoreRecorder(path), idle_s=3))
"""


async def test_with_nothing_to_do_and_nobody_there_it_ends(
    begin: Callable[..., Evaluator], store: Path, tiny_model_folder: Path
) -> None:
    evaluator = begin(store, program=("-c", _SERVE))
    async with talk(store, evaluator) as one:
        await one.ask(Open(config=config_of(tiny_model_folder)))
        await one.expect(Opened)
        await one.ask(start(config_of(tiny_model_folder)))
    assert evaluator.wait() == (0, "True\n")
    assert len(scores(store)) == 8 * 9, "not before its work was done"
    assert not socket_path(store).exists()


@pytest.mark.slow
async def test_an_explorer_starts_one_and_stops_it_and_starts_the_next_at_once(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    command = [sys.executable, "-P", "-m", "tui.worker", "serve", str(store)]
    pids = []
    try:
        assert not await client.stop(store)
        for _ in range(2):
            connection = await client.connect_or_start(store, command)
            async for event in connection.events():
                assert isinstance(event, Hello)
                pids.append(event.pid)
                break
            assert os.getsid(pids[-1]) != os.getsid(0), "it outlives this terminal"
            assert await client.stop(store)
            await connection.close()
        assert pids[0] != pids[1]
    finally:
        await client.stop(store)
        for path in (log_path(store), lock_path(store)):
            path.unlink(missing_ok=True)


async def test_one_that_does_not_start_says_why(store: Path) -> None:
    try:
        with pytest.raises(client.CornerstoneError, match="does not start: no such luck"):
            await client.connect_or_start(store, [sys.executable, "-c", "import sys; sys.exit('no such luck')"])
    finally:
        log_path(store).unlink(missing_ok=True)
