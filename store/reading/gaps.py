"""Make gaps: each says in a sentence what an answer lacks, and holds the run that fills it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from core.config.gap import Gap, PackagedStudy
from core.config.run_config import RunConfig, documents_of
from core.config.task_config import TaskConfig
from core.estimators.exact import Exact
from core.estimators.question import Question
from core.statistics.ratio import TooLargeError
from store.reading.groups import Group
from store.reading.pooled import Values


@contextmanager
def gap_if_too_large(gaps: list[Gap], title: str) -> Iterator[None]:
    """Add a gap of this title where what is read inside is too large to calculate with, as a perplexity may be."""
    try:
        yield
    except TooLargeError as error:
        gaps.append(Gap(f"{title}: {error}"))


def no_ablation(group: Group) -> Gap:
    """Return the gap where no document has both the intact model and a player removed alone."""
    what = "no document has both the intact model and a player removed alone"
    return _gap(group, what, config_of(group).under("ablation"))


def no_ablation_of_all(group: Group, removed: int, players: int) -> Gap:
    """Return the gap where some players lack their ablation, or have other documents."""
    what = f"partial: no document has all {players} players removed alone ({removed} of them are on some document)"
    return _gap(group, what, config_of(group).under("ablation"))


def no_intact(group: Group, question: Question, value: str | None = None) -> Gap:
    """Return the gap where the intact model was not evaluated."""
    what = "the intact model, which every removal is measured against, is not stored"
    return _gap(group, what, _fill_for(group, question, value))


def lacks_coalitions(group: Group, question: Question, missing: int, wanted: int, value: str | None = None) -> Gap:
    """Return the gap where an estimator lacks coalitions. ``wanted`` is 0 if only the next round is known."""
    what = f"{missing} of {wanted} coalitions are missing" if wanted else f"{_more_coalitions(missing)} missing"
    return _gap(group, f"{what} for {question.described}", _fill_for(group, question, value))


def no_document(group: Group, question: Question, wanted: int, value: str | None = None) -> Gap:
    """Return the gap where every coalition is stored, but no document has all of them."""
    which = f"all {wanted} coalitions of" if wanted else "every coalition of"
    what = f"no document has {which} {question.described}"
    return _gap(group, what, _fill_for(group, question, value))


def no_exact(group: Group, players: str) -> Gap:
    """Return the gap where no grouping has all its coalitions stored. The run evaluates those of ``players``."""
    what = "exact values to compare estimators with are not stored"
    return _gap(group, what, _fill_for(group, Question(Exact(), players)))


def only_shorter(group: Group, question: Question, missing: int, wanted: int, found: Question) -> Gap:
    """Return the gap where an estimate has only a part of its coalitions.

    ``missing`` is 0 if all coalitions are stored, but not for the same documents.
    """
    why = f"{missing} of {wanted} coalitions are missing" if missing else "no document has all the coalitions"
    what = f"partial, from {found.estimator.described()}, as {why} for {question.described}"
    return _gap(group, what, _fill_for(group, question))


def left_out(group: Group, value: str, values: Values) -> list[str]:
    """Return sentences on the documents that have no such value, and on a value of which lower is better."""
    said = []
    if values.ratio is not None:
        said.append(f"{group.title}: lower is better for {value}, and a drop is by how much it grows")
    if values.lacking and values.ratio is not None:
        said.append(f"{group.title}: {_documents(values.lacking, f'no {value} of its own')}; left out")
    elif values.lacking:
        what = _documents(values.lacking, "several right answers, or no choices")
        said.append(f"{group.title}: {what}, so no {value}; left out")
    if values.not_finite:
        count = _documents(values.not_finite, f"a {value} that is not finite under some coalition")
        said.append(f"{group.title}: {count}; left out")
    return said


def _documents(count: int, what: str) -> str:
    return f"{count} document has {what}" if count == 1 else f"{count} documents have {what}"


def _more_coalitions(count: int) -> str:
    return "at least 1 coalition is" if count == 1 else f"at least {count} coalitions are"


def _fill_for(group: Group, question: Question, value: str | None = None) -> RunConfig:
    """Return the run that evaluates the coalitions of a question. A schedule in rounds also depends on the value."""
    looks = question.estimator.in_rounds and value != group.own_value
    return config_of(group).asking(question, value if looks else None)


def _gap(group: Group, what: str, fill: RunConfig) -> Gap:
    return Gap(f"{group.title}: {what}", fill, group.writing)


def filled(what: str, fill: RunConfig | PackagedStudy, groups: Iterable[Group]) -> Gap:
    """Return a gap that several groups share, with all runs that still write to them."""
    return Gap(what, fill, tuple(dict.fromkeys(run for group in groups for run in group.writing)))


def config_of(group: Group) -> RunConfig:
    """Return the configuration of the run with the most documents, for this task alone."""
    try:
        config = documents_of(group.config)
    except ValueError:
        # The names of a store are taken as they are, whatever a configuration would allow.
        task = TaskConfig.model_construct(name=group.task_name)
        plain = RunConfig.model_validate({"tasks": "any"})
        return plain.model_copy(update={"model": group.model_name, "tasks": (task,)})
    task = next((task for task in config.tasks if task.name == group.task_name), config.tasks[0])
    shots = config.num_fewshot if task.num_fewshot is None else task.num_fewshot
    alone = task.model_copy(update={"num_fewshot": None})
    return config.model_copy(update={"tasks": (alone,), "num_fewshot": shots})
