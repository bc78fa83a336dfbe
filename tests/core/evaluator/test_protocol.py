"""Messages of explorer and evaluator survive the wire, and anything else is refused."""

from __future__ import annotations

import json
from datetime import UTC
from typing import get_args

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.coalitions.players import removed_set
from core.config.run_config import RunConfig
from core.errors import Mend
from core.evaluator import protocol
from core.evaluator.bench_task import BenchTask
from core.evaluator.protocol import (
    Cancel,
    Charts,
    Event,
    GiveUp,
    Goodbye,
    Hello,
    Jobs,
    JobState,
    JobView,
    MemoryWasShort,
    Move,
    Narration,
    Open,
    Opened,
    PastJobs,
    Pause,
    Rate,
    Rates,
    Refusal,
    Request,
    Resume,
    Said,
    Say,
    Scored,
    ShutDown,
    StartJob,
    StopSaying,
    Toggle,
    Workers,
    Writers,
    parse_event,
    parse_request,
)
from core.records.records import ModelRecord, Writer
from core.say.said import MOST_SEED, MOST_TOKENS, Ask, Dialogue, End, Voice
from core.study.events import TopVerdict
from core.study.worker_view import WorkerDoing, WorkerView
from core.summaries.points import AblationPoint, CoalitionPoint, ShapleyPoint

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
floats = st.floats(allow_nan=False, allow_infinity=False)
maybe = st.one_of(st.none(), floats)
counts = st.integers(0, 2**40)
removed_sets = st.lists(st.integers(0, 200), max_size=6).map(removed_set)
configs = st.builds(
    lambda model, task, schedule, limit: RunConfig.model_validate(
        {"model": model, "tasks": [task], "schedule": schedule, "limit": limit}
    ),
    names,
    names.filter(lambda name: "=" not in name),
    st.sampled_from(["ablation", "windows", ()]),
    st.one_of(st.none(), st.integers(1, 10**6)),
)
asks = st.builds(
    Ask,
    prompt=names,
    tokens=st.integers(1, MOST_TOKENS),
    seed=st.one_of(st.none(), st.integers(0, MOST_SEED)),
    temperature=st.floats(0.01, 100),
    chat=st.one_of(st.none(), st.booleans()),
)
voices = st.builds(
    Voice,
    text=texts,
    tokens=counts,
    top=st.lists(st.tuples(texts, floats), max_size=5).map(tuple),
    end=st.sampled_from([None, *get_args(End)]),
)
dialogues = st.builds(Dialogue, chat=st.booleans(), intact=voices, masked=voices)
coalition_points = st.builds(
    CoalitionPoint,
    removed=removed_sets,
    n=counts,
    acc=floats,
    acc_se=maybe,
    acc_low=maybe,
    acc_high=maybe,
    intact_acc=maybe,
    drop=maybe,
    drop_low=maybe,
    drop_high=maybe,
    changed=st.one_of(st.none(), counts),
)
ablation_points = st.builds(
    AblationPoint,
    label=texts,
    chance=maybe,
    acc_se=maybe,
    acc_low=maybe,
    acc_high=maybe,
    p_value=maybe,
    **dict.fromkeys(("player", "layer", "n"), counts),
    **dict.fromkeys(("acc", "intact_acc", "drop", "drop_low", "drop_high"), floats),
)
shapley_points = st.builds(
    ShapleyPoint,
    players=texts,
    label=texts,
    **dict.fromkeys(("player", "rank", "rank_low", "rank_high", "n"), counts),
    **dict.fromkeys(("phi", "phi_clipped", "phi_low", "phi_high", "p_top3"), floats),
    **dict.fromkeys(("se", "share", "share_low", "share_high"), maybe),
    verdict=st.sampled_from([None, "in", "out", "open"]),
    **dict.fromkeys(("verdict_k", "verdict_n"), st.one_of(st.none(), counts)),
)
mends = st.one_of(st.none(), st.sampled_from(Mend))
labels = st.lists(texts, max_size=3).map(tuple)
verdicts = st.builds(
    TopVerdict,
    schedule=texts,
    task=texts,
    **dict.fromkeys(("k", "documents", "asked", "size", "out"), counts),
    confidence=floats,
    inside=labels,
    undecided=labels,
    more=st.one_of(st.none(), counts),
)
job_views = st.builds(
    JobView,
    job=counts,
    title=texts,
    command=texts,
    config=configs,
    state=st.sampled_from(get_args(JobState)),
    phase=texts,
    done=floats,
    total=counts,
    rate=floats,
    evaluated=floats,
    seconds_left=maybe,
    started=st.one_of(st.none(), st.datetimes(timezones=st.just(UTC))),
    ended=st.one_of(st.none(), st.datetimes(timezones=st.just(UTC))),
    elapsed=floats,
    error=texts,
    mend=mends,
    notes=st.lists(verdicts, max_size=2).map(tuple),
)
workers = st.builds(
    WorkerView,
    number=counts,
    doing=st.sampled_from(get_args(WorkerDoing)),
    host=texts,
    outcomes=counts,
    rate=floats,
    losses=counts,
)
models = st.builds(
    ModelRecord,
    texts,
    texts,
    texts,
    st.one_of(st.none(), texts),
    texts,
    texts,
    st.lists(st.lists(st.sampled_from(["attn", "ssm", "ffn", "moe"]), max_size=4).map(tuple), max_size=4).map(tuple),
)
bench_tasks = st.builds(BenchTask, key=texts, name=texts, task_id=texts, documents=counts, value=texts, chance=maybe)
REQUESTS: dict[type[protocol._Message], st.SearchStrategy[Request]] = {
    Open: st.builds(Open, config=configs, asked=texts),
    GiveUp: st.builds(GiveUp, asked=texts),
    StartJob: st.builds(StartJob, config=configs, command=texts),
    Toggle: st.builds(Toggle, task=texts, removed=removed_sets),
    Say: st.builds(Say, ident=texts, model_id=texts, removed=removed_sets, ask=asks),
    StopSaying: st.builds(StopSaying, ident=texts),
    Pause: st.builds(Pause, job=counts),
    Resume: st.builds(Resume, job=counts),
    Cancel: st.builds(Cancel, job=counts),
    Move: st.builds(Move, job=counts, by=st.sampled_from([-1, 1])),
    ShutDown: st.builds(ShutDown),
}
EVENTS: dict[type[protocol._Message], st.SearchStrategy[Event]] = {
    Hello: st.builds(Hello, protocol=counts, version=texts, pid=counts, store=texts, busy=st.booleans()),
    Narration: st.builds(Narration, text=texts),
    Refusal: st.builds(Refusal, text=texts, mend=mends, asked=texts),
    MemoryWasShort: st.builds(MemoryWasShort),
    Goodbye: st.builds(Goodbye),
    Opened: st.builds(
        Opened,
        config=configs,
        model=models,
        model_id=texts,
        device=texts,
        tasks=st.lists(bench_tasks, max_size=3).map(tuple),
        asked=texts,
    ),
    Jobs: st.builds(Jobs, jobs=st.lists(job_views, max_size=3).map(tuple), unsaved=counts),
    Workers: st.builds(Workers, job=counts, workers=st.lists(workers, max_size=3).map(tuple)),
    PastJobs: st.builds(PastJobs, jobs=st.lists(job_views, max_size=3).map(tuple)),
    Rates: st.builds(
        Rates,
        model_id=texts,
        rates=st.lists(st.builds(Rate, task_id=texts, schedule=texts, per_second=floats), max_size=3).map(tuple),
    ),
    Writers: st.builds(Writers, writers=st.lists(st.builds(Writer, texts, texts), max_size=3).map(tuple)),
    Charts: st.builds(
        Charts,
        task=texts,
        intact=st.one_of(st.none(), coalition_points),
        ablation=st.lists(ablation_points, max_size=3).map(tuple),
        shapley=st.lists(shapley_points, max_size=3).map(tuple),
        estimator=texts,
        settings=st.lists(texts, max_size=3).map(tuple),
    ),
    Said: st.builds(Said, ident=texts, dialogue=dialogues, ended=st.booleans(), fault=texts),
    Scored: st.builds(Scored, task=texts, point=coalition_points, wanted=counts, final=st.booleans()),
}


@given(request_=st.one_of(*REQUESTS.values()))
def test_every_request_survives_the_wire(request_: Request) -> None:
    assert parse_request(request_.model_dump_json()) == request_


@given(event=st.one_of(*EVENTS.values()))
def test_every_event_survives_the_wire(event: Event) -> None:
    assert parse_event(event.model_dump_json()) == event


def test_every_message_there_is_was_tried() -> None:
    assert set(REQUESTS) | set(EVENTS) == set(protocol._Message.__subclasses__())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"type": "open"}',
        '{"type": "explode"}',
        '{"type": "pause", "job": "first"}',
        '{"type": "pause", "job": 1, "force": true}',
        '{"type": "hello", "protocol": 1, "version": "", "pid": 1, "store": "", "busy": false}',
        '{"type": "open", "config": {"tasks": ["agreement"], "trust_remote_code": true}}',
        b"\xff\xfe",
        "[" * 100_000,
    ],
)
def test_what_is_no_request_is_refused(text: str | bytes) -> None:
    with pytest.raises(pydantic.ValidationError):
        parse_request(text)


def test_a_request_is_no_event() -> None:
    with pytest.raises(pydantic.ValidationError):
        parse_event(json.dumps({"type": "shut down"}))
