"""What a run is asked to do: read from YAML, overridden by the command line, checked before anything is loaded.

Every fault is one sentence naming where it was written (file or option) and the key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, get_args

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from core.errors import CornerstoneError
from core.schedules import DEFAULT_MAX_REMOVED, ScheduleName

DType = Literal["auto", "float32", "bfloat16", "float16"]
Order = Literal["shuffled", "file"]

DEFAULT_MODEL = "smollm2-135m-instruct"
LONGEST_WINDOW = 8

_Text = Annotated[str, Field(min_length=1)]
_Shots = Annotated[StrictInt, Field(ge=0)]


class TaskConfig(BaseModel):
    """One task: its name, a JSON-lines file in place of its data set, and its own number of examples in the prompt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: _Text = Field(description="the name of a task")
    data: Path | None = Field(None, description="the path of a JSON-lines file")
    num_fewshot: _Shots | None = Field(None, description="a whole number, 0 or more")

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, written: object) -> object:
        if not isinstance(written, str):
            return written
        name, equals, file = (part.strip() for part in written.partition("="))
        return {"name": name, "data": file} if equals and file else {"name": name}

    @field_validator("data")
    @classmethod
    def _at_home(cls, data: Path | None) -> Path | None:
        return None if data is None else data.expanduser()


class RunConfig(BaseModel):
    """A run: one model, some tasks, the coalitions to evaluate, and how.

    ``schedule`` is ablation where neither it nor ``remove`` says anything. Each text in ``remove`` is one coalition,
    such as ``"Attn 0,FFN 3"``. ``num_fewshot`` is for tasks that do not bring their own. ``limit`` counts documents
    of each task, after ordering.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: _Text = Field(DEFAULT_MODEL, description="an alias, a hub id, a folder or a GGUF file")
    revision: _Text | None = Field(None, description="a branch, tag or commit of the hub, as text")
    dtype: DType = Field("auto", description="auto, float32, bfloat16 or float16")
    device: str = Field("auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$", description="auto, cpu, cuda, cuda:N or mps")
    tasks: tuple[TaskConfig, ...] = Field(
        (), description="a list of tasks: a name, name=FILE, or name, data, num_fewshot"
    )
    limit: Annotated[StrictInt, Field(gt=0)] | None = Field(None, description="a whole number above 0")
    order: Order = Field("shuffled", description="shuffled or file")
    seed: Annotated[StrictInt, Field(ge=0)] = Field(0, description="a whole number, 0 or more")
    schedule: tuple[ScheduleName, ...] = Field((), description="ablation, windows, or a list of them")
    max_removed: Annotated[StrictInt, Field(ge=1, le=LONGEST_WINDOW)] = Field(
        DEFAULT_MAX_REMOVED, description=f"a whole number from 1 to {LONGEST_WINDOW}"
    )
    remove: tuple[_Text, ...] = Field((), description='a list of removed sets such as "Attn 0,FFN 3"')
    num_fewshot: _Shots | None = Field(None, description="a whole number, 0 or more")
    apply_chat_template: StrictBool = Field(False, description="true or false")
    offline: StrictBool = Field(False, description="true or false")
    store: Path | None = Field(None, description="the path of a store file")

    @field_validator("tasks", "schedule", "remove", mode="before")
    @classmethod
    def _one_or_many(cls, written: object) -> object:
        return [written] if isinstance(written, str | Mapping) else written

    @field_validator("tasks", "schedule", "remove")
    @classmethod
    def _each_once(cls, items: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(dict.fromkeys(items))

    @field_validator("store")
    @classmethod
    def _at_home(cls, store: Path | None) -> Path | None:
        return None if store is None else store.expanduser()

    @property
    def schedules(self) -> tuple[ScheduleName, ...]:
        """The schedules to run: those asked for, or ablation where no coalition is asked for at all."""
        return self.schedule or (() if self.remove else ("ablation",))

    def fewshot_of(self, task: TaskConfig) -> int | None:
        """How many examples a task's prompt is asked to hold; None for the task's own default."""
        return self.num_fewshot if task.num_fewshot is None else task.num_fewshot

    def relative_to(self, folder: Path) -> RunConfig:
        """The same run, its relative paths read from ``folder``. A model is a path here if it starts with a dot."""
        tasks = tuple(
            task if task.data is None else task.model_copy(update={"data": folder / task.data}) for task in self.tasks
        )
        store = None if self.store is None else folder / self.store
        model = str((folder / self.model).resolve()) if self.model.startswith(".") else self.model
        return self.model_copy(update={"tasks": tasks, "store": store, "model": model})


def load_config(source: str | None, options: Mapping[str, object]) -> RunConfig:
    """Read a run's configuration.

    Args:
        source: a YAML file, or the name of a packaged configuration; None for the command line alone.
        options: what the command line says, by key; each replaces the file's.

    Raises:
        CornerstoneError: no such file, it cannot be read, or a key or value in it is wrong; or no task is named.
    """
    written = {} if source is None else _read(find_config(source), source)
    chosen = RunConfig() if source is None else _check(written, f"{source}: ").relative_to(find_config(source).parent)
    said = _check(options, "--", spell=_as_option)
    chosen = chosen.model_copy(update={key: getattr(said, key) for key in options})
    if not chosen.tasks:
        named = f"{source} names no task; add" if source else "no task named; give --task NAME or"
        raise CornerstoneError(f"{named} a line such as `tasks: [agreement]`" if source else f"{named} a configuration")
    return chosen


def packaged_configs() -> tuple[str, ...]:
    """The names of the run configurations that ship with this package."""
    folder = _folder()
    files = [*folder.glob("*.yaml"), *folder.glob("paper/*.yaml")]
    return tuple(sorted(file.relative_to(folder).with_suffix("").as_posix() for file in files))


def find_config(source: str) -> Path:
    """The file that a person means: a path, or else the name of a packaged configuration."""
    path = Path(source).expanduser()
    if path.is_file():
        return path
    names = packaged_configs()
    if source in names:
        return _folder() / f"{source}.yaml"
    close = get_close_matches(source, names, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}?" if close else f"packaged ones: {', '.join(names)}"
    raise CornerstoneError(f"no configuration {source!r}: there is no such file; {hint}")


def _folder() -> Path:
    return Path(str(resources.files("configs")))
