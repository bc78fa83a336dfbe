"""What a person asks of a run: read from YAML and the command line, checked, every fault named with file and key."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import yaml

from core.coalitions.grouping import SUBLAYERS, grouping_name
from core.coalitions.schedules import (
    DEFAULT_MAX_REMOVED,
    DEFAULT_PERMUTATIONS,
    DEFAULT_TOLERANCE,
    FEWEST_PERMUTATIONS,
    ScheduleName,
)
from core.config.faults import in_words, worst
from core.errors import CornerstoneError
from core.machine.yaml_text import load_yaml

DEFAULT_MODEL = "smollm2-135m-instruct"
_Positive = Annotated[int, pydantic.Field(ge=1)]
# What `command_of` says only where it is not the default.
_OPTIONS = (
    "limit",
    "max_removed",
    "players",
    "value",
    "permutations",
    "tolerance",
    "until_top",
    "confidence",
    "order",
    "seed",
    "num_fewshot",
    "dtype",
    "device",
    "memory",
    "revision",
)
_Integer64 = Annotated[int, pydantic.Field(ge=-(2**63), lt=2**63)]


class TaskConfig(pydantic.BaseModel, frozen=True, extra="forbid"):
    """One task: its name, a local data file in place of its data set, and its number of few-shot examples."""

    name: str
    data: Path | None = None
    num_fewshot: Annotated[int, pydantic.Field(ge=0)] | None = None


class RunConfig(pydantic.BaseModel, frozen=True, extra="forbid"):
    """A run, whole. The command line's options and a file's keys have these names.

    ``players`` names the grouping whose units a schedule removes. ``value`` is what is looked at while a run goes on
    and reported: by a permutation's truncation (``tolerance``), by ``until_top``, in the explorer's charts; by default
    acc, or the task's first metric that is a mean.
    """

    model: str = DEFAULT_MODEL
    revision: str | None = None
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    device: Annotated[str, pydantic.Field(pattern=r"^(auto|cpu|mps|spread|cuda(:\d+)?)$")] = "auto"
    memory: Annotated[float, pydantic.Field(gt=0)] | None = None
    tasks: Annotated[tuple[TaskConfig, ...], pydantic.Field(min_length=1)]
    limit: _Positive | None = None
    order: Literal["shuffled", "file"] = "shuffled"
    seed: _Integer64 = 0
    schedule: tuple[ScheduleName, ...] = ()
    max_removed: Annotated[int, pydantic.Field(ge=1, le=8)] = DEFAULT_MAX_REMOVED
    players: str = SUBLAYERS
    value: str | None = None
    permutations: Annotated[int, pydantic.Field(ge=FEWEST_PERMUTATIONS, multiple_of=2)] = DEFAULT_PERMUTATIONS
    tolerance: Annotated[float, pydantic.Field(ge=0)] = DEFAULT_TOLERANCE
    until_top: _Positive | None = None
    confidence: Annotated[float, pydantic.Field(gt=0.5, lt=1)] = 0.95
    remove: tuple[str, ...] = ()
    num_fewshot: Annotated[int, pydantic.Field(ge=0)] | None = None
    apply_chat_template: bool = False
    offline: bool = False
    store: Path | None = None

    @pydantic.field_validator("schedule", "remove", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @pydantic.field_validator("tasks", mode="before")
    @classmethod
    def _names_or_mappings(cls, value: Any) -> Any:
        many = [value] if isinstance(value, str | Mapping) else value
        return [_task(one) if isinstance(one, str) else one for one in many] if isinstance(many, Sequence) else many

    @pydantic.field_validator("store")
    @classmethod
    def _at_home(cls, value: Path | None) -> Path | None:
        return None if value is None else value.expanduser()

    @pydantic.field_validator("tasks")
    @classmethod
    def _each_once(cls, tasks: tuple[TaskConfig, ...]) -> tuple[TaskConfig, ...]:
        for number, task in enumerate(tasks):
            if task in tasks[:number]:
                raise ValueError(f"{task.name!r} is named twice")
        return tasks

    @pydantic.field_validator("remove")
    @classmethod
    def _no_empty_set(cls, sets: tuple[str, ...]) -> tuple[str, ...]:
        for text in sets:
            if not text.strip(", "):
                raise ValueError(
                    f"{text!r} names no layer; write such as 'Attn 0,FFN 3' (the intact model is always evaluated)"
                )
        return sets

    @pydantic.field_validator("players")
    @classmethod
    def _a_grouping(cls, name: str) -> str:
        try:
            return grouping_name(name)
        except CornerstoneError as error:
            raise ValueError(str(error)) from error

    @pydantic.field_validator("until_top")
    @classmethod
    def _stops_something(cls, top: int | None, info: pydantic.ValidationInfo) -> int | None:
        if top is not None and "permutation" in info.data.get("schedule", ()):
            raise ValueError("a permutation's documents all belong to each of its rounds, so it cannot stop among them")
        if top is not None and info.data.get("order") != "shuffled":
            raise ValueError("a decision holds for documents in random order: leave `order` at shuffled")
        return top

    @property
    def schedules(self) -> tuple[ScheduleName, ...]:
        """The schedules to run: ablation where nothing at all was asked for."""
        return self.schedule or (() if self.remove else ("ablation",))


def load_config(path: Path | None, options: Mapping[str, Any]) -> RunConfig:
    """A run from a YAML file, if there is one, and the options that override it.

    Args:
        path: the file, or the name of a packaged configuration such as ``quickstart`` or ``paper/llama-3-8b``.
        options: by key; None where an option was not given. Paths in them are relative to the working directory.

    Raises:
        CornerstoneError: the file cannot be read, or a key or value is wrong.
    """
    given = {key: value for key, value in options.items() if value is not None}
    if path is None:
        return _validated({"tasks": (), **given}, given, None)
    file = _find(path)
    return _validated({**_read(file), **given}, given, file)


def absolute(config: RunConfig) -> RunConfig:
    """The same with whole paths, for a process that works in another folder. An alias is no path."""
    from core.models.aliases import aliases

    path = Path(config.model).expanduser()
    there = path.exists() and config.model not in {alias.name for alias in aliases()}
    tasks = tuple(
        task if task.data is None else task.model_copy(update={"data": task.data.expanduser().resolve()})
        for task in config.tasks
    )
    return config.model_copy(update={"model": str(path.resolve()) if there else config.model, "tasks": tasks})


def command_of(config: RunConfig) -> str:
    """The command line that runs a configuration: on its store, or on the one that is used by default."""
    parts = ["cornerstone", "run", "--model", config.model]
    for task in config.tasks:
        parts += ["--task", task.name if task.data is None else f"{task.name}={task.data}"]
    for name in config.schedule:
        parts += ["--schedule", name]
    for removed in config.remove:
        parts += ["--remove", removed]
    defaults = RunConfig(tasks=config.tasks)
    for key in _OPTIONS:
        if getattr(config, key) != getattr(defaults, key):
            parts += [f"--{key.replace('_', '-')}", str(getattr(config, key))]
    if config.apply_chat_template:
        parts.append("--apply-chat-template")
    if config.store is not None:
        parts += ["--store", str(config.store)]
    return shlex.join(parts)


def _find(path: Path) -> Path:
    if path.is_file():
        return path
    packaged = dict(_packaged())
    name = path.as_posix().removeprefix("configs/").removesuffix(".yaml")
    if name in packaged:
        return packaged[name]
    close = get_close_matches(name, packaged, n=1)
    hint = f"did you mean {close[0]}?" if close else f"give a YAML file, or one that is packaged: {', '.join(packaged)}"
    raise CornerstoneError(f"no run configuration {str(path)!r}; {hint}")


def _packaged() -> Iterator[tuple[str, Path]]:
    """The packaged runs by name, such as ``quickstart`` and ``paper/llama-3-8b``."""
    folder = Path(str(resources.files("configs")))
    for file in sorted([*folder.glob("*.yaml"), *folder.glob("paper/*.yaml")]):
        yield file.relative_to(folder).with_suffix("").as_posix(), file


def _read(file: Path) -> dict[str, Any]:
    try:
        content = load_yaml(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CornerstoneError(f"cannot read {file}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{file}, line {mark.line + 1}" if mark else str(file)
        raise CornerstoneError(
            f"{place}: not valid YAML ({getattr(error, 'problem', None) or 'unreadable'})"
        ) from error
    if not isinstance(content, dict):
        raise CornerstoneError(f"{file}: a run configuration is a mapping of keys, such as `model:` and `tasks:`")
    tasks = content.get("tasks")
    if isinstance(tasks, list):
        content["tasks"] = [_relative_to(file.parent, task) for task in tasks]
    if isinstance(content.get("store"), str):
        content["store"] = file.parent / Path(content["store"]).expanduser()
    return content


def _relative_to(folder: Path, task: Any) -> Any:
    mapping = _task(task) if isinstance(task, str) and not task.endswith("=") else task
    if isinstance(mapping, dict) and isinstance(mapping.get("data"), str):
        return {**mapping, "data": folder / Path(mapping["data"]).expanduser()}
    return mapping


def _task(text: str) -> dict[str, Any]:
    name, equals, data = text.partition("=")
    if equals and not data:
        raise ValueError(f"no file after = in {text!r}")
    return {"name": name, "data": str(Path(data).expanduser())} if equals else {"name": name}


def _validated(content: Mapping[str, Any], given: Mapping[str, Any], file: Path | None) -> RunConfig:
    try:
        return RunConfig.model_validate(content)
    except pydantic.ValidationError as error:
        fault = worst(error)
        where = "command line" if file is None or fault["loc"][0] in given else file.name
        raise CornerstoneError(f"{where}: {in_words(fault, content, RunConfig, TaskConfig)}") from error
