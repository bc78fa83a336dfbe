"""Choose what to read. A group holds the results of one model on one task over one data set."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, NamedTuple

import duckdb

from core.coalitions.players import Kinds, Player, PlayerKind, kinds_by_layer, players_of
from core.config.gap import Gap
from core.config.run_config import documents_of
from core.config.task_config import TaskConfig
from core.errors import CornerstoneError, Mend
from core.machine.process import is_elsewhere
from core.records.draw import Draw
from core.records.fingerprint import short_id
from core.records.task_group import TaskGroup, groups_in
from core.values.corpus import CORPUS_VALUES
from core.values.derived import derived_values
from core.values.of_task import PREFERRED, meant, own_value, values_of
from store.rows import Selection

_LISTED = 8


@dataclass(frozen=True, slots=True)
class Group:
    """The results of one model on one task over one data set, which may be compared.

    ``asked`` holds the doc_ids and coalition numbers of the selected run, and is None if no run is selected. ``config``
    is the configuration (JSON) of the run with the most documents, the latest of several. ``draw`` is how documents
    were drawn, by that run's seed; None unless all runs took them in random order. ``derives`` says whether any
    document has derived values (``core.values.derived``). ``writing`` lists runs of other processes that still write.

    The results on a group of tasks are a group too: its ``parts`` are those of its tasks, and ``weights`` says by
    metric whether tasks weigh by their documents, or all alike. Not all of its tasks have results if it is not
    ``whole``.
    """

    model: int
    dataset: int
    model_name: str
    task_name: str
    model_id: str
    task_id: str
    kinds: Kinds
    mean_metrics: tuple[str, ...]
    other_metrics: tuple[str, ...]
    config: str
    draw: Draw | None
    asked: tuple[list[int], list[int]] | None
    derives: bool
    writing: tuple[str, ...]
    parts: tuple[Group, ...] = ()
    weights: tuple[tuple[str, bool], ...] = ()
    whole: bool = True

    @property
    def players(self) -> tuple[Player, ...]:
        return players_of(self.kinds)

    @property
    def values(self) -> tuple[str, ...]:
        """The values that it may be read by, as ``core.values.of_task.values_of`` lists them."""
        return values_of(self.mean_metrics, self.other_metrics, derives=self.derives)

    @property
    def own_value(self) -> str:
        """The value that it is read by if none is asked for. A group without values has acc, which reading refuses."""
        return own_value(self.values) or PREFERRED

    @property
    def title(self) -> str:
        return f"{self.model_name} on {self.task_name}"

    @property
    def heading(self) -> dict[str, Any]:
        """The columns that name a row's model and task."""
        return {
            "model": self.model_name,
            "task": self.task_name,
            "model_id": self.model_id,
            "task_id": self.task_id,
        }

    @property
    def outcomes(self) -> tuple[str, list[object]]:
        """FROM and WHERE clauses that select this group's outcomes o, members m and coalitions c; parameters."""
        clause = """FROM members m JOIN outcomes o ON o.document = m.document
            JOIN coalitions c ON c.coalition = o.coalition WHERE m.dataset = ? AND o.model = ?"""
        if self.asked is None:
            return clause, [self.dataset, self.model]
        only = " AND m.doc_id IN (SELECT unnest(?::INTEGER[])) AND o.coalition IN (SELECT unnest(?::INTEGER[]))"
        return clause + only, [self.dataset, self.model, *self.asked]


def find_groups(db: duckdb.DuckDBPyConnection, selection: Selection, *, with_task_groups: bool = False) -> list[Group]:
    """Return the groups that a selection names, by model and task.

    A selection may name a group of tasks or a tag, which stand for their tasks.

    Args:
        db: the open store.
        selection: what to read.
        with_task_groups: return also the results on groups of tasks as wholes, where lm-eval gives them a score.

    Raises:
        CornerstoneError: the store is empty, or a name fits nothing in it.
    """
    if selection.run is not None:
        _check("run", selection.run, [str(run) for (run,) in db.execute("SELECT run FROM runs").fetchall()])
    groups = _groups(db, selection.run)
    if not groups:
        where = "the store holds no results" if selection.run is None else f"run {selection.run} asked for no results"
        raise CornerstoneError(f"{where} yet", Mend.MAKE_RESULTS)
    wholes = task_groups(db, groups, selection.run)
    if selection.model is not None:
        groups = named_groups(groups, selection.model, None)
        models = {group.model for group in groups}
        wholes = [one for one in wholes if one.model in models]
    if selection.task is None:
        found = [*wholes, *groups]
    elif named := [one for one in wholes if selection.task in _names_of(one)]:
        parts = {(part.model, part.dataset) for one in named for part in one.parts}
        found = [*named, *(group for group in groups if (group.model, group.dataset) in parts)]
    else:
        found = named_groups(groups, None, selection.task)
    shown = [group for group in found if not group.parts or (with_task_groups and group.weights)]
    return sorted(shown, key=lambda group: (group.model_name, group.model, not group.parts))


def task_groups(db: duckdb.DuckDBPyConnection, groups: Sequence[Group], run: str | None) -> list[Group]:
    """Return the results on the groups of tasks and the tags that runs named, as wholes, made of ``groups``."""
    rows = db.execute(
        """SELECT r.config, a.model, list(DISTINCT a.dataset) FROM runs r JOIN assignments a ON a.run = r.run
        WHERE ?::VARCHAR IS NULL OR r.run = ? GROUP BY r.run, r.started, r.config, a.model ORDER BY r.started DESC""",
        [run, run],
    ).fetchall()
    found: dict[tuple[int, str, frozenset[int]], Group] = {}
    for config, model, datasets in rows:
        there = {group.task_name: group for group in groups if group.model == model and group.dataset in datasets}
        for named in groups_in(config):
            parts = tuple(there[name] for name in named.members if name in there)
            if parts:
                key = (model, named.name, frozenset(part.dataset for part in parts))
                found.setdefault(key, _whole(named, parts, config))
    # A run that was stopped has only some tasks of what another one has.
    return [one for key, one in found.items() if not any(key[:2] == k[:2] and key[2] < k[2] for k in found)]


def _whole(named: TaskGroup, parts: tuple[Group, ...], config: str) -> Group:
    metrics = tuple(dict.fromkeys(metric for part in parts for metric in part.mean_metrics))
    return replace(
        parts[0],
        dataset=-1,
        task_name=named.name,
        task_id=short_id(*(part.task_id for part in parts)),
        mean_metrics=tuple(metric for metric, _ in named.weights if metric in metrics),
        other_metrics=(),
        config=_naming(named, config),
        asked=None,
        derives=any(part.derives for part in parts),
        writing=tuple(dict.fromkeys(run for part in parts for run in part.writing)),
        parts=parts,
        weights=named.weights,
        whole=len(parts) == len(named.members),
    )


def _naming(named: TaskGroup, config: str) -> str:
    """Return the configuration of a run (JSON) as one that names the group alone, with its data if it was given any."""
    try:
        content = documents_of(config)
    except ValueError:
        return config  # ``config_of`` makes the best of it
    given = [task.data for task in content.tasks if task.name in named.members]
    folders = {None if path is None else path.parent for path in given}
    task = TaskConfig(name=named.name, data=folders.pop() if len(folders) == 1 else None)
    return content.model_copy(update={"tasks": (task,)}).model_dump_json()


def _names_of(group: Group) -> tuple[str, str, str]:
    return group.task_name, group.task_id, f"{group.task_name}@{group.task_id}"


def named_groups(groups: list[Group], model: str | None, task: str | None) -> list[Group]:
    """Return the groups of a model and a task; None stands for all.

    Raises:
        CornerstoneError: a name fits none of them.
    """
    if model is not None:
        groups = _named(groups, "model", model, [(g.model_name, g.model_id) for g in groups])
    if task is not None:
        groups = _named(groups, "task", task, [(g.task_name, g.task_id) for g in groups])
    return groups


def with_value(groups: Sequence[Group], value: str | None) -> tuple[list[tuple[Group, str]], list[Gap]]:
    """Pair each group with the value that it is read by, and return a gap for each group without that value.

    Args:
        groups: the selected groups.
        value: the name of a value; None for each task's own (``core.values.of_task.own_value``).

    Raises:
        CornerstoneError: no group has such a value.
    """
    paired = [(group, group.own_value if value is None else value) for group in groups]
    usable = [(group, name) for group, name in paired if name in group.values]
    refusals = [_refusal(group, name) for group, name in paired if name not in group.values]
    if not usable:
        known = dict.fromkeys(name for group in groups for name in group.values)
        metrics = {name for group in groups for name in group.mean_metrics}
        unknown = value is not None and value not in derived_values()
        if metrics and unknown and not any(value in group.other_metrics for group in groups):
            there = f"there {'is' if len(known) == 1 else 'are'} {', '.join(known)}"
            raise CornerstoneError(f"no value {value!r}; {meant(value or '', list(known))}{there}")
        raise CornerstoneError("; ".join(dict.fromkeys(refusals)))
    return usable, [Gap(refusal) for refusal in refusals]


def _refusal(group: Group, value: str) -> str:
    usable = ", ".join(group.values) or "none"
    if value in derived_values():
        return (
            f"{group.task_name} has no {value}: none of its documents has one right answer among choices "
            f"(usable: {usable})"
        )
    if group.parts and value in CORPUS_VALUES:
        return (
            f"{value} of {group.task_name} is not put together from its tasks; read the tasks one by one "
            f"(usable: {usable})"
        )
    return f"{value!r} of {group.task_name} is not a mean over its documents, so it is no value here (usable: {usable})"


def _groups(db: duckdb.DuckDBPyConnection, run: str | None) -> list[Group]:
    rows = db.execute(
        r"""SELECT a.model, a.dataset, m.name, t.name, m.fingerprint, t.fingerprint, s.fingerprint, m.kinds, m.layers,
                  t.mean_metrics, t.other_metrics, arg_max(r.config, (len(a.doc_ids), r.started)), s.size,
                  bool_and(NOT regexp_matches(r.config, '"order"\s*:\s*"file"')),
                  list_distinct(flatten(list(a.doc_ids) FILTER (a.run = ?))),
                  list_distinct(flatten(list(a.coalitions) FILTER (a.run = ?))),
                  EXISTS (SELECT 1 FROM members e JOIN documents d ON d.document = e.document
                          WHERE e.dataset = a.dataset AND len(d.choices) > 1 AND len(d.gold) = 1),
                  list(DISTINCT [r.run, r.versions, epoch(r.started)::VARCHAR]) FILTER (r.state = 'running')
        FROM assignments a JOIN runs r ON r.run = a.run JOIN models m ON m.model = a.model
        JOIN datasets s ON s.dataset = a.dataset JOIN tasks t ON t.task = s.task
        WHERE ?::VARCHAR IS NULL OR a.run = ?
        GROUP BY ALL ORDER BY m.name, t.name, a.model, a.dataset""",
        [run] * 4,
    ).fetchall()
    return [_group(_Row(*row)) for row in rows]


class _Row(NamedTuple):
    """A row of the query for groups, column by column.

    ``doc_ids`` and ``coalitions`` are those of the selected run, and None if no run is selected. ``running`` has the
    runs that go on, with versions and start.
    """

    model: int
    dataset: int
    model_name: str
    task_name: str
    weights: str
    prompt: str
    data: str
    kinds: list[PlayerKind]
    layers: list[int]
    mean_metrics: list[str]
    other_metrics: list[str]
    config: str
    size: int
    at_random: bool
    doc_ids: list[int] | None
    coalitions: list[int] | None
    derives: bool
    running: list[list[str]] | None


def _group(row: _Row) -> Group:
    now = time.time()
    elsewhere = (
        run for run, versions, began in row.running or () if is_elsewhere(json.loads(versions), now - float(began))
    )
    return Group(
        model=row.model,
        dataset=row.dataset,
        model_name=row.model_name,
        task_name=row.task_name,
        model_id=short_id(row.weights),
        task_id=short_id(row.prompt, row.data),
        kinds=kinds_by_layer(row.kinds, row.layers),
        mean_metrics=tuple(row.mean_metrics),
        other_metrics=tuple(row.other_metrics),
        config=row.config,
        draw=Draw(_seed(row.config), row.size) if row.at_random else None,
        asked=None if row.doc_ids is None or row.coalitions is None else (row.doc_ids, row.coalitions),
        derives=row.derives,
        writing=tuple(sorted(elsewhere)),
    )


def _seed(config: str) -> int:
    """Return the seed of a configuration (JSON); where there is none, the one that is used then."""
    try:
        return int(json.loads(config)["seed"])
    except (ValueError, TypeError, KeyError):
        return 0


def _named(groups: list[Group], what: str, wanted: str, names: Sequence[tuple[str, str]]) -> list[Group]:
    chosen = [
        group for group, (name, ident) in zip(groups, names, strict=True) if wanted in {name, ident, f"{name}@{ident}"}
    ]
    if not chosen:
        _check(what, wanted, [name for name, _ in names])
    return chosen


def _check(what: str, wanted: str, known: Sequence[str]) -> None:
    if wanted in known:
        return
    distinct = list(dict.fromkeys(known))
    close = get_close_matches(wanted, distinct, n=1)
    meant = f"did you mean {close[0]}? it" if close else "it"
    more = f" and {len(distinct) - _LISTED} more" if len(distinct) > _LISTED else ""
    listed = ", ".join(distinct[:_LISTED]) + more if distinct else f"no {what}"
    raise CornerstoneError(f"no {what} {wanted!r} in the store; {meant} holds {listed}")
