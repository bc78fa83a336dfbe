"""A worker evaluates what comes aside between two batches of its chunk, which goes on afterwards."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from core.config.run_config import load_config
from core.workers.member import Member
from core.workers.messages import Done, Dropped, Opened, Work

pytestmark = pytest.mark.slow

PATIENCE_S = 60.0
COALITIONS = ((), (0,), (1,), (2,), (0, 1), (5, 6))


@pytest.fixture
def opened(tiny_model_folder: Path) -> Iterator[tuple[Member, Opened]]:
    keys = {"model": str(tiny_model_folder), "tasks": ["agreement"], "limit": 12}
    threads, offline = torch.get_num_threads(), os.environ.get("HF_HUB_OFFLINE")
    member = Member(load_config(None, keys).model_dump_json(), 1)
    found = member.open()
    assert isinstance(found, Opened)
    yield member, found
    torch.set_num_threads(threads)
    assert os.environ.get("HF_HUB_OFFLINE") == offline


def works(member: Member, found: Opened) -> tuple[Work, Work]:
    """Return a chunk, and another that comes aside."""
    (task,) = found.documents
    keys = tuple(member._tasks[task][1])
    return Work(1, task, keys, COALITIONS), Work(2, task, keys[:3], ((0, 3),))


def test_it_is_answered_before_the_chunk_and_both_are_what_they_are_alone(
    opened: tuple[Member, Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    member, found = opened
    chunk, aside = works(member, found)
    alone = member.evaluate(chunk), member.aside(aside)
    order: list[str] = []
    in_chunk = threading.Event()
    deadline = time.monotonic() + PATIENCE_S
    between = member._turns.between_batches

    def wait_for_it() -> None:
        in_chunk.set()
        while "aside" not in order and not member._turns._asides:
            assert time.monotonic() < deadline
        between()

    monkeypatch.setattr(member._turns, "between_batches", wait_for_it)
    answers: dict[str, object] = {}

    def ask() -> None:
        assert in_chunk.wait(PATIENCE_S)
        answers["aside"] = member.aside(aside)
        order.append("aside")

    thread = threading.Thread(target=ask)
    thread.start()
    answers["chunk"] = member.evaluate(chunk)
    order.append("chunk")
    thread.join(PATIENCE_S)
    assert order == ["aside", "chunk"]
    for reply, expected in ((answers["chunk"], alone[0]), (answers["aside"], alone[1])):
        assert isinstance(reply, Done)
        assert isinstance(expected, Done)
        assert [(one.document, one.removed) for one in reply.found] == [
            (one.document, one.removed) for one in expected.found
        ]
        for one, other in zip(reply.found, expected.found, strict=True):
            assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)


def test_each_is_dropped_by_its_own_number(opened: tuple[Member, Opened]) -> None:
    member, found = opened
    chunk, aside = works(member, found)
    member.drop(aside.number)
    assert isinstance(member.evaluate(chunk), Done)
    assert isinstance(member.aside(aside), Dropped)
    member.drop(chunk.number)
    assert isinstance(member.evaluate(chunk), Dropped)
    assert isinstance(member.evaluate(chunk), Done), "it is dropped once"
