"""The configuration of a run, read from YAML and options, and checked. Errors name the file and the key."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic

from core.coalitions.expert_layers import ALL_LAYERS, EXPERTS
from core.coalitions.grouping import SUBLAYERS, grouping_name
from core.config.faults import in_words, mend_of, worst
from core.config.limit import MOST_COUNT, Limit, checked_limit
from core.config.model_config import ModelConfig
from core.config.run_file import find_run_file, read_run_file
from core.config.task_config import Name, Shots, TaskConfig, Utf8Path, absolute_task, written_task
from core.errors import CornerstoneError
from core.estimators.question import Question
from core.estimators.racing import removes_singly
from core.estimators.registry import estimator_named, scheduled, settings
from core.estimators.setting import NamedSetting, Number, settings_of
from core.machine.paths import at_home
from core.machine.plain_text import short_repr
from core.machine.regular_file import kind_at, real_path
from core.records.draw import Draw

_MOST_TASKS = 1000
_MOST_SETS = 100_000
_MOST_GIB = 2**20
_MOST_WORKERS = 4096
_ADDRESS = r"^([A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9A-Fa-f:]{2,39}\]):[0-9]{1,5}$"
"""A host's name or number, and a port."""
_Positive = Annotated[int, pydantic.Field(ge=1, le=MOST_COUNT)]


# The seed of the documents' order is also the seed of permutation's walks.
_SHARED = frozenset({"seed"})
_Integer64 = Annotated[int, pydantic.Field(ge=-(2**63), lt=2**63)]


class RunConfig(ModelConfig, frozen=True, extra="forbid"):
    """The configuration of a run. The command line's options and a file's keys have these names.

    ``limit`` is the number of documents of each task, or a part of them below 1; None for all. ``players`` names the
    grouping whose units a schedule removes; ``players: experts`` stands for ``expert_layers: all``. ``value`` is the
    score to report; schedules in rounds, ``until_top``, ``until_cost`` and the explorer's charts use it too. By default
    it is acc, or the task's first value. ``until_cost`` is in units of the value. ``settings`` holds the settings of
    estimators (``core.estimators.registry``) that differ from their defaults. A file or an option names each as a key
    of the run: ``max_removed: 3``. ``check_files`` also reads the files of local data anew. ``include_path`` lists YAML
    files, and folders of them, that define tasks. ``trust_task_code`` lets them run the code that they name.
    ``workers`` processes evaluate the chunks instead of one, on the cluster of Ray at the address ``ray`` where there
    is one; what they find is the same.
    """

    memory: Annotated[float, pydantic.Field(gt=0, le=_MOST_GIB, allow_inf_nan=False)] | None = None
    tasks: Annotated[tuple[TaskConfig, ...], pydantic.Field(min_length=1, max_length=_MOST_TASKS)]
    limit: Annotated[Limit, pydantic.BeforeValidator(checked_limit)] = None
    order: Literal["shuffled", "file"] = "shuffled"
    seed: _Integer64 = 0
    schedule: Annotated[tuple[Name, ...], pydantic.Field(max_length=_MOST_TASKS)] = ()
    players: Name = SUBLAYERS
    value: Name | None = None
    settings: Mapping[str, Number] = pydantic.Field(default_factory=dict)
    until_top: _Positive | None = None
    until_cost: Annotated[float, pydantic.Field(allow_inf_nan=False)] | None = None
    confidence: Annotated[float, pydantic.Field(gt=0.5, lt=1)] = 0.95
    remove: Annotated[tuple[str, ...], pydantic.Field(max_length=_MOST_SETS)] = ()
    num_fewshot: Shots | None = None
    apply_chat_template: bool = False
    include_path: Annotated[tuple[Utf8Path, ...], pydantic.Field(max_length=_MOST_TASKS)] = ()
    trust_task_code: bool = False
    workers: Annotated[int, pydantic.Field(ge=1, le=_MOST_WORKERS)] | None = None
    ray: Annotated[str, pydantic.Field(pattern=_ADDRESS)] | None = None
    store: Utf8Path | None = None

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

    @pydantic.model_validator(mode="before")
    @classmethod
    def _experts_are_single_players(cls, given: Any) -> Any:
        """Take ``players: experts`` as the experts of the chosen layers, or of all, each alone."""
        if not isinstance(given, Mapping) or given.get("players") != EXPERTS:
            return given
        layers = given.get("expert_layers")
        return {**given, "players": SUBLAYERS, "expert_layers": ALL_LAYERS if layers is None else layers}

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
        return (
            [written_task(one) if isinstance(one, str) else one for one in many] if isinstance(many, Sequence) else many
        )

    @pydantic.field_validator("include_path")
    @classmethod
    def _each_at_home(cls, paths: tuple[Path, ...]) -> tuple[Path, ...]:
        return tuple(dict.fromkeys(map(at_home, paths)))

    @pydantic.field_validator("store")
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
            raise ValueError(f"{error}, or {EXPERTS}") from error

    @pydantic.field_validator("until_top")
    @classmethod
    def _stops_something(cls, top: int | None, info: pydantic.ValidationInfo) -> int | None:
        asked = info.data.get("schedule", ())
        if top is not None and (name := next((name for name in asked if scheduled(name).in_rounds), None)) is not None:
            raise ValueError(f"does not work with {name}: every round needs all documents")
        if top is not None and (name := next((name for name in asked if scheduled(name).extrapolates), None)):
            raise ValueError(f"does not work with {name}: documents do not decide on what is extrapolated")
        if top is not None and (name := next((name for name in asked if scheduled(name).draws()), None)):
            raise ValueError(f"does not work with {name}: documents do not decide on coalitions drawn at random")
        _refuse_file_order(top, info)
        return top

    @pydantic.field_validator("until_cost")
    @classmethod
    def _decides_single_removals(cls, cost: float | None, info: pydantic.ValidationInfo) -> float | None:
        if cost is None:
            return None
        if info.data.get("until_top") is not None:
            raise ValueError("does not work together with until_top: a run decides one of the two")
        settings = info.data.get("settings", {})
        for name in info.data.get("schedule", ()):
            if not removes_singly(estimator_named(scheduled(name).name, settings)):
                raise ValueError(f"does not work with {name}: a cost is what is lost without one unit alone")
        _refuse_file_order(cost, info)
        return cost

    @property
    def schedules(self) -> tuple[str, ...]:
        """The schedules to run: ablation if nothing else was asked for."""
        return self.schedule or (() if self.remove else ("ablation",))

    @property
    def in_rounds(self) -> bool:
        """Whether a schedule chooses its coalitions as it runs, so that their number is only a bound."""
        return any(scheduled(name).in_rounds for name in self.schedules)

    @property
    def decides(self) -> bool:
        """Whether it may stop before the documents run out, because something is decided."""
        return self.until_top is not None or self.until_cost is not None

    def shots(self, task: TaskConfig) -> int | None:
        """Return how many examples the prompts of a task have; None for as many as its own definition says."""
        return self.num_fewshot if task.num_fewshot is None else task.num_fewshot

    def draw(self, size: int) -> Draw | None:
        """Return how documents are drawn from a data set of this size; None if they are the first of the file."""
        return Draw(self.seed, size) if self.order == "shuffled" else None

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
                "until_cost": None,
                "confidence": RunConfig.model_fields["confidence"].default,
                "check_files": False,
                "workers": None,
                "ray": None,
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


def _refuse_file_order(asked: float | None, info: pydantic.ValidationInfo) -> None:
    if asked is not None and info.data.get("order") != "shuffled":
        raise ValueError("a decision holds for documents in random order: leave `order` at shuffled")


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
    file = find_run_file(path)
    return _validated({**read_run_file(file), **given}, given, file)


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
            "tasks": tuple(map(absolute_task, config.tasks)),
            "include_path": tuple(map(real_path, config.include_path)),
            "adapter": None if config.adapter is None else config.adapter.resolve(),
        }
    )


def _validated(content: Mapping[str, Any], given: Mapping[str, Any], file: Path | None) -> RunConfig:
    try:
        return RunConfig.model_validate(content)
    except pydantic.ValidationError as error:
        fault = worst(error)
        where = "" if file is None or fault["loc"][0] in given else f"{file.name}: "
        keys = (*RunConfig.model_fields, *(setting.name for setting in run_settings()))
        raise CornerstoneError(f"{where}{in_words(fault, content, keys, TaskConfig)}", mend_of(fault)) from error
