"""Many processes on one store at once: writers, readers and runs, for two minutes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from tests.faults.aftermath import check_now
from tests.faults.endings import ended_well
from tests.faults.hammering import Hammering
from tests.faults.home import Home
from tests.faults.setting import PATIENCE_S, Setting
from tests.faults.stored import Value, changed, stored, values_of
from tests.faults.verdict import Case, Findings, Verdict
from tests.faults.work import Identity
from tests.support.programs import MAIN, Program
from tests.support.store_records import assignment, documents, keep, outcome

_RUNS = 2


def writers(setting: Setting) -> Iterator[Case]:
    """Yield the one case of this part."""
    yield Case("all at once", lambda folder: _hammered(setting, folder))


def _hammered(setting: Setting, folder: Path) -> Verdict:
    sizes = setting.sizes
    findings = Findings(f"{sizes.writers + sizes.readers} processes on one store for {sizes.writing_s:.0f} s")
    home, store = Home.made(folder / "home", setting.home), folder / "s.duckdb"
    docs = documents([0])
    keep(store, assignment(docs, [()]), [outcome(docs[0].key)])  # so that readers find a store
    asked = [
        Hammering(str(store), False, number, setting.seed, sizes.writing_s, str(folder / f"acknowledged {number}"))
        for number in range(sizes.writers - _RUNS)
    ]
    readers = [
        Hammering(str(store), True, number, setting.seed, sizes.writing_s, str(folder / "nothing"))
        for number in range(sizes.readers)
    ]
    deadline = time.monotonic() + sizes.writing_s
    with ExitStack() as ends:

        def started(arguments: list[str]) -> Program:
            program = Program(arguments, folder=folder, environment=home.environment)
            ends.callback(program.end)
            return program

        programs = {f"writer {each.number}": started(each.arguments) for each in asked}
        programs |= {f"reader {each.number}": started(each.arguments) for each in readers}
        _run_again_and_again(findings, setting, home, store, deadline)
        for name, program in programs.items():
            findings.ending(name, ended_well(program.wait(PATIENCE_S)))
    safe = _safe(asked)
    check_now(findings, store, safe)
    if count := changed(safe, stored(store)):
        findings.wrong.append(f"{count} outcomes have other numbers than those that were recorded")
    return findings.verdict()


def _run_again_and_again(findings: Findings, setting: Setting, home: Home, store: Path, deadline: float) -> None:
    """Let two processes at a time run `cornerstone run`, each time with another seed, until the time is over."""
    seed = 0
    while time.monotonic() < deadline:
        with ExitStack() as ends:
            programs = []
            for model in (setting.model, setting.other_model)[:_RUNS]:
                arguments = ["run", *setting.study(model), "--seed", str(seed), "--store", str(store)]
                programs.append(Program([*MAIN, *arguments], folder=home.folder, environment=home.environment))
                ends.callback(programs[-1].end)
            for program in programs:
                findings.ending(f"run with seed {seed}", ended_well(program.wait(PATIENCE_S)))
        seed += 1


def _safe(asked: list[Hammering]) -> Mapping[Identity, Value]:
    """Return the outcomes that the writers have called safe."""
    safe: dict[Identity, Value] = {}
    for each in asked:
        notes = Path(each.acknowledged)
        lines = notes.read_text(encoding="ascii").split("\n") if notes.exists() else []
        chunks = {(int(seed), int(number)) for seed, number in map(str.split, filter(None, lines))}
        left = {seed for seed, _ in chunks}
        for seed, to_do in each.works():
            if not left:
                break
            if seed in left:
                left.remove(seed)
                done = max(number for of, number in chunks if of == seed)
                safe |= values_of(to_do.first(done))
    return safe
