"""Bad inputs: each ends in one sentence with exit code 2, changes nothing, and takes little time and memory."""

from __future__ import annotations

import functools
import hashlib
import importlib
import os
import pkgutil
import random
import re
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import tests.support
from tests.faults import bad_files
from tests.faults.endings import refused
from tests.faults.evaluators import clean
from tests.faults.home import Home, content_of, differences
from tests.faults.programs_killed import on_terminal
from tests.faults.setting import Setting
from tests.faults.verdict import Case, Findings, Verdict
from tests.faults.watched import MOST_S, watched
from tests.support.bad_input import BadInput, BadInputs
from tests.support.programs import MAIN

_MOST_SEEDS = 100
_NOTHING_NEW = 3
# Caches of facts that are true whatever else is wrong: digests of files, layouts of models, and rows that were read.
_CACHED_FACT = re.compile(r"(huggingface(/.*)?|cache/cornerstone(/models|/(digests|layouts)(/.*)?)?) was made")
_CTRL_Q = b"\x11"
_SCREEN = b"\x1b[?1049h"


def inputs(setting: Setting) -> Iterator[Case]:
    """Yield the bad inputs of all generators, as many of each as of the others as long as they have new ones."""
    wanted, number = setting.sizes.inputs, 0
    every = max(1, wanted // max(1, setting.sizes.whole_programs))
    sources = [_Source(name, generate, setting) for name, generate in _generators().items()]
    while wanted > number and (alive := [source for source in sources if not source.exhausted]):
        share = -(-(wanted - number) // len(alive))
        for source in alive:
            for name, bad, folder in source.take(min(share, wanted - number)):
                yield Case(name, _tried(setting, bad, folder, whole=number % every == every - 1))
                number += 1


def _generators() -> Mapping[str, BadInputs]:
    """Return the generators of ``tests.support`` by name."""
    found: dict[str, BadInputs] = {}
    for module in pkgutil.iter_modules(tests.support.__path__):
        if not module.name.startswith("bad_") or module.name == "bad_input":
            continue
        content = vars(importlib.import_module(f"tests.support.{module.name}"))
        if "bad_inputs" in content:
            found[module.name] = content["bad_inputs"]
        if "bad_masks" in content:
            found[f"{module.name} masks"] = functools.partial(bad_files.masks, content["bad_masks"])
        if "bad_sessions" in content:
            found[f"{module.name} sessions"] = functools.partial(bad_files.sessions, content["bad_sessions"])
    return found


@dataclass(slots=True)
class _Source:
    """A generator with the inputs that it has not given yet. ``exhausted`` when new seeds give nothing new."""

    name: str
    generate: BadInputs
    setting: Setting
    exhausted: bool = False
    _known: set[str] = field(default_factory=set)
    _waiting: Iterator[tuple[str, BadInput, Path]] | None = None

    def take(self, most: int) -> Iterator[tuple[str, BadInput, Path]]:
        """Yield up to ``most`` inputs that are new, each with its name and its folder."""
        if self._waiting is None:
            self._waiting = self._all()
        for _ in range(most):
            if (found := next(self._waiting, None)) is None:
                self.exhausted = True
                return
            yield found

    def _all(self) -> Iterator[tuple[str, BadInput, Path]]:
        stale = 0
        for seed in range(_MOST_SEEDS):
            folder = self.setting.folder / "inputs" / f"{self.name} {seed}"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            before = len(self._known)
            made = list(enumerate(self.generate(self.setting.seed * _MOST_SEEDS + seed, folder)))
            random.Random(seed).shuffle(made)  # so that a share has inputs of every kind
            for at, bad in made:
                if (mark := _mark(bad, folder)) not in self._known:
                    self._known.add(mark)
                    yield f"{self.name} {seed} {at}", bad, folder
            stale = stale + 1 if len(self._known) == before else 0
            if stale == _NOTHING_NEW:
                return


def _mark(bad: BadInput, folder: Path) -> str:
    """Return a digest of an input and of the files that it names, wherever the folder is."""
    digest = hashlib.sha256()
    for text in (bad.kind, *bad.argv, *map("=".join, bad.environment.items())):
        digest.update(text.encode("utf-8", "surrogateescape").replace(os.fsencode(folder), b""))
        for part in text.split("="):
            if part.startswith(f"{folder}/") and os.path.lexists(part):
                digest.update(_bytes(Path(part)))
    return digest.hexdigest()


def _bytes(path: Path) -> bytes:
    if path.is_dir():
        return repr(sorted(content_of(path).items())).encode("utf-8", "surrogateescape")
    return path.read_bytes() if stat.S_ISREG(path.lstat().st_mode) else b"special"


def _tried(setting: Setting, bad: BadInput, made_in: Path, *, whole: bool) -> Callable[[Path], Verdict]:
    attempt = _session_opened if bad.kind == bad_files.SESSION else _refused
    return lambda folder: attempt(setting, bad, made_in, Home.made(folder / "home", setting.home), whole)


def _refused(setting: Setting, bad: BadInput, made_in: Path, home: Home, whole: bool) -> Verdict:
    """Run the command line of an input, and check how it ends."""
    findings = Findings(f"bad {bad.kind}")
    before, files = home.content(), _states(made_in)
    program = ["-c", bad_files.READ_MASK] if bad.kind == bad_files.MASK else [*MAIN]
    done = watched([*program, *bad.argv], home, bad.environment, whole=whole)
    findings.ending(bad.name, done.problem or refused(done.ended))
    changes = [*differences(before, home.content()), *differences(files, _states(made_in))]
    findings.wrong += [f"{bad.name}: {change}" for change in changes if not _CACHED_FACT.fullmatch(change)]
    return findings.verdict()


def _session_opened(setting: Setting, bad: BadInput, made_in: Path, home: Home, whole: bool) -> Verdict:
    """Start the explorer on a session: it is refused in one sentence, or the explorer starts, and quits when asked."""
    del made_in, whole, setting
    findings = Findings(f"bad {bad.kind}")
    shown = bytearray()
    store = Path(bad.argv[bad.argv.index("--store") + 1])
    begun = time.monotonic()
    try:
        with on_terminal([*bad.argv], home, shown, bad.environment) as terminal:
            while terminal.program.poll() is None and time.monotonic() - begun < 2 * MOST_S:
                if _SCREEN in shown:
                    terminal.type(_CTRL_Q)
                time.sleep(0.1)
            code = terminal.program.poll()
    finally:
        clean(store)
    text = bytes(shown).decode("utf-8", "replace")
    problem = None
    if code is None:
        problem = f"the explorer neither started nor ended within {2 * MOST_S:.0f} s"
    elif "Traceback" in text or code not in (0, 2):
        problem = f"exit code {code}: ... {text[-300:]!r}"
    elif code == 2 and _SCREEN not in shown and "cornerstone: " not in text:
        problem = f"no sentence: {text[-300:]!r}"
    findings.ending(bad.name, problem)
    return findings.verdict()


def _states(folder: Path) -> Mapping[str, str]:
    """Return for every path below a folder what changes whenever its content does; nothing is opened."""
    found = {}
    for path in folder.rglob("*"):
        status = path.lstat()
        size = 0 if path.is_dir() else status.st_size
        found[str(path.relative_to(folder))] = f"{status.st_ino} {size} {0 if path.is_dir() else status.st_mtime_ns}"
    return found
