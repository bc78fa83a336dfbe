"""The tables of the results browser: their columns, and how to read them. A worker reads, as it opens the store."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from core.coalitions.grouping import SUBLAYERS
from core.estimators.setting import in_digits
from core.values.derived import named
from store.rows import (
    AblationRow,
    CoalitionRow,
    CornerstoneRow,
    GroupRow,
    InteractionRow,
    RunRow,
    ShapleyRow,
)
from store.tables import Option, Table
from tui.drawing.coalition_name import coalition_name
from tui.drawing.command_line import option, store_option
from tui.drawing.cornerstone_rule import RULE, VERDICTS, answers
from tui.drawing.interaction_scale import verdict
from tui.drawing.numbers import NONE, between, cost_text, decimal, standard_error, whole
from tui.drawing.plain import told_apart
from tui.drawing.run_text import what_ran
from tui.explorer.listing import Column, Listing, listing
from tui.explorer.scope import Scope

# A person waits, so the half minute of a command would look like a hang.
PATIENCE_S = 5.0
_IDENTITY = (
    *("model_id", "other_id", "task_id", "run", "value", "doc_id", "removed", "player", "players", "label"),
    *("first", "size", "estimator", "max_removed", "settings"),
)
_SUBJECT = frozenset({"model", "task", "model_id", "task_id"})


def read_listing(path: Path, table: Table, scope: Scope) -> Listing:
    """Read a table.

    If the model and task have no results yet, the rows of all are listed, and the notes say so. A table over tasks,
    such as runs and cornerstones, has the rows of all tasks.

    Raises:
        CornerstoneError: the store cannot be read, or holds nothing.
    """
    from store.results import Results
    from tui.drawing.gap_text import gap_texts, note_texts

    results = Results(path, PATIENCE_S)
    if not table.takes:
        return listing(columns_of(table, ()), table.read(results, scope.asked).rows)
    groups = results.groups().rows
    fits = [group for group in groups if group.model_id == (scope.model_id or group.model_id)]
    if "task" in table.takes:
        fits = [group for group in fits if group.task_id == (scope.task_id or group.task_id)]
    notes = [] if fits else ["nothing is stored yet of this model on this task, so everything is shown"]
    answer = table.read(results, (scope if fits else scope.wide).asked_of(table))
    gaps, doubts = gap_texts(answer.gaps, path), list(note_texts([answer], path))
    said = [*gaps, *doubts]
    if table.row is CornerstoneRow:
        said = [*answers(answer.rows), *doubts, f"{RULE} {VERDICTS}", *gaps]
    return listing(columns_of(table, groups), answer.rows, [*notes, *said])


def options_of(scope: Scope, takes: Sequence[Option]) -> list[str]:
    """Return the options by which a command reads what a scope has, as far as it ``takes`` them."""
    given = {"model": scope.model_id, "task": scope.task_id, "value": scope.value}
    words = [word for key, text in given.items() if text and key in takes for word in option(key, text)]
    for name, number in scope.settings.items():
        if "settings" in takes or name in takes:
            words += option(name, in_digits(number))
    return words


def command_of(table: Table, scope: Scope, store: Path) -> str:
    """Return the command line that prints a table."""
    scope = replace(scope, settings=scope.asked_of(table).settings)
    words = ["cornerstone", "results", table.name, *options_of(scope, table.takes), *store_option(store)]
    return shlex.join(words)


def removed_of(row: Any) -> tuple[int, ...] | None:
    """Return the coalition of a row: a player's row stands for that player removed alone.

    It is None for a run, for rows over several tasks, and for groups of players.
    """
    if not hasattr(row, "task_id") or getattr(row, "players", SUBLAYERS) != SUBLAYERS:
        return None
    if hasattr(row, "removed"):
        return tuple(row.removed)
    if hasattr(row, "first"):
        return tuple(range(row.first, row.first + row.size))
    return (row.player,) if hasattr(row, "player") else None


def is_same(one: Any, other: Any) -> bool:
    """Return whether two rows of a table are of the same thing, whatever their numbers are."""
    return all(getattr(one, name, None) == getattr(other, name, None) for name in _IDENTITY)


def columns_of(table: Table, groups: Sequence[GroupRow]) -> tuple[Column, ...]:
    """Return the columns chosen for a table, or the fields of its row, and then its model and task."""
    own = _WRITTEN.get(table.row) or tuple(_derived(table.row))
    names = {field.name for field in fields(table.row)}
    model, task = _subject(groups)
    subject = [column for column, ident in ((model, "model_id"), (task, "task_id")) if ident in names]
    if table.row is CornerstoneRow:
        return (*own, *subject, _VALUE)
    return (*own, *subject)


def _derived(row: type) -> Iterator[Column]:
    """Yield a column for each field: bounds as one interval, numbers as numbers, the rest as text."""
    hints = get_type_hints(row)
    names = [field.name for field in fields(row)]
    # With their ids these have columns of their own, which tell apart what shares a name.
    subject = {name for name in _SUBJECT if f"{name.removesuffix('_id')}_id" in names}
    for name in names:
        kinds = set(get_args(hints[name]) or (hints[name],))
        if name in subject or (name.endswith("_high") and name.removesuffix("_high") + "_low" in names):
            continue
        if name.endswith("_low") and name.removesuffix("_low") + "_high" in names:
            yield _interval(name, name.removesuffix("_low") + "_high")
        elif tuple in {get_origin(kind) for kind in (hints[name], *kinds)}:
            yield _text(name, partial(_written, name=name))
        elif float in kinds:
            yield _number(name, name)
        elif int in kinds:
            yield _count(name, name)
        else:
            yield _text(name, partial(_written, name=name))


def _written(row: Any, *, name: str) -> str:
    value = getattr(row, name)
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _subject(groups: Sequence[GroupRow]) -> tuple[Column, ...]:
    models = told_apart([(group.model, group.model_id) for group in groups])
    tasks = told_apart([(group.task, group.task_id) for group in groups])
    return (
        _text("model", lambda row: models[row.model_id], common=True),
        _text("task", lambda row: tasks[row.task_id], common=True),
    )


def _text(title: str, of: Callable[[Any], str], *, common: bool = False) -> Column:
    return Column(title, of, of, common=common)


def _number(title: str, field: str, *, falling: bool = False) -> Column:
    return Column(
        title, lambda row: decimal(getattr(row, field)), lambda row: getattr(row, field), numeric=True, falling=falling
    )


def _count(title: str, field: str) -> Column:
    def written(row: Any) -> str:
        number = getattr(row, field)
        return NONE if number is None else whole(number)

    return Column(title, written, lambda row: getattr(row, field), numeric=True)


def _interval(low: str, high: str) -> Column:
    return Column(
        "95%",
        lambda row: between(getattr(row, low), getattr(row, high)),
        lambda row: getattr(row, low),
        numeric=True,
        falling=True,
    )


_PLAYER = Column("player", lambda row: row.label, lambda row: row.player)
_VALUE = _text("value", lambda row: named(row.value), common=True)
_SE = Column(
    "±se",
    lambda row: standard_error(row.acc_se, row.acc_low, row.acc_high),
    lambda row: row.acc_se,
    numeric=True,
)
"""The standard error of a score; where there is none, the 95% interval, which is never of zero width."""
_COALITIONS = (
    Column(
        "removed",
        lambda row: coalition_name(row.removed, row.label.split(", ")),
        lambda row: (len(row.removed), row.removed),
        whole=lambda row: row.label,
    ),
    _number("acc", "acc"),
    _number("intact", "intact_acc"),
    _number("drop", "drop", falling=True),
    _interval("drop_low", "drop_high"),
    _count("n", "n"),
    _SE,
    _number("acc_norm", "acc_norm"),
    _VALUE,
)
_ABLATION = (
    _PLAYER,
    _number("drop", "drop", falling=True),
    _interval("drop_low", "drop_high"),
    _number("acc", "acc"),
    _SE,
    _number("intact", "intact_acc"),
    _number("chance", "chance"),
    _count("n", "n"),
    Column(
        "costs",
        lambda row: "" if row.verdict is None else f"{row.verdict} {cost_text(row.verdict_cost)}",
        lambda row: {"above": 0, "open": 1, "below": 2}.get(row.verdict or ""),
        common=True,
    ),
    _VALUE,
)
_SHAPLEY = (
    _PLAYER,
    _number("phi", "phi", falling=True),
    _interval("phi_low", "phi_high"),
    _number("share", "share", falling=True),
    _interval("share_low", "share_high"),
    _count("rank", "rank"),
    _text("estimator", lambda row: row.estimator, common=True),
    _text("players", lambda row: "" if row.players == SUBLAYERS else row.players, common=True),
    _count("n", "n"),
    _VALUE,
)
_INTERACTIONS = (
    Column("window", lambda row: ", ".join(row.labels), lambda row: (row.size, row.first)),
    _number("effect", "effect"),
    _interval("low", "high"),
    _number("together", "joint_drop", falling=True),
    Column(
        "apart",
        lambda row: decimal(row.effect + row.joint_drop),
        lambda row: row.effect + row.joint_drop,
        numeric=True,
        falling=True,
    ),
    _text("they", verdict),
    _count("n", "n"),
    _VALUE,
)
_CORNERSTONES = (
    _PLAYER,
    _text("cornerstone", lambda row: row.cornerstone),
    _number("lost", "collapse", falling=True),
    _interval("collapse_low", "collapse_high"),
    _number("share", "share", falling=True),
    _interval("share_low", "share_high"),
    _count("n", "n"),
)
_RUNS = (
    Column("started (UTC)", lambda row: f"{row.started:%Y-%m-%d %H:%M}", lambda row: row.started, falling=True),
    _text("state", lambda row: row.state),
    _text("what", what_ran),
    _text("tasks", lambda row: ", ".join(row.tasks)),
    _count("outcomes", "outcomes"),
    _text("model", lambda row: row.model, common=True),
    _count("documents", "documents"),
    _count("coalitions", "coalitions"),
    _text("run", lambda row: row.run),
    _text("command", lambda row: row.command),
)
_WRITTEN: Mapping[type, tuple[Column, ...]] = {
    CoalitionRow: _COALITIONS,
    AblationRow: _ABLATION,
    ShapleyRow: _SHAPLEY,
    InteractionRow: _INTERACTIONS,
    CornerstoneRow: _CORNERSTONES,
    RunRow: _RUNS,
}
"""Columns chosen by hand. Other tables show the fields of their rows."""
