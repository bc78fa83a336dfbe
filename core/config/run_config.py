"""The configuration of a run, read from YAML and options, and checked. Errors name the file and the key."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import yaml

from core.coalitions.grouping import SUBLAYERS, grouping_name
from core.config.faults import in_words, mend_of, worst
from core.config.limit import MOST_COUNT, Limit, checked_limit
from core.errors import CornerstoneError
from core.estimators.question import Question
from core.estimators.registry import estimator_named, scheduled, settings
from core.estimators.setting import NamedSetting, Number, settings_of
from core.machine.paths import at_home
from core.machine.plain_text import is_utf8, short_repr
from core.machine.regular_file import kind_at, real_path
from core.machine.small_file import read_small
from core.machine.yaml_text import load_yaml, what_is_wrong

DEFAULT_MODEL = "smollm2-135m-instruct"

_MOST_TASKS = 1000
_MOST_SHOTS = 10_000
_MOST_SETS = 100_000
_MOST_GIB = 2**20
_Positive = Annotated[int, pydantic.Field(ge=1, le=MOST_COUNT)]
_Shots = Annotated[int, pydantic.Field(ge=0, le=_MOST_SHOTS)]
_LONGEST_NAME = 255
_Name = Annotated[str, pydantic.Field(min_length=1, max_length=_LONGEST_NAME)]


def _in_utf8(path: Path) -> Path:
    if not is_utf8(str(path)):
        raise ValueError(f"{short_repr(str(path))} is not UTF-8; rename the file or its folder")
    return path


_Path = Annotated[Path, pydantic.AfterValidator(_in_utf8)]
# The longest path that Linux takes.
_Place = Annotated[str, pydantic.Field(min_length=1, max_length=4096)]
# The seed of the documents' order is also the seed of permutation's walks.
_SHARED = frozenset({"seed"})
_Integer64 = Annotated[int, pydantic.Field(ge=-(2**63), lt=2**63)]


def is_path(name: str) -> bool:
    """Return whether the name of a task is the path of a file or folder: it has a slash, or ends as YAML files do."""
    return "/" in name or name.endswith((".yaml", ".yml"))


def _name_or_path(name: str) -> str:
    if len(name) > _LONGEST_NAME and not is_path(name):
        raise ValueError(f"{short_repr(name)} has {len(name)} characters, and at most {_LONGEST_NAME} are possible")
    return name


class TaskConfig(pydantic.BaseModel, frozen=True, extra="forbid"):
    """One task: its name, local data in place of its data set, and its number of few-shot examples.

    The name may be that of a group or a tag, which stand for their tasks, or the path of a YAML file or a folder of
    them. ``data`` is a file, or for several tasks a folder with a file for each, ``NAME.jsonl``.
    """

    name: Annotated[_Place, pydantic.AfterValidator(_name_or_path)]
    data: _Path | None = None
    num_fewshot: _Shots | None = None


class RunConfig(pydantic.BaseModel, frozen=True, extra="forbid"):
    """The configuration of a run. The command line's options and a file's keys have these names.

    ``adapter`` is the folder of a LoRA adapter, with which the model is another one.
    ``limit`` is the number of documents of each task, or a part of them below 1; None for all. ``players`` names the
    grouping whose units a schedule removes. ``value`` is the score to report; schedules in rounds, ``until_top`` and
    the explorer's charts use it too. By default it is acc, or the task's first metric that is a mean. ``settings``
    holds the settings of estimators (``core.estimators.registry``) that differ from their defaults. A file or an option
    names each as a key of the run: ``max_removed: 3``. ``check_files`` reads the files of the model and of local data
    anew to identify them, instead of trusting what is known of them. ``include_path`` lists YAML files, and folders of
    them, that define tasks. ``trust_task_code`` lets them run the code that they name.
    """

    model: _Place = DEFAULT_MODEL
    revision: _Name | None = None
    adapter: _Path | None = None
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    device: Annotated[str, pydantic.Field(pattern=r"^(auto|cpu|mps|spread|cuda(:[0-9]{1,4})?)$")] = "auto"
    memory: Annotated[float, pydantic.Field(gt=0, le=_MOST_GIB, allow_inf_nan=False)] | None = None
    tasks: Annotated[tuple[TaskConfig, ...], pydantic.Field(min_length=1, max_length=_MOST_TASKS)]
    limit: Annotated[Limit, pydantic.BeforeValidator(checked_limit)] = None
    order: Literal["shuffled", "file"] = "shuffled"
    seed: _Integer64 = 0
    schedule: Annotated[tuple[_Name, ...], pydantic.Field(max_length=_MOST_TASKS)] = ()
    players: _Name = SUBLAYERS
    value: _Name | None = None
    settings: Mapping[str, Number] = pydantic.Field(default_factory=dict)
    until_top: _Positive | None = None
    confidence: Annotated[float, pydantic.Field(gt=0.5, lt=1)] = 0.95
    remove: Annotated[tuple[str, ...], pydantic.Field(max_length=_MOST_SETS)] = ()
    num_fewshot: _Shots | None = None
    apply_chat_template: bool = False
    offline: bool = False
    check_files: bool = False
    include_path: Annotated[tuple[_Path, ...], pydantic.Field(max_length=_MOST_TASKS)] = ()
    trust_task_code: bool = False
    store: _Path | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _settings_are_keys(cls, given: Any) -> Any:
        """Gather the settings of estimators, which a file names beside the other keys."""
        if not isinstance(given, Mapping):
            return given
        own = {setting.name: given[setting.name] for setting in run_settings() if setting.name in given}
        rest = {key: value for key, value in given.items() if key not in own}
        named = rest.get("settings", {})
        return {**rest, "settings": {**named, **own} if isinstance(named, Mapping) else named}

    @pydantic.field_validator("settings", mode="before")
    @classmethod
    def _known_and_in_range(cls, given: Any) -> Any:
        """Check settings, and keep those that differ from their defaults, so that equal runs compare equal."""
        known = {setting.name: setting for setting in run_settings()}
        if not isinstance(given, Mapping):
            raise ValueError(  # noqa: TRY004 what pydantic takes for a fault of the input
                f"settings should be a mapping, such as {{max_removed: 3}}, not {short_repr(given)}"
            )
        kept = {}
        for name, value in given.items():
            if name not in known:
                raise ValueError(f"no estimator has a setting {short_repr(name)}; there is {', '.join(known)}")
            try:
                number = known[name].checked(value)
            except CornerstoneError as error:
                raise ValueError(str(error)) from error
            if number != known[name].default:
                kept[name] = number
        return kept

    @pydantic.field_validator("schedule")
    @classmethod
    def _a_schedule(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            try:
                scheduled(name)
            except CornerstoneError as error:
                raise ValueError(str(error)) from error
        return names

    @pydantic.field_validator("schedule", "remove", "include_path", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str | Path) else value

    @pydantic.field_validator("tasks", mode="before")
    @classmethod
    def _names_or_mappings(cls, value: Any) -> Any:
        many = [value] if isinstance(value, str | Mapping) else value
        return [_task(one) if isinstance(one, str) else one for one in many] if isinstance(many, Sequence) else many

    @pydantic.field_validator("include_path")
    @classmethod
    def _each_at_home(cls, paths: tuple[Path, ...]) -> tuple[Path, ...]:
        return tuple(dict.fromkeys(map(at_home, paths)))

    @pydantic.field_validator("store", "adapter")
    @classmethod
    def _at_home(cls, value: Path | None) -> Path | None:
        return None if value is None else at_home(value)

    @pydantic.field_validator("tasks")
    @classmethod
    def _each_once(cls, tasks: tuple[TaskConfig, ...]) -> tuple[TaskConfig, ...]:
        known: set[TaskConfig] = set()
        for task in tasks:
            if task in known:
                raise ValueError(f"{short_repr(task.name)} is named twice")
            known.add(task)
        return tasks

    @pydantic.field_validator("remove")
    @classmethod
    def _no_empty_set(cls, sets: tuple[str, ...]) -> tuple[str, ...]:
        for text in sets:
            if not text.strip(", "):
                raise ValueError(
                    f"{short_repr(text)} names no layer; write such as 'Attn 0,FFN 3' "
                    "(the intact model is always evaluated)"
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
        asks = (name for name in info.data.get("schedule", ()) if scheduled(name).in_rounds)
        if top is not None and (name := next(asks, None)) is not None:
            raise ValueError(f"does not work with {name}: every round needs all documents")
        if top is not None and info.data.get("order") != "shuffled":
            raise ValueError("a decision holds for documents in random order: leave `order` at shuffled")
        return top

    @property
    def schedules(self) -> tuple[str, ...]:
        """The schedules to run: ablation if nothing else was asked for."""
        return self.schedule or (() if self.remove else ("ablation",))

    @property
    def in_rounds(self) -> bool:
        """Whether a schedule chooses its coalitions as it runs, so that their number is only a bound."""
        return any(scheduled(name).in_rounds for name in self.schedules)

    def question(self, name: str) -> Question:
        """Return the question of a schedule or an estimator, with this run's settings and players.

        Raises:
            CornerstoneError: there is no such schedule or estimator.
        """
        return Question(estimator_named(scheduled(name).name, {**self.settings, "seed": self.seed}), self.players)

    def under(self, *schedules: str) -> RunConfig:
        """Return a run of the same documents under other schedules, with default settings and without a store."""
        return self.model_copy(
            update={
                "schedule": schedules,
                "remove": (),
                "players": SUBLAYERS,
                "settings": {},
                "value": None,
                "until_top": None,
                "confidence": RunConfig.model_fields["confidence"].default,
                "check_files": False,
                "store": None,
            }
        )

    def asking(self, question: Question, value: str | None = None) -> RunConfig:
        """Return a run of the same documents that evaluates the coalitions of a question.

        Args:
            question: the run takes its schedule, settings and players.
            value: the value that a schedule in rounds looks at; None for each task's own.
        """
        settings: dict[str, Number] = {}
        update: dict[str, Any] = {"players": question.players, "settings": settings, "value": value}
        for setting in settings_of(type(question.estimator)):
            number = getattr(question.estimator, setting.name)
            if setting.name in _SHARED:
                update[setting.name] = number
            elif number != setting.default:
                settings[setting.name] = number
        return self.under(question.estimator.schedule).model_copy(update=update)


def run_settings() -> tuple[NamedSetting, ...]:
    """List the settings of estimators that are keys of a run, without the seed, which every run has.

    Raises:
        CornerstoneError: a plugin's setting has the name of a run's own key.
    """
    found = tuple(setting for setting in settings() if setting.name not in _SHARED)
    for setting in found:
        if setting.name in RunConfig.model_fields:
            raise CornerstoneError(f"{setting.name!r} is a key of every run; the plugin has to rename its setting")
    return found


def load_config(path: Path | None, options: Mapping[str, Any]) -> RunConfig:
    """Make the configuration of a run from a YAML file, if one is given, and options that override it.

    Args:
        path: the file, or the name of a packaged configuration such as ``quickstart`` or ``paper/llama-3-8b``.
        options: values by key, None for an option that was not given. Their paths are relative to the working
            directory.

    Raises:
        CornerstoneError: the file cannot be read, or a key or value is wrong.
    """
    given = {key: value for key, value in options.items() if value is not None}
    if path is None:
        return _validated({"tasks": (), **given}, given, None)
    file = _find(path)
    return _validated({**_read(file), **given}, given, file)


def documents_of(stored: str) -> RunConfig:
    """Read the model, tasks and documents of a stored configuration (JSON), without its schedules and settings.

    Schedules and settings may come from a plugin that is no longer installed. The rest can be read all the same.

    Raises:
        pydantic.ValidationError: it is no configuration.
    """
    content = json.loads(stored)
    if isinstance(content, dict):
        # ``groups`` is what a record adds: see ``core.tasks.expand.recorded``.
        dropped = {"schedule", "settings", "until_top", "groups"}
        content = {key: value for key, value in content.items() if key not in dropped}
    return RunConfig.model_validate(content)


def absolute(config: RunConfig) -> RunConfig:
    """Return the configuration with absolute paths, for a process in another folder. An alias is no path."""
    from core.models.aliases import aliases

    path = at_home(config.model)
    there = config.model not in {alias.name for alias in aliases()} and kind_at(path) is not None
    return config.model_copy(
        update={
            "model": str(path.resolve()) if there else config.model,
            "tasks": tuple(map(_absolute_task, config.tasks)),
            "include_path": tuple(map(real_path, config.include_path)),
            "adapter": None if config.adapter is None else config.adapter.resolve(),
        }
    )


def _absolute_task(task: TaskConfig) -> TaskConfig:
    update: dict[str, Any] = {}
    if task.data is not None:
        update["data"] = real_path(at_home(task.data))
    if is_path(task.name):
        update["name"] = str(real_path(at_home(task.name)))
    return task.model_copy(update=update)


def _find(path: Path) -> Path:
    kind = kind_at(path)
    if kind == "file":
        return path
    packaged = dict(_packaged())
    name = path.as_posix().removeprefix("configs/").removesuffix(".yaml")
    if name in packaged:
        return packaged[name]
    close = get_close_matches(name, packaged, n=1)
    hint = f"did you mean {close[0]}?" if close else f"give a YAML file, or one that is packaged: {', '.join(packaged)}"
    said = "" if kind is None else f", which is a {kind}"
    raise CornerstoneError(f"no run configuration {short_repr(str(path))}{said}; {hint}")


def _packaged() -> Iterator[tuple[str, Path]]:
    """Yield the packaged runs by name, such as ``quickstart`` and ``paper/llama-3-8b``."""
    folder = Path(str(resources.files("configs")))
    for file in sorted([*folder.glob("*.yaml"), *folder.glob("paper/*.yaml")]):
        yield file.relative_to(folder).with_suffix("").as_posix(), file


def _read(file: Path) -> dict[str, Any]:
    try:
        content = load_yaml(read_small(file, str(file)))
    except FileNotFoundError as error:
        raise CornerstoneError(f"cannot read {file}: {error.strerror}") from error
    except yaml.YAMLError as error:
        line, problem = what_is_wrong(error)
        place = str(file) if line is None else f"{file}, line {line}"
        raise CornerstoneError(f"{place}: not valid YAML ({problem})") from error
    if not isinstance(content, dict):
        raise CornerstoneError(f"{file}: a run configuration is a mapping of keys, such as `model:` and `tasks:`")
    tasks = content.get("tasks")
    if isinstance(tasks, list):
        content["tasks"] = [_relative_to(file.parent, task) for task in tasks]
    paths = content.get("include_path")
    if isinstance(paths, str | list):
        each = [paths] if isinstance(paths, str) else paths
        content["include_path"] = [file.parent / at_home(one) if isinstance(one, str) else one for one in each]
    for key in ("store", "adapter"):
        if isinstance(content.get(key), str):
            content[key] = file.parent / at_home(content[key])
    return content


def _relative_to(folder: Path, task: Any) -> Any:
    mapping = _task(task) if isinstance(task, str) and not task.endswith("=") else task
    if not isinstance(mapping, dict):
        return mapping
    update: dict[str, Any] = {}
    if isinstance(mapping.get("data"), str):
        update["data"] = folder / at_home(mapping["data"])
    if isinstance(mapping.get("name"), str) and is_path(mapping["name"]):
        update["name"] = str(folder / at_home(mapping["name"]))
    return {**mapping, **update}


def _task(text: str) -> dict[str, Any]:
    name, equals, data = text.partition("=")
    if equals and not data:
        raise ValueError(f"no file after = in {short_repr(text)}")
    return {"name": name, "data": str(at_home(data))} if equals else {"name": name}


def _validated(content: Mapping[str, Any], given: Mapping[str, Any], file: Path | None) -> RunConfig:
    try:
        return RunConfig.model_validate(content)
    except pydantic.ValidationError as error:
        fault = worst(error)
        where = "" if file is None or fault["loc"][0] in given else f"{file.name}: "
        keys = (*RunConfig.model_fields, *(setting.name for setting in run_settings()))
        raise CornerstoneError(f"{where}{in_words(fault, content, keys, TaskConfig)}", mend_of(fault)) from error
