"""What all parts share: the seed, how much to try, models, and a home to copy."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from core.config.model_config import DEFAULT_MODEL
from core.config.run_config import RunConfig
from tests.faults.home import Home
from tests.faults.stored import Stored, stored
from tests.faults.verdict import Case
from tests.support.default_model import default_model
from tests.support.programs import MAIN, Program

PATIENCE_S: Final = 300.0
"""A guard against hanging, in seconds; far longer than anything takes."""

_TASKS: Final = ("agreement", "capitals")
_SCHEDULES: Final = ("ablation", "windows")
_LIMIT: Final = 8
_LONGEST: Final = 2


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much a part tries. The defaults are those of `make faults`."""

    recordings_killed: int = 600
    runs_killed: int = 300
    commands_killed: int = 60
    evaluators_killed: int = 20
    explorers_killed: int = 20
    commits: int = 300
    full_disks: int = 100
    flips: int = 100
    truncations: int = 100
    writers: int = 12
    readers: int = 4
    writing_s: float = 120.0
    inputs: int = 1000
    whole_programs: int = 50
    workers_killed: int = 25
    drivers_killed: int = 25
    default_workers_killed: int = 3


@dataclass(frozen=True)
class Setting:
    """The seed and sizes of a harness run, and what its cases share.

    Attributes:
        folder: for the journals and scratch files.
        seed: every random choice comes from it and from the case's name.
        sizes: how much to try.
    """

    folder: Path
    seed: int = 0
    sizes: Sizes = Sizes()

    @cached_property
    def home(self) -> Home:
        """A home whose cache knows the models and lm-eval's tasks already, to be copied; nothing writes to it."""
        shutil.rmtree(self.folder / "home", ignore_errors=True)
        home = Home.made(self.folder / "home")
        models = home.folder / "cache" / "cornerstone" / "models"
        models.mkdir(parents=True)
        (models / DEFAULT_MODEL).symlink_to(default_model())
        for model in (self.model, self.other_model):
            store = self._undisturbed(model)
            store.unlink(missing_ok=True)
            done = self.cornerstone(home, "run", *self.study(model), "--store", str(store))
            assert done.returncode == 0, done.stderr
        # What lm-eval has is read once for a version of it, in some 15 s.
        done = self.cornerstone(home, "tasks", "arc_easy")
        assert done.returncode == 0, done.stderr
        return home

    @cached_property
    def model(self) -> Path:
        """The folder of a tiny model."""
        return self._model("tiny", 0)

    @cached_property
    def other_model(self) -> Path:
        """The folder of a model that differs from ``model`` in its weights alone."""
        return self._model("other", 1)

    @staticmethod
    def study(model: Path) -> list[str]:
        """Return the options of a run that takes about a second: two tasks, so that it writes several times."""
        tasks = [part for name in _TASKS for part in ("--task", name)]
        schedules = [part for name in _SCHEDULES for part in ("--schedule", name)]
        return ["--model", str(model), *tasks, "--limit", str(_LIMIT), *schedules, "--max-removed", str(_LONGEST)]

    @staticmethod
    def study_config(model: Path) -> RunConfig:
        """Return the same study as a configuration, as an explorer sends it to its evaluator."""
        return RunConfig.model_validate(
            {
                "model": str(model),
                "tasks": _TASKS,
                "limit": _LIMIT,
                "schedule": _SCHEDULES,
                "max_removed": _LONGEST,
            }
        )

    def undisturbed(self, model: Path) -> Stored:
        """Return the outcomes of a model's study, recorded by a run that nothing disturbed."""
        assert self.home
        return stored(self._undisturbed(model))

    def _undisturbed(self, model: Path) -> Path:
        return self.folder / f"{model.name}.duckdb"

    def cornerstone(
        self, home: Home, *arguments: str, whole: bool = False, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the command to its end, forked unless it is to be a whole program."""
        return self.ran([*MAIN, *arguments], home, whole=whole, environment=environment)

    def ran(
        self, arguments: list[str], home: Home, *, whole: bool = False, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a Python to its end in a home; see ``tests.support.programs.Program``."""
        program = Program(
            arguments, folder=home.folder, environment={**home.environment, **(environment or {})}, whole=whole
        )
        try:
            return program.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess([], 124, "", f"it did not end within {PATIENCE_S:.0f} s")
        finally:
            program.end()

    @cached_property
    def has_store_commands(self) -> bool:
        """Whether the program can check and salvage stores."""
        return self.cornerstone(self.home, "store", "--help").returncode == 0

    def _model(self, name: str, seed: int) -> Path:
        folder = self.folder / "models" / name
        if not (folder / "tokenizer.json").exists():  # written last
            builder = Home.made(self.folder / "builder")
            done = self.ran(["-m", "tests.faults.tiny_model", str(folder), str(seed)], builder)
            assert done.returncode == 0, done.stderr
        return folder


Part = Callable[[Setting], Iterator[Case]]
"""Yields the cases of a part, in an order that the seed decides."""
