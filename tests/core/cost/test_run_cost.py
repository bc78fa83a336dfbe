"""What a run costs is told alike by the plan, before the run, and in the explorer, from the same numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch

from core.config.run_config import RunConfig
from core.cost import phase_progress, run_time, speed
from core.cost.kept_speed import keep_speed, kept_speed
from core.cost.of_bench import open_work
from core.cost.of_run import OfRun
from core.cost.plan import cost_of, study_of
from core.cost.rates import MeasuredRates, Rate
from core.cost.run_cost import RunCost, run_cost
from core.cost.run_time import Known, TaskAsked
from core.cost.speed import Speed, measured_speed
from core.evaluator.bench_task import told_apart
from core.evaluator.open_speeds import OpenSpeeds
from core.evaluator.protocol import Opened, Rates, parse_event
from core.records.fingerprint import short_id
from core.study.listener import SILENT
from core.study.plan import schedules_of
from core.study.workbench import Workbench, open_workbench, run_config
from store.recorder import StoreRecorder
from tests.support.example_state import bench_task
from tui.drawing.run_cost_text import counts_text, time_text
from tui.explorer.cost import cost_of as dialog_text

PRODUCTS = 1e9
CPU = Speed("here", "cpu", PRODUCTS, 8e9, measured=True)
HERE = torch.device("cpu")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def asked(model: Path, **keys: object) -> RunConfig:
    given = {"device": "cpu", "tasks": ["agreement", "capitals"], "limit": 6, "schedule": ["windows"]}
    return RunConfig.model_validate(given | {"model": str(model)} | keys)


def measured_here(bench: Workbench) -> None:
    keep_speed(bench.model.model, bench.model.layout, HERE, PRODUCTS)


def told_before(config: RunConfig, bench: Workbench) -> RunCost:
    """Return what a run tells before it begins."""
    told: list[RunCost] = []
    OfRun(config, lambda cost, _: told.append(cost)).begin(bench, schedules_of(config, bench.model.players), SILENT)
    return told[0]


def task_ids(bench: Workbench) -> list[str]:
    return [short_id(task.record.fingerprint, task.data.fingerprint) for task in bench.tasks]


@pytest.mark.parametrize(
    "keys",
    [
        {"schedule": ["windows"]},
        {"schedule": ["ablation", "windows"]},
        {"schedule": ["exact"], "players": "layers"},
        {"schedule": ["permutation"], "tasks": ["agreement"]},
    ],
)
def test_a_run_and_the_explorer_tell_what_the_plan_tells(tiny_model_folder: Path, keys: dict[str, object]) -> None:
    config = asked(tiny_model_folder, **keys)
    bench = open_workbench(config)
    measured_here(bench)
    planned = cost_of(study_of(config, "float32", SILENT), CPU, ready=0.0)
    told = told_before(config, bench)
    assert (told.coalitions, told.documents, told.outcomes) == (planned.coalitions, planned.documents, planned.outcomes)
    assert told.store_bytes == sum(task.store_bytes for task in planned.tasks)
    assert told.time is not None
    assert told.time.seconds == pytest.approx(sum(task.seconds for task in planned.tasks))
    assert told.time.per_second == pytest.approx(planned.outcomes / told.time.seconds)

    event = parse_event(OpenSpeeds(bench).event.model_dump_json())
    assert isinstance(event, Rates)
    each = zip(bench.tasks, task_ids(bench), strict=True)
    tasks = [
        bench_task(task.record.name).model_copy(update={"task_id": ident, "size": task.data.size})
        for task, ident in each
    ]
    opened = Opened(
        config=config, model=bench.model.record, model_id=event.model_id, device="cpu", tasks=told_apart(tasks)
    )
    shown = dialog_text(config, opened, Known(event.rates, event.work)).split(";\n")
    assert shown[:2] == [counts_text(config, told), time_text(told)]
    assert (" in the store" in shown[0], "at the speed that a plan measured here" in shown[1]) == (True, True)


def test_the_memory_of_a_run_is_that_of_the_plan(tiny_model_folder: Path) -> None:
    config = asked(tiny_model_folder, limit=60)
    bench = open_workbench(config)
    planned = cost_of(study_of(config, "float32", SILENT), CPU, ready=0.0)
    memory = open_work(bench).memory
    told = told_before(config, bench).memory_bytes
    assert memory is not None
    assert told is not None
    # The plan knows of small runs that they fill no batch.
    assert told - memory.batch < planned.memory_bytes + memory.held - psutil.Process().memory_info().rss < told * 1.05


def test_no_memory_is_told_of_workers(tiny_model_folder: Path) -> None:
    bench = open_workbench(asked(tiny_model_folder))
    tasks = [TaskAsked(ident, 6) for ident in task_ids(bench)]
    known = Known(work=open_work(bench))
    for keys, is_told in (({}, True), ({"workers": 2}, False)):
        config = asked(tiny_model_folder, **keys)
        cost = run_cost(config, schedules_of(config, bench.model.players), tasks, known)
        assert (cost.memory_bytes is not None, " of memory" in counts_text(config, cost)) == (is_told, is_told)


def test_without_a_measured_speed_no_time_is_told(tiny_model_folder: Path) -> None:
    config = asked(tiny_model_folder)
    told = told_before(config, open_workbench(config))
    assert told.time is None
    assert time_text(told) is None
    assert (told.outcomes, told.store_bytes is None) == (told.coalitions * 12, False)


def test_a_speed_is_of_one_dtype_device_and_number_of_threads(
    tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = open_workbench(asked(tiny_model_folder))
    model, layout = bench.model.model, bench.model.layout
    assert kept_speed(model, layout, HERE) is None
    measured_here(bench)
    assert kept_speed(model, layout, HERE) == PRODUCTS
    threads = torch.get_num_threads()
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads + 1)
    assert kept_speed(model, layout, HERE) is None
    monkeypatch.undo()
    assert kept_speed(model.to(torch.bfloat16), layout, HERE) is None


@pytest.mark.parametrize("quiet", [True, False], ids=["alone", "beside other programs"])
def test_what_a_plan_measures_is_known_to_the_next_run_unless_others_took_a_part(
    quiet: bool, tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "MEASURED_S", 0.05)
    monkeypatch.setattr(speed, "_QUIET", 0.0 if quiet else 100.0)
    config = asked(tiny_model_folder)
    outline = study_of(config, "float32", SILENT).outline
    found = measured_speed(outline.model, outline.layout, HERE)  # of a model without weights
    assert found.beside_others is not quiet
    flops = open_work(open_workbench(config)).flops
    assert flops == (pytest.approx(found.sweep_flops) if quiet else None)


def timed_by(known: Known, bench: Workbench, config: RunConfig, tasks: Sequence[TaskAsked]) -> str | None:
    time = run_cost(config, schedules_of(config, bench.model.players), tasks, known).time
    return None if time is None else time.basis


def test_rates_of_the_same_tasks_come_first_then_operations_then_other_rates(
    tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = asked(tiny_model_folder, tasks=["agreement"])
    bench = open_workbench(config)
    measured_here(bench)
    (ident,), (schedule,) = task_ids(bench), schedules_of(config, bench.model.players)
    work, tasks = open_work(bench), [TaskAsked(ident, 6)]
    same = (Rate(task_id=ident, schedule=schedule.name, per_second=3),)
    other = (Rate(task_id="other", schedule=schedule.name, per_second=3),)
    assert timed_by(Known(same, work), bench, config, tasks) == "measured"
    assert timed_by(Known(other, work), bench, config, tasks) == "operations"
    assert timed_by(Known(other, replace(work, flops=None)), bench, config, tasks) == "alike"
    assert timed_by(Known((), None), bench, config, tasks) is None
    assert timed_by(Known((), work), bench, config, [TaskAsked("not open", 6)]) is None
    crewed = config.model_copy(update={"workers": 2})
    assert timed_by(Known((), work), bench, crewed, tasks) is None
    written = replace(work, documents=tuple(replace(one, writes=True) for one in work.documents))
    assert timed_by(Known((), written), bench, config, tasks) is None
    monkeypatch.setattr(run_time, "_MOST_STEPS", schedule.size * len(work.model.layers) - 1)
    assert timed_by(Known((), work), bench, config, tasks) is None


def test_many_documents_are_counted_by_a_part_of_them(tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = open_workbench(asked(tiny_model_folder, tasks=["agreement"], limit=None))
    everything = open_work(bench).documents[0].rows.tokens
    monkeypatch.setattr("core.cost.of_bench._READ", 16)
    assert open_work(bench).documents[0].rows.tokens == pytest.approx(everything, rel=0.2)


def test_a_run_keeps_its_rates_for_the_next_one(
    tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phase_progress, "_TOO_SOON_S", 0.0)
    config = asked(tiny_model_folder, tasks=["agreement"])
    told: list[RunCost] = []
    times = []
    for number in range(2):
        of_run = OfRun(config, lambda cost, _: told.append(cost))
        recorder = StoreRecorder(tmp_path / f"{number}.duckdb")
        list(of_run.timed(run_config(config, "test", recorder, announce=of_run.begin)))
        times.append(told[-1].time)
    assert times[0] is None
    assert times[1] is not None
    assert times[1].basis == "measured"
    bench = open_workbench(config)
    (kept,) = MeasuredRates(bench.model.record.fingerprint, "cpu").rates
    assert (kept.task_id, kept.per_second > 0) == (task_ids(bench)[0], True)


def test_a_run_that_is_stopped_keeps_its_rates_too(
    tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phase_progress, "_TOO_SOON_S", 0.0)
    config = asked(tiny_model_folder, tasks=["agreement"], limit=None)
    of_run = OfRun(config, lambda _cost, _listener: None)
    events = of_run.timed(run_config(config, "test", StoreRecorder(tmp_path / "s.duckdb"), announce=of_run.begin))
    next(events), next(events)
    events.close()
    assert MeasuredRates(open_workbench(config).model.record.fingerprint, "cpu").rates
