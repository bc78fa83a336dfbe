"""Flipped bytes and cut ends of a store and of its write-ahead log (WAL)."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from tests.faults.endings import ended_well
from tests.faults.home import Home, content_of, differences
from tests.faults.setting import Setting
from tests.faults.stored import Stored, changed, lost, stored, unexpected
from tests.faults.verdict import Case, Findings, Verdict

# The commands that read a store; {} is the store. The first one is run in every case.
_READERS = (
    ("results", "outcomes", "--format", "json"),
    ("results", "coalitions", "--format", "json"),
    ("results", "ablation", "--format", "json"),
    ("results", "shapley", "--format", "json"),
    ("results", "shapley", "--estimator", "exact", "--players", "layers", "--format", "csv"),
    ("results", "interactions", "--format", "json"),
    ("results", "cornerstones", "--task", "agreement", "--format", "json"),
    ("results", "runs"),
    ("results", "estimators", "--format", "csv"),
    ("results", "values", "--format", "json"),
    ("estimators",),
    ("paper", "--task", "agreement", "--no-figures"),
    ("doctor",),
)
_READ_IN_EACH = 3
_WHAT_IS_SLOW = re.compile(r"(?:(?:reading the store [^\n]+|starting torch, which tells the device)\n)*")
"""What doctor says on stderr on a slow machine."""
_NEAR = 64
# Moves every other outcome into a WAL, in ten commits, and leaves it behind because the process is killed.
_LEAVE_WAL = """
import os, sys, duckdb
db = duckdb.connect(sys.argv[1])
db.execute("SET checkpoint_threshold = '1TB'")
db.execute("CREATE TEMP TABLE later AS SELECT *, row_number() OVER () AS n FROM outcomes WHERE rowid % 2 = 1")
db.execute("DELETE FROM outcomes WHERE rowid % 2 = 1")
db.execute("CHECKPOINT")
for part in range(10):
    db.execute("INSERT INTO outcomes SELECT * EXCLUDE n FROM later WHERE n % 10 = ?", [part])
os.kill(os.getpid(), 9)
"""


@dataclass(frozen=True, slots=True)
class _Whole:
    """The undamaged store, with a WAL beside it, and what the commands read from it."""

    store: Path
    outcomes: Stored
    read: Mapping[tuple[str, ...], str]

    @property
    def wal(self) -> Path:
        return wal_of(self.store)


def wal_of(store: Path) -> Path:
    """Return the WAL of a store."""
    return store.with_name(f"{store.name}.wal")


def damage(setting: Setting) -> Iterator[Case]:
    """Yield the flips and the truncations; every other one is of the WAL."""
    whole: list[_Whole] = []

    def tried(what: str, number: int) -> Callable[[Path], Verdict]:
        return lambda folder: _damaged(setting, whole[0], what, number, folder)

    for what, count in (("flip", setting.sizes.flips), ("truncation", setting.sizes.truncations)):
        for number in range(count):
            if not whole:
                whole.append(_whole(setting))
            yield Case(f"{what} {number}", tried(what, number))


def _whole(setting: Setting) -> _Whole:
    """Make the store that the cases damage copies of."""
    folder = setting.folder / "whole"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    store, home = folder / "s.duckdb", Home.made(folder / "home", setting.home)
    study = ("--model", str(setting.model), "--task", "agreement", "--limit", "24", "--store", str(store))
    for schedule in (("windows", "--max-removed", "2"), ("exact", "--players", "layers")):
        done = setting.cornerstone(home, "run", *study, "--schedule", *schedule)
        assert done.returncode == 0, done.stderr
    setting.ran(["-c", _LEAVE_WAL, str(store)], home)
    assert wal_of(store).stat().st_size
    read: dict[tuple[str, ...], str] = {}
    for reader in _READERS:
        done = setting.cornerstone(home, *reader, "--store", str(store))
        assert done.returncode == 0 or ended_well(done, 2) is None, done.stderr
        read[reader] = done.stdout
    return _Whole(store, stored(store), read)


def _damaged(setting: Setting, whole: _Whole, what: str, number: int, folder: Path) -> Verdict:
    drawn = random.Random(f"{setting.seed} {what} {number}")
    of_wal = number % 2 == 1
    findings = Findings(f"{what} of {'a WAL' if of_wal else 'a store'}")
    home, place = Home.made(folder / "home", setting.home), folder / "place"
    place.mkdir()
    store = place / "s.duckdb"
    shutil.copy(whole.store, store)
    shutil.copy(whole.wal, wal_of(store))
    target = wal_of(store) if of_wal else store
    where = _flip(target, drawn) if what == "flip" else _cut(target, drawn)
    before = content_of(place)
    torn = of_wal and what == "truncation"
    _read_all(
        findings, setting, home, store, whole, [_READERS[0], *drawn.sample(_READERS[1:], _READ_IN_EACH - 1)], torn
    )
    _unchanged(findings, f"{where}: a reading command", place, before)
    if setting.has_store_commands:
        _check_and_salvage(findings, setting, home, store, whole, torn, before)
    else:
        findings.missing += ["cornerstone store check", "cornerstone store salvage"]
    return findings.verdict()


def _flip(path: Path, drawn: random.Random) -> str:
    """Flip some bits of one byte, four times in five within what is used; return where."""
    content = bytearray(path.read_bytes())
    used = drawn.random() < 0.8
    at = drawn.randrange(len(content))
    while used and not any(content[max(0, at - _NEAR) : at + _NEAR]):
        at = drawn.randrange(len(content))
    content[at] ^= drawn.randrange(1, 256)
    path.write_bytes(content)
    return f"byte {at}"


def _cut(path: Path, drawn: random.Random) -> str:
    """Cut off the end of a file; return at which size."""
    size = drawn.randrange(path.stat().st_size)
    with path.open("r+b") as file:
        file.truncate(size)
    return f"cut to {size} bytes"


def _read_all(
    findings: Findings,
    setting: Setting,
    home: Home,
    store: Path,
    whole: _Whole,
    readers: list[tuple[str, ...]],
    torn: bool,
) -> None:
    """Run reading commands: each ends in the undamaged store's table, or in one sentence."""
    for reader in readers:
        done = setting.cornerstone(home, *reader, "--store", str(store))
        name = " ".join(("cornerstone", *reader))
        if reader == ("doctor",):  # it lists what is wrong in its table, and then does not end with 0
            told = done.returncode in (0, 1, 2) and done.stdout and _WHAT_IS_SLOW.fullmatch(done.stderr)
            findings.ending(name, None if told else ended_well(done, 2))
            continue
        findings.ending(name, ended_well(done, 1, 2))
        if done.returncode:
            continue
        if torn:  # a torn end is what a kill leaves, so the commits before it are what was stored
            if reader == _READERS[0] and (other := _beyond(done, whole.read[reader])):
                findings.wrong.append(f"{name}: {other} rows that the undamaged store does not have")
        elif done.stdout != whole.read[reader]:
            findings.wrong.append(f"{name}: other results than those of the undamaged store, and not a word")


def _unchanged(findings: Findings, who: str, place: Path, before: Mapping[str, str]) -> None:
    """Note what somebody changed in a folder."""
    findings.wrong += [f"{who} changed the files: {one}" for one in differences(before, content_of(place))]


def _beyond(done: subprocess.CompletedProcess[str], whole: str) -> int:
    """Count the rows that the undamaged store does not have."""
    known = {json.dumps(row) for row in json.loads(whole)}
    found: list[Any] = json.loads(done.stdout)
    return sum(json.dumps(row) not in known for row in found)


def _check_and_salvage(
    findings: Findings,
    setting: Setting,
    home: Home,
    store: Path,
    whole: _Whole,
    torn: bool,
    before: Mapping[str, str],
) -> None:
    """Check the store: it is damaged, or holds what it held. What is salvaged of it is sound and invents nothing."""
    checked = setting.cornerstone(home, "store", "check", str(store), "--json")
    findings.ending("store check", None if checked.returncode in (0, 1) else ended_well(checked, 2))
    if checked.returncode == 0 and not torn:
        read = setting.cornerstone(home, *_READERS[0], "--store", str(store))
        if read.stdout != whole.read[_READERS[0]]:
            findings.wrong.append("store check calls the store sound, but its outcomes are not the undamaged ones")
    fresh = home.folder / "salvaged.duckdb"
    salvaged = setting.cornerstone(home, "store", "salvage", str(store), "-o", str(fresh))
    nothing = salvaged.returncode == 1 and len(salvaged.stderr.splitlines()) == 1  # one sentence: nothing can be read
    findings.ending("store salvage", None if nothing else ended_well(salvaged, 1, 2))
    _unchanged(findings, "check or salvage", store.parent, before)
    if salvaged.returncode:
        return
    sound = setting.cornerstone(home, "store", "check", str(fresh), "--json")
    findings.ending("store check of what was salvaged", ended_well(sound))
    try:
        there = stored(fresh)
    except duckdb.Error as error:
        findings.wrong.append(f"DuckDB cannot read what was salvaged: {error}")
        return
    findings.missed(0, there.repeated)
    if other := changed(whole.outcomes.outcomes, there) + unexpected(whole.outcomes.outcomes, there):
        findings.wrong.append(f"{other} salvaged outcomes are not those of the undamaged store")
    if checked.returncode == 0 and not torn:
        findings.missed(lost(whole.outcomes.outcomes, there), 0)
