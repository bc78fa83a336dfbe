"""What a person asks of a run: read from YAML and the command line, checked, every fault named with file and key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import yaml

from core.errors import CornerstoneError
from core.schedules import DEFAULT_MAX_REMOVED, ScheduleName

DEFAULT_MODEL = "smollm2-135m-instruct"
_Positive = Annotated[int, pydantic.Field(ge=1)]
_Integer64 = Annotated[int, pydantic.Field(ge=-(2**63), lt=2**63)]


class TaskConfig(pydantic.BaseModel, frozen=True, extra="forbid"):
    """One task: its name, a local data file in place of its data set, and its number of few-shot examples."""

    name: str
    data: Path | None = None
    num_fewshot: Annotated[int, pydantic.Field(ge=0)] | None = None


class RunConfig(pydantic.BaseModel, frozen=True, extra="forbid"):
    """A run, whole. The command line's options and a file's keys have these names."""

    model: str = DEFAULT_MODEL
    revision: str | None = None
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    device: Annotated[str, pydantic.Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")] = "auto"
    tasks: Annotated[tuple[TaskConfig, ...], pydantic.Field(min_length=1)]
    limit: _Positive | None = None
    order: Literal["shuffled", "file"] = "shuffled"
    seed: _Integer64 = 0
    schedule: tuple[ScheduleName, ...] = ()
    max_removed: Annotated[int, pydantic.Field(ge=1, le=8)] = DEFAULT_MAX_REMOVED
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

    @property
    def schedules(self) -> tuple[ScheduleName, ...]:
        """The schedules to run: ablation where nothing at all was asked for."""
        return self.schedule or (() if self.remove else ("ablation",))


def load_config(path: Path | None, options: Mapping[str, Any]) -> RunConfig:
    """A run from a YAML file, if there is one, and the options that override it.

    Args:
        path: the file, or the name of a packaged configuration such as ``quickstart``.
        options: by key; None where an option was not given. Paths in them are relative to the working directory.

    Raises:
        CornerstoneError: the file cannot be read, or a key or value is wrong.
    """
    given = {key: value for key, value in options.items() if value is not None}
    if path is None:
        return _validated({"tasks": (), **given}, "command line")
    file = _find(path)
    return _validated({**_read(file), **given}, file.name)


def absolute(config: RunConfig) -> RunConfig:
    """The same with whole paths, for a process that works in another folder."""
    model = Path(config.model).expanduser()
    tasks = tuple(
        task if task.data is None else task.model_copy(update={"data": task.data.expanduser().resolve()})
        for task in config.tasks
    )
    return config.model_copy(update={"model": str(model.resolve()) if model.exists() else config.model, "tasks": tasks})


def _find(path: Path) -> Path:
    packaged = Path(str(resources.files("configs"))) / path.name
    for candidate in (path, packaged, packaged.with_name(f"{packaged.name}.yaml")):
        if candidate.is_file() and (candidate == path or len(path.parts) == 1 or path.parts[0] == "configs"):
            return candidate
    raise CornerstoneError(f"no run configuration {str(path)!r}; give a YAML file, or `quickstart`")


def _read(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
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
    mapping = _task(task) if isinstance(task, str) else task
    if isinstance(mapping, dict) and isinstance(mapping.get("data"), str):
        return {**mapping, "data": folder / Path(mapping["data"]).expanduser()}
    return mapping


def _task(text: str) -> dict[str, Any]:
    name, equals, data = text.partition("=")
    if equals and not data:
        raise CornerstoneError(f"task {text!r} names no file after the equals sign")
    return {"name": name, "data": str(Path(data).expanduser())} if equals else {"name": name}


def _validated(content: Mapping[str, Any], where: str) -> RunConfig:
    try:
        return RunConfig.model_validate(content)
    except pydantic.ValidationError as error:
        raise CornerstoneError(f"{where}: {_explain(error)}") from error


def _explain(error: pydantic.ValidationError) -> str:
    faults = error.errors()
    fault = next((one for one in faults if one["type"] == "extra_forbidden"), faults[0])
    path = [str(part) for part in fault["loc"]]
    key = ".".join(path)
    if fault["type"] == "extra_forbidden":
        model = TaskConfig if path[0] == "tasks" else RunConfig
        close = get_close_matches(path[-1], model.model_fields, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"the keys are {', '.join(model.model_fields)}"
        return f"unknown key {path[-1]!r}, {hint}"
    if key == "tasks" and fault["type"] in {"too_short", "missing"}:
        return "no task is named; add one, such as --task agreement (`cornerstone tasks` lists them)"
    if fault["type"] in {"model_type", "dict_type"}:
        return f"{key}: should be a task's name or a mapping with `name:`, not {fault['input']!r}"
    if key == "device":
        return f"device: should be auto, cpu, mps, cuda or cuda:NUMBER, not {fault['input']!r}"
    return f"{key}: {fault['msg'].lower()}, not {fault['input']!r}"
