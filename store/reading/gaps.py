"""What is missing for an answer, in one sentence with the command that fills it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import pydantic

from core.coalitions.grouping import SUBLAYERS
from core.coalitions.schedules import ScheduleName
from core.config.run_config import RunConfig, command_of
from core.estimators.question import Question
from store.file.location import named
from store.reading.groups import Group, Values

# What belongs to one schedule, and not to the documents.
_OF_SCHEDULES = ("max_removed", "players", "permutations", "tolerance", "confidence")


def no_ablation(group: Group, store: Path) -> str:
    """Neither a player removed alone, nor the intact model over the same documents."""
    what = "no document has both the intact model and a player removed alone"
    return f"{group.title}: {what}; {_fill(group, store, 'ablation')}"


def no_ablation_of_all(group: Group, store: Path, removed: int, players: int) -> str:
    """Some players were removed alone, but not all, or not over the same documents."""
    what = f"partial: no document has all {players} players removed alone ({removed} of them are on some document)"
    return f"{group.title}: {what}; {_fill(group, store, 'ablation')}"


def no_intact(group: Group, store: Path, question: Question, value: str = "acc") -> str:
    """Nothing to measure against."""
    what = "the intact model, which every removal is measured against, is not stored"
    return f"{group.title}: {what}; {_fill_for(group, store, question, value)}"


def lacks_coalitions(
    group: Group, store: Path, question: Question, missing: int, wanted: int, value: str = "acc"
) -> str:
    """Coalitions that an estimator reads are not there; ``wanted`` is 0 where only a round of them is known."""
    what = f"{missing} of {wanted} coalitions are missing" if wanted else f"{_more_coalitions(missing)} missing"
    return f"{group.title}: {what} for {described(question)}; {_fill_for(group, store, question, value)}"


def no_document(group: Group, store: Path, question: Question, wanted: int, value: str = "acc") -> str:
    """Every coalition is there, but not over the same document."""
    which = f"all {wanted} coalitions of" if wanted else "every coalition of"
    what = f"no document has {which} {described(question)}"
    return f"{group.title}: {what}; {_fill_for(group, store, question, value)}"


def no_exact(group: Group, store: Path, players: str) -> str:
    """No grouping has all its coalitions stored; those of ``players`` would do."""
    what = "exact values to compare estimators with are not stored"
    return f"{group.title}: {what}; {_fill_for(group, store, Question('exact', players))}"


def only_shorter(group: Group, store: Path, question: Question, missing: int, wanted: int, found: int) -> str:
    """An estimate was made from shorter windows than were asked for; ``missing`` is 0 where documents are."""
    why = f"{missing} of {wanted} coalitions are missing" if missing else "no document has all the coalitions"
    return (
        f"{group.title}: partial, from windows of up to {found}, as {why} for {described(question)}; "
        f"{_fill_for(group, store, question)}"
    )


def left_out(group: Group, value: str, values: Values) -> list[str]:
    """Which documents have no such value."""
    said = []
    if values.lacking:
        what = _documents(values.lacking, "several right answers, or no choices")
        said.append(f"{group.title}: {what}, so no {value}; left out")
    if values.not_finite:
        count = _documents(values.not_finite, f"a {value} that is not finite under some coalition")
        said.append(f"{group.title}: {count}; left out")
    return said


def described(question: Question) -> str:
    """What an estimate reads, in words."""
    what = {
        "exact": "exact values",
        "leave-one-out": "leave-one-out",
        "permutation": f"{question.permutations} walks of permutation (seed {question.seed}, tolerance "
        f"{question.tolerance:g})",
    }.get(question.estimator, f"windows of up to {question.max_removed}")
    return what if question.players == SUBLAYERS else f"{what} of {question.players}"


def _documents(count: int, what: str) -> str:
    return f"{count} document has {what}" if count == 1 else f"{count} documents have {what}"


def _more_coalitions(count: int) -> str:
    return "at least 1 coalition is" if count == 1 else f"at least {count} coalitions are"


def _fill_for(group: Group, store: Path, question: Question, value: str = "acc") -> str:
    """Where a walk of permutation ends depends on the value that it looks at; other schedules serve all values."""
    names: dict[str, ScheduleName] = {
        "exact": "exact",
        "permutation": "permutation",
        "leave-one-out": "ablation",
    }
    settings: dict[str, object] = {"max_removed": question.max_removed, "players": question.players}
    if question.estimator == "permutation":
        settings |= {"value": None if value == "acc" else value}
        settings |= {"permutations": question.permutations, "tolerance": question.tolerance, "seed": question.seed}
    return _fill(group, store, names.get(question.estimator, "windows"), settings)


def _fill(
    group: Group, store: Path, schedule: ScheduleName, settings: Mapping[str, object] = MappingProxyType({})
) -> str:
    """The command that asks for this task's documents, with their prompt settings, under another schedule."""
    config = under(config_of(group), (schedule,)).model_copy(update={**settings, "store": named(store)})
    return filled_by(command_of(config), [group])


def filled_by(command: str, groups: Iterable[Group]) -> str:
    """What fills a gap in these results: a command, for what the runs that are still writing them leave out."""
    runs = list(dict.fromkeys(run for group in groups for run in group.writing))
    if not runs:
        return f"`{command}` fills it"
    going_on = f"run {runs[0]} is" if len(runs) == 1 else f"runs {', '.join(runs)} are"
    return f"{going_on} still writing, and what is missing after that `{command}` fills"


def under(config: RunConfig, schedules: tuple[ScheduleName, ...]) -> RunConfig:
    """The same documents under other schedules, whose settings are those by default."""
    plain = {"schedule": schedules, "remove": (), "until_top": None, "value": None}
    defaults = {key: field.default for key, field in RunConfig.model_fields.items() if key in _OF_SCHEDULES}
    return config.model_copy(update={**defaults, **plain})


def config_of(group: Group) -> RunConfig:
    """What the widest run of this group was asked, of this task alone."""
    try:
        config = RunConfig.model_validate_json(group.config)
    except pydantic.ValidationError:
        return RunConfig.model_validate({"model": group.model_name, "tasks": group.task_name})
    task = next((task for task in config.tasks if task.name == group.task_name), config.tasks[0])
    shots = config.num_fewshot if task.num_fewshot is None else task.num_fewshot
    alone = task.model_copy(update={"num_fewshot": None})
    return config.model_copy(update={"tasks": (alone,), "num_fewshot": shots})
