"""A meter: its rate counts only what was made, and only the time that it had."""

from __future__ import annotations

from core.study.meter import Meter
from tests.support.clock import Clock


def test_the_rate_is_of_what_was_made_in_the_time_it_had() -> None:
    clock = Clock()
    meter = Meter(clock)
    assert meter.rate == 0
    clock.now += 1000
    meter.start(50)
    assert meter.rate == 0
    clock.now += 10
    meter.advance(20)
    assert (meter.done, meter.rate) == (70, 2)
    meter.reach(90)
    meter.advance(10)
    assert (meter.done, meter.rate) == (100, 5)


def test_what_is_done_stands_still_while_a_chunk_is_stored_or_begins_again() -> None:
    meter = Meter(Clock())
    meter.start(100)
    meter.advance(40)
    meter.advance(0)
    assert meter.done == 140
    meter.advance(30)
    assert meter.done == 140
    meter.reach(140)
    meter.advance(0)
    meter.advance(5)
    assert meter.done == 145
    meter.start(10)
    assert meter.done == 10


def test_time_for_other_work_does_not_count_and_the_rate_stands_still_meanwhile() -> None:
    clock = Clock()
    meter = Meter(clock)
    meter.start(0)
    clock.now += 10
    meter.advance(20)
    with meter.held():
        clock.now += 500
        assert meter.rate == 2
    assert meter.rate == 2
    clock.now += 10
    meter.advance(60)
    assert meter.rate == 3


def test_after_the_end_the_rate_stands_still_until_another_phase_begins() -> None:
    clock = Clock()
    meter = Meter(clock)
    clock.now += 10
    meter.reach(20)
    meter.stop()
    clock.now += 500
    assert meter.rate == 2
    meter.start(0)
    clock.now += 10
    meter.reach(20)
    assert meter.rate == 2
