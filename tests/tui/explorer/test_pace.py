"""Pictures are drawn a few times a second, answers at once, and nothing comes in another order."""

from __future__ import annotations

import asyncio

from core.evaluator.protocol import Charts, Event, Jobs, Narration, Refusal, Said
from tui.explorer.pace import Pace


def charts(task: str, settings: tuple[str, ...] = ()) -> Charts:
    return Charts(task=task, intact=None, ablation=(), shapley=(), estimator="windows", settings=settings)


async def test_of_the_pictures_of_a_thing_only_the_latest_is_drawn() -> None:
    drawn: list[Event] = []
    pace = Pace(drawn.append)
    pace.put(Jobs(jobs=()), 0.5)
    assert len(drawn) == 1
    for number in range(50):
        pace.put(charts("a", (str(number),)), 0.5)
        pace.put(Jobs(jobs=(), unsaved=number), 0.5)
    pace.put(charts("b"), 0.5)
    assert len(drawn) == 1
    while len(drawn) == 1:
        await asyncio.sleep(0.01)
    assert drawn[1:] == [charts("a", ("49",)), Jobs(jobs=(), unsaved=49), charts("b")]


async def test_a_text_grows_by_steps_and_its_end_comes_at_once() -> None:
    drawn: list[Event] = []
    pace = Pace(drawn.append)
    for fault in "abc":
        pace.put(Said(ident="one", fault=fault), 0.1)
    assert drawn == [Said(ident="one", fault="a")]
    pace.put(Said(ident="one", ended=True), 0.1)
    assert drawn[1:] == [Said(ident="one", fault="c"), Said(ident="one", ended=True)]


async def test_an_answer_comes_at_once_and_after_the_pictures_before_it() -> None:
    drawn: list[Event] = []
    pace = Pace(drawn.append)
    pace.put(Narration(text="a"), 0.1)
    pace.put(Narration(text="b"), 0.1)
    pace.put(Refusal(text="no"), 0.1)
    assert drawn == [Narration(text="a"), Narration(text="b"), Refusal(text="no")]
    pace.put(Jobs(jobs=()), 0.1)
    pace.flush()
    assert len(drawn) == 4
    pace.flush()
    assert len(drawn) == 4
