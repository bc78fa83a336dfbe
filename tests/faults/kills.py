"""kill -9 of programs that record: made-up outcomes, forked runs, and whole programs."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.faults.aftermath import check_completed, check_now
from tests.faults.home import Home
from tests.faults.killing import channel, kill, wait_for
from tests.faults.recording import COMMIT, START, Recording, acknowledged
from tests.faults.setting import Setting
from tests.faults.stored import values_of
from tests.faults.verdict import Case, Findings, Verdict
from tests.faults.work import work
from tests.support.programs import MAIN, Program
from tests.support.store_records import keep

# How long each kind of work takes on a quiet machine, in seconds. A kill that comes too late is tried again earlier.
_RECORDING_S = 1.0
_MAKING_S = 0.08
_FORKED_RUN_S = 2.0
_WHOLE_RUN_S = 6.0
_COMMIT_S = 0.02
_TRIES = 6
_FIRST = work(-1, documents=2)
MAKING = "kill -9 while a store is made"
MAKING_COMMIT = "kill -9 in a commit of a new store"
_COMMITS = 13  # begin, assign, ten chunks, finish


def kills(setting: Setting) -> Iterator[Case]:
    """Yield the kills at random moments."""
    sizes = setting.sizes
    for number in range(sizes.recordings_killed):
        yield Case(f"recording {number}", _recording_killed(setting, number))
    for number in range(sizes.runs_killed):
        yield Case(f"forked run {number}", _run_killed(setting, number, whole=False))
    for number in range(sizes.commands_killed):
        yield Case(f"command {number}", _run_killed(setting, number, whole=True))


def commits(setting: Setting) -> Iterator[Case]:
    """Yield the kills within a commit, 0 to 20 ms after it begins."""
    for number in range(setting.sizes.commits):
        yield Case(f"commit {number}", _commit_killed(setting, number))


@dataclass(frozen=True, slots=True)
class _Blow:
    """When a recording is killed, and what it records to: up to ``longest`` seconds after a moment."""

    fault: str
    moment: str
    longest: float
    behind: bool
    new_store: bool


def _recording_killed(setting: Setting, number: int) -> Callable[[Path], Verdict]:
    """Return a kill of a recording: while the store is made, through the queue of the evaluator, or directly."""
    blow = _Blow("kill -9 of a recorder, forked", START, _RECORDING_S, behind=number % 3 == 1, new_store=False)
    if number % 3 == 0:
        blow = _Blow(MAKING, START, _MAKING_S, behind=False, new_store=True)
    return lambda folder: _killed(setting, folder, blow, random.Random(f"{setting.seed} recording {number}"))


def _commit_killed(setting: Setting, number: int) -> Callable[[Path], Verdict]:
    blow = _Blow("kill -9 in a commit", COMMIT, _COMMIT_S, behind=number % 3 == 1, new_store=False)
    if number % 5 == 0:
        blow = _Blow(MAKING_COMMIT, COMMIT, _COMMIT_S, behind=False, new_store=True)
    return lambda folder: _killed(setting, folder, blow, random.Random(f"{setting.seed} commit {number}"))


def _killed(setting: Setting, folder: Path, blow: _Blow, drawn: random.Random) -> Verdict:
    """Kill a recording, and look at what it left."""
    home = Home.made(folder / "home")
    findings = Findings(blow.fault)
    for attempt in range(_TRIES):
        seed = drawn.randrange(2**31)
        store, notes = folder / f"{attempt}.duckdb", folder / f"acknowledged {attempt}"
        if not blow.new_store:
            _make(store)
        commit = drawn.randint(1, 2 if blow.new_store else _COMMITS)
        channel_path = folder / "channel"
        asked = Recording(str(store), seed, "killed", str(notes), str(channel_path), blow.moment, commit, blow.behind)
        delay = drawn.uniform(0, blow.longest) / 2**attempt
        with channel(channel_path) as told:
            program = Program(asked.arguments, folder=folder, environment=home.environment)
            try:
                there = told.told(program)
                time.sleep(delay)
                hit = there and kill(program)
            finally:
                program.end()
        if hit:
            break
    else:
        findings.wrong.append(f"the program ended before each of {_TRIES} kills")
    to_do = work(seed)
    check_now(findings, store, to_do.first(acknowledged(notes)))
    next_run = Recording(str(store), seed, "next", str(folder / "later"), behind=blow.behind)
    expected = values_of(to_do.outcomes if blow.new_store else {**to_do.outcomes, **_FIRST.outcomes})
    check_completed(findings, store, lambda: setting.ran(next_run.arguments, home), expected)
    return findings.verdict()


def _make(store: Path) -> None:
    """Make a store with some outcomes that nobody may lose."""
    keep(store, _FIRST.assignment, list(_FIRST.outcomes.values()), run_id="first")


def _run_killed(setting: Setting, number: int, *, whole: bool) -> Callable[[Path], Verdict]:
    """Return a kill of `cornerstone run`: at any moment, or once it has begun to store."""

    def tried(folder: Path) -> Verdict:
        drawn = random.Random(f"{setting.seed} run {number} {whole}")
        findings = Findings("kill -9 of cornerstone run, whole program" if whole else "kill -9 of a run, forked")
        expected = setting.undisturbed(setting.model).outcomes
        home = Home.made(folder / "home", setting.home)
        for attempt in range(_TRIES):
            store = folder / f"{attempt}.duckdb"
            arguments = ["run", *setting.study(setting.model), "--store", str(store)]
            storing = drawn.random() < 0.6
            longest = _FORKED_RUN_S if storing or not whole else _WHOLE_RUN_S
            program = Program([*MAIN, *arguments], folder=folder, environment=home.environment, whole=whole)
            try:
                if storing:
                    wait_for(store.exists, program)
                time.sleep(drawn.uniform(0, longest) / 2**attempt)
                if kill(program):
                    break
            finally:
                program.end()
        else:
            findings.wrong.append(f"the program ended before each of {_TRIES} kills")
        check_now(findings, store, ())
        check_completed(findings, store, lambda: setting.cornerstone(home, *arguments), expected)
        return findings.verdict()

    return tried
