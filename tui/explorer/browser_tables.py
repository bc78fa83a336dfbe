"""The tables of the results browser: their columns, and reading them. Reading is for a worker: it opens the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.coalitions.grouping import SUBLAYERS
from core.coalitions.schedules import DEFAULT_MAX_REMOVED
from core.values.derived import named
from tui.drawing.coalition_name import coalition_name
from tui.drawing.cornerstone_rule import RULE, VERDICTS, answers
from tui.drawing.interaction_scale import verdict
from tui.drawing.numbers import between, decimal, whole
from tui.drawing.plain import told_apart
from tui.explorer.listing import Column, Listing, listing

if TYPE_CHECKING:
    from core.estimators.question import Question
    from store.results import Answer, Results
    from store.rows import GroupRow, Selection, ShapleyRow

LISTED = ("coalitions", "ablation", "shapley", "interactions", "cornerstones", "runs")
TITLES: Mapping[str, str] = {
    "coalitions": "Coalitions",
    "ablation": "Ablation",
    "shapley": "Shapley values",
    "interactions": "Interactions",
    "cornerstones": "Cornerstones",
    "runs": "Runs",
    "outcomes": "Outcomes",
}
# A person waits: half a minute, as a command does, would look like a hang.
PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Scope:
    """Of what a table is: a model and a task, or (None) all of them; by which metric, windows up to which length.

    ``question`` is what Shapley values answer besides the windows of sublayers.
    """

    model_id: str | None = None
    task_id: str | None = None
    value: str = "acc"
    max_removed: int = DEFAULT_MAX_REMOVED
    question: Question | None = None

    @property
    def narrow(self) -> bool:
        """Whether it leaves anything out."""
        return (self.model_id, self.task_id) != (None, None)

    @property
    def wide(self) -> Scope:
        """The same of every model and task."""
        return replace(self, model_id=None, task_id=None)


def read_listing(path: Path, table: str, scope: Scope) -> Listing:
    """One of ``LISTED``.

    Of a model and task that have nothing stored yet, everything is listed, and the notes say so. Runs are listed all.

    Raises:
        CornerstoneError: the store cannot be read, or holds nothing.
    """
    from store.results import Results

    results = Results(path, PATIENCE_S)
    if table == "runs":
        return listing(_RUNS, results.runs().rows)
    groups = results.groups().rows
    fits = [group for group in groups if group.model_id == (scope.model_id or group.model_id)]
    if table == "cornerstones":
        return _cornerstones(results, scope if fits else scope.wide, groups)
    fits = [group for group in fits if group.task_id == (scope.task_id or group.task_id)]
    notes = [] if fits else ["nothing is stored yet of this model on this task, so everything is shown"]
    answer = read(results, table, scope if fits else scope.wide)
    return listing(_columns(table, groups), answer.rows, [*notes, *answer.gaps, *answer.notes])


def _cornerstones(results: Results, scope: Scope, groups: Sequence[GroupRow]) -> Listing:
    """The rule's answer, the rule, and a row of evidence a player."""
    answer = read(results, "cornerstones", scope)
    model, _task = _subject(groups)
    return listing(
        (*_CORNERSTONES, model, _VALUE),
        answer.rows,
        [*answers(answer.rows), *answer.notes, f"{RULE} {VERDICTS}", *answer.gaps],
    )


def read(results: Results, table: str, scope: Scope) -> Answer[Any]:
    """The rows of a table, as `cornerstone results TABLE` has them."""
    from store.reading.paper import PaperSelection
    from store.rows import Selection

    models = () if scope.model_id is None else (scope.model_id,)
    selection = Selection(scope.model_id, scope.task_id)
    readers: dict[str, Callable[[], Answer[Any]]] = {
        "coalitions": lambda: results.coalitions(selection, scope.value),
        "ablation": lambda: results.ablation(selection, scope.value),
        "shapley": lambda: _shapley(results, selection, scope),
        "interactions": lambda: results.interactions(selection, scope.value, max(scope.max_removed, 2)),
        "cornerstones": lambda: results.cornerstones(PaperSelection(models, max_removed=scope.max_removed)),
        "outcomes": lambda: results.outcomes(selection),
        "runs": results.runs,
    }
    return readers[table]()


def _shapley(results: Results, selection: Selection, scope: Scope) -> Answer[ShapleyRow]:
    """What the windows say, after what was asked for besides."""
    from store.reading.answer import Answer

    windows = results.shapley(selection, scope.value, max_removed=scope.max_removed)
    if scope.question is None:
        return windows
    own = results.answers([scope.question], selection, scope.value)
    gaps = own.gaps if own.rows and not windows.rows else (*own.gaps, *windows.gaps)
    return Answer((*own.rows, *windows.rows), gaps, tuple(dict.fromkeys((*own.notes, *windows.notes))))


def row_type(table: str) -> type:
    """The dataclass of a table's rows."""
    from store import rows

    return {
        "coalitions": rows.CoalitionRow,
        "ablation": rows.AblationRow,
        "shapley": rows.ShapleyRow,
        "interactions": rows.InteractionRow,
        "cornerstones": rows.CornerstoneRow,
        "outcomes": rows.OutcomeRow,
        "runs": rows.RunRow,
    }[table]


def removed_of(row: Any) -> tuple[int, ...] | None:
    """The coalition that a row is of: a player's own row is of that player removed alone.

    A run has none, and neither has what is of several tasks or of a group of players.
    """
    if not hasattr(row, "task_id") or getattr(row, "players", SUBLAYERS) != SUBLAYERS:
        return None
    if hasattr(row, "removed"):
        return tuple(row.removed)
    if hasattr(row, "first"):
        return tuple(range(row.first, row.first + row.size))
    return (row.player,) if hasattr(row, "player") else None


def _columns(table: str, groups: Sequence[GroupRow]) -> tuple[Column, ...]:
    own = {
        "coalitions": _COALITIONS,
        "ablation": _ABLATION,
        "shapley": _SHAPLEY,
        "interactions": _INTERACTIONS,
    }
    return (*own[table], *_subject(groups))


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
    return Column(title, lambda row: whole(getattr(row, field)), lambda row: getattr(row, field), numeric=True)


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
_COALITIONS = (
    Column(
        "removed",
        lambda row: coalition_name(row.removed, row.label.split(", ")),
        lambda row: (len(row.removed), row.removed),
        whole=lambda row: row.label,
    ),
    _number("acc", "acc"),
    _number("±se", "acc_se"),
    _number("drop", "drop", falling=True),
    _interval("drop_low", "drop_high"),
    _count("n", "n"),
    _number("acc_norm", "acc_norm"),
    _VALUE,
)
_ABLATION = (
    _PLAYER,
    _number("drop", "drop", falling=True),
    _interval("drop_low", "drop_high"),
    _number("acc", "acc"),
    _number("±se", "acc_se"),
    _number("intact", "intact_acc"),
    _number("chance", "chance"),
    _count("n", "n"),
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
    _text("model", lambda row: row.model),
    _text("tasks", lambda row: ", ".join(row.tasks)),
    _count("documents", "documents"),
    _count("coalitions", "coalitions"),
    _count("outcomes", "outcomes"),
    _text("run", lambda row: row.run),
    _text("command", lambda row: row.command),
)
