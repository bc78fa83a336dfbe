"""What an explorer has asked for is answered once, and what was refused is kept."""

from __future__ import annotations

import asyncio

import pytest

from core.config.run_config import RunConfig
from core.evaluator.protocol import Open
from tests.support import example_state as example
from tui.explorer.choices import Choices, replaced_text

pytestmark = pytest.mark.asyncio

ONE, TWO = (RunConfig.model_validate({"tasks": "agreement", "limit": limit}) for limit in (1, 2))


async def test_a_choice_is_waited_for_until_it_is_open() -> None:
    choices = Choices()
    request = choices.ask(ONE)
    assert (choices.pending, choices.name_of(ONE), choices.name_of(TWO)) == (ONE, request.asked, None)
    waiting = asyncio.create_task(choices.answer(request.asked))
    await asyncio.sleep(0)
    assert not choices.accept("another's")
    assert choices.accept(request.asked)
    assert await waiting is None
    assert (choices.pending, choices.refused, choices.give_up()) == (None, None, ())


async def test_a_refusal_is_told_to_who_waits_and_kept() -> None:
    choices = Choices()
    first, second = choices.ask(ONE), choices.ask(TWO)
    waiting = asyncio.create_task(choices.answer(second.asked))
    await asyncio.sleep(0)
    assert [one.asked for one in choices.give_up()] == [first.asked, second.asked]
    assert choices.refuse(second.asked, "no")
    assert await waiting == "no"
    assert choices.refused is None, "the other is still being opened"
    assert not choices.refuse(first.asked, "neither"), "nobody waits for it, so that it must be shown"
    assert choices.refused is not None
    assert (choices.refused.config, choices.refused.said) == (ONE, "neither")
    assert choices.accept(choices.ask(ONE).asked)
    assert choices.refused is None


async def test_who_stops_waiting_leaves_the_choice_as_it_is() -> None:
    choices = Choices()
    request = choices.ask(ONE)
    waiting = asyncio.create_task(choices.answer(request.asked))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert choices.pending == ONE
    again = asyncio.create_task(choices.answer(request.asked))
    await asyncio.sleep(0)
    choices.lose("the evaluator is gone")
    assert await again == "the evaluator is gone"


async def test_what_another_has_opened_is_told() -> None:
    before = example.opened()
    assert replaced_text(before, before) == ""
    other = before.model_copy(update={"model_id": "other", "asked": "x"})
    assert replaced_text(before, other).startswith("another explorer has opened SmolLM2-135M-Instruct in place of")
    tasks = (example.bench_task("capitals").model_copy(update={"task_id": "of capitals"}),)
    assert replaced_text(before, before.model_copy(update={"tasks": tasks})) == (
        "a job has opened capitals in place of agreement; m chooses again"
    )
    more = (*before.tasks, *tasks)
    assert replaced_text(before, before.model_copy(update={"tasks": more})) == "", "nothing is gone"


async def test_another_number_of_documents_is_told_as_that() -> None:
    (task,) = example.opened().tasks
    chosen = example.opened().model_copy(update={"by_hand": 32, "tasks": (task.model_copy(update={"documents": 32}),)})
    more = chosen.model_copy(update={"tasks": (task.model_copy(update={"key": "of 120"}),)})
    assert replaced_text(chosen, more) == (
        "a job has opened 120 documents of agreement in place of 32; what you remove keeps its own"
    )
    asked = more.model_copy(update={"asked": "x", "by_hand": 120})
    assert replaced_text(chosen, asked) == (
        "another explorer has opened 120 documents of agreement in place of 32; m chooses again"
    )
    other_value = task.model_copy(update={"key": "another", "documents": 32, "value": "margin"})
    assert replaced_text(chosen, chosen.model_copy(update={"tasks": (other_value,)})) == ""
    second = task.model_copy(update={"key": "b", "name": "capitals", "task_id": "b"})
    both = chosen.model_copy(update={"tasks": (*chosen.tasks, second.model_copy(update={"documents": 5}))})
    assert replaced_text(both, both.model_copy(update={"tasks": (*more.tasks, second)})) == (
        "a job has opened other numbers of documents of agreement, capitals; what you remove keeps its own"
    )


async def test_a_request_keeps_the_documents_that_were_chosen() -> None:
    choices = Choices()
    request = choices.named(Open(config=TWO, by_hand=1))
    assert isinstance(request, Open)
    assert (request.config, request.by_hand) == (TWO, 1)
    assert choices.pending == TWO
