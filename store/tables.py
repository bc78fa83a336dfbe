"""The tables of results: the description, the options and the reader of each.

Each table is a subcommand of the command line, a choice of the explorer's export dialog and, if ``listed``, a tab of
its browser. A new table is a row (a frozen dataclass), a reader, and an entry here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, is_dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, get_args

from core.coalitions.grouping import SUBLAYERS
from core.errors import CornerstoneError
from core.estimators.question import Question
from core.estimators.setting import Number
from core.estimators.windows import WindowFirst
from core.plugins import contributed
from store.comparison_rows import AgreementRow, FormatRow, PairRow, ValueRow
from store.rows import (
    AblationRow,
    CoalitionRow,
    CornerstoneRow,
    InteractionRow,
    OutcomeRow,
    RunRow,
    ScoreRow,
    Selection,
    ShapleyRow,
)

if TYPE_CHECKING:
    from store.reading.answer import Answer
    from store.results import Results

Option = Literal[
    "model",
    "task",
    "tasks",
    "run",
    "value",
    "authors' value",
    "estimator",
    "window estimator",
    "units",
    "exact units",
    "settings",
    "max_removed",
    "top",
    "shapiq",
    "cost",
    "reference",
]
"""The options that a table may take. The command line describes each of them once."""

_NAME = re.compile(r"[a-z][a-z0-9-]*")
_SELECTED: tuple[Option, ...] = ("model", "task", "run")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for the rows of a table. A reader uses the attributes that concern it.

    Attributes:
        selection: the results to read.
        tasks: the tasks, for a table whose rows describe a model over tasks; () for the table's own choice.
        value: a mean over documents; None for each task's own.
        estimator: the name of an estimator; None for both window estimators.
        players: the grouping whose units share a value; None for the table's own choice.
        settings: settings of estimators by name; others have their defaults.
        top: how many units count as the top.
        shapiq: whether shapiq's approximators are compared too. That loads libraries which take seconds.
        question: a question whose Shapley values come first.
        cost: the drop that single removals are compared with; None for what the latest run asked about.
        reference: a model that others are compared with; None for the table's own choice.
    """

    selection: Selection = field(default_factory=Selection)
    tasks: tuple[str, ...] = ()
    value: str | None = None
    estimator: str | None = None
    players: str | None = None
    settings: Mapping[str, Number] = field(default_factory=lambda: MappingProxyType({}))
    top: int = 3
    shapiq: bool = False
    question: Question | None = None
    cost: float | None = None
    reference: str | None = None

    @property
    def max_removed(self) -> int:
        """The longest window."""
        return WindowFirst.of(self.settings).max_removed


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    Attributes:
        name: the name of the subcommand, and of the exported file: lower-case letters, digits and hyphens.
        title: the title of the tab.
        summary: one sentence that describes a row; more paragraphs may follow it.
        row: the frozen dataclass of a row; its fields are the columns.
        read: reads the rows.
        takes: the options that it takes.
        dropped: columns that are left out in a narrow terminal, in this order.
        listed: whether the browser has a tab for it.
        documents: whether a row leads to the documents of one coalition.
    """

    name: str
    title: str
    summary: str
    row: type
    read: Callable[[Results, Asked], Answer[Any]]
    takes: tuple[Option, ...] = (*_SELECTED, "value")
    dropped: tuple[str, ...] = ()
    listed: bool = True
    documents: bool = False

    def __post_init__(self) -> None:
        """Refuse a name that cannot be a subcommand.

        Raises:
            ValueError: the name is malformed.
        """
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"the table name {self.name!r} is not made of lower-case letters, digits and hyphens")


def _shapley(results: Results, asked: Asked) -> Answer[ShapleyRow]:
    """Read the values of ``asked.question`` first, if there is one, and then those of the estimators."""
    from store.reading.answer import Answer

    players = asked.players or SUBLAYERS
    windows = results.shapley(asked.selection, asked.value, asked.estimator, players=players, **asked.settings)
    if asked.question is None:
        return windows
    own = results.answers([asked.question], asked.selection, asked.value)
    gaps = own.gaps if own.rows and not windows.rows else (*own.gaps, *windows.gaps)
    notes = tuple(dict.fromkeys((*own.notes, *windows.notes)))
    return Answer((*own.rows, *windows.rows), gaps, (*own.partial, *windows.partial), notes)


def _cornerstones(results: Results, asked: Asked) -> Answer[CornerstoneRow]:
    from store.reading.paper import PaperSelection

    models = () if asked.selection.model is None else (asked.selection.model,)
    estimator = asked.estimator or WindowFirst.name
    return results.cornerstones(PaperSelection(models, asked.tasks, asked.value, estimator, asked.max_removed))


_OWN = (
    Table(
        "coalitions",
        "Coalitions",
        "Every stored coalition, by the numbers of its removed players, beside the intact model on the same documents.",
        CoalitionRow,
        lambda results, asked: results.coalitions(asked.selection, asked.value),
        dropped=("removed", "acc_norm", "value", "acc_low", "acc_high", "acc_se", "n"),
        documents=True,
    ),
    Table(
        "ablation",
        "Ablation",
        "Each layer removed alone: its score, and the paired drop against the intact model.",
        AblationRow,
        lambda results, asked: results.ablation(asked.selection, asked.value, asked.cost),
        (*_SELECTED, "value", "cost"),
        dropped=(
            "verdict_n",
            "player",
            "kind",
            "layer",
            "p_value",
            "chance",
            "acc_low",
            "acc_high",
            "intact_acc",
            "acc_se",
            "value",
        ),
        documents=True,
    ),
    Table(
        "scores",
        "Scores",
        "The score of each intact model on each task, with its interval.",
        ScoreRow,
        lambda results, asked: results.scores(asked.selection, asked.value),
        dropped=("players", "value"),
        listed=False,
    ),
    Table(
        "pairs",
        "Model pairs",
        "Every two models on the same documents: the paired difference of their scores, and how many answers differ.",
        PairRow,
        lambda results, asked: results.pairs(asked.selection, asked.value),
        ("model", "task", "value"),
        dropped=("value", "p_value", "worse", "better", "changed", "n"),
        listed=False,
    ),
    Table(
        "shapley",
        "Shapley values",
        "Shapley values by player, with standard errors, shares and intervals.",
        ShapleyRow,
        _shapley,
        (*_SELECTED, "value", "estimator", "units", "settings"),
        dropped=(
            "permutations",
            "seed",
            "tolerance",
            "settings",
            "players",
            "partial",
            "player",
            "kind",
            "layer",
            "phi_clipped",
            "rank_low",
            "rank_high",
            "max_removed",
            "se",
            "rank",
            "value",
            "share_low",
            "share_high",
            "n",
            "p_top3",
        ),
        documents=True,
    ),
    Table(
        "interactions",
        "Interactions",
        """Which neighbouring layers back each other up (effect below 0), and which need each other (above 0).

        The effect of a window is the sum of its players' single drops less the drop without all of them.
        """,
        InteractionRow,
        lambda results, asked: results.interactions(asked.selection, asked.value, asked.max_removed),
        (*_SELECTED, "value", "max_removed"),
        dropped=("first", "layer", "size", "joint_drop", "n"),
        documents=True,
    ),
    Table(
        "cornerstones",
        "Cornerstones",
        "Which layers the rule calls cornerstones: their loss alone collapses the model, and their share dominates.",
        CornerstoneRow,
        _cornerstones,
        ("model", "tasks", "authors' value", "window estimator", "max_removed"),
        dropped=(
            "player",
            "kind",
            "layer",
            "above",
            "drop",
            "n",
            "max_removed",
            "value",
            "estimator",
            "model",
            "tasks",
        ),
    ),
    Table(
        "runs",
        "Runs",
        "Every run, the latest first.",
        RunRow,
        lambda results, asked: results.runs(),
        (),
        dropped=("finished", "command", "coalitions", "documents", "model", "outcomes"),
    ),
    Table(
        "outcomes",
        "Outcomes",
        "Every document under every coalition, with its log-probabilities or the text that the model wrote.",
        OutcomeRow,
        lambda results, asked: results.outcomes(asked.selection),
        _SELECTED,
        dropped=("is_greedy", "more", "logprobs", "acc_norm", "written"),
        listed=False,
        documents=True,
    ),
    Table(
        "estimators",
        "Estimators",
        "How far each estimator is from the exact values, where those are stored.",
        AgreementRow,
        lambda results, asked: results.agreement(
            asked.selection,
            asked.value,
            players=asked.players,
            top=asked.top,
            shapiq=asked.shapiq,
            **asked.settings,
        ),
        (*_SELECTED, "value", "exact units", "settings", "top", "shapiq"),
        dropped=(
            "seed",
            "tolerance",
            "settings",
            "units",
            "bias_low",
            "bias_high",
            "kendall_low",
            "kendall_high",
            "mae_low",
            "mae_high",
            "worst_low",
            "worst_high",
            "rmse_low",
            "rmse_high",
            "value",
            "k",
            "n",
            "kendall",
            "rmse",
            "worst",
            "coalitions",
            "top_low",
            "top_high",
            "permutations",
        ),
        listed=False,
    ),
    Table(
        "values",
        "Values",
        """Which value decides the top three soonest, and whether it ranks the players as the task's own value does.

        All values follow from the same stored outcomes, so nothing is evaluated. Read both answers: a value that is
        decided soon may answer another question than accuracy.
        """,
        ValueRow,
        lambda results, asked: results.values(asked.selection, asked.max_removed),
        (*_SELECTED, "max_removed"),
        dropped=(
            "estimator",
            "max_removed",
            "t3_low",
            "t3_high",
            "t_low",
            "t_high",
            "reference",
            "common_low",
            "common_high",
            "rho_low",
            "rho_high",
            "t3",
            "model",
            "task",
            "unsettled",
            "reliability",
        ),
        listed=False,
    ),
    Table(
        "formats",
        "Number formats",
        """How much the number format of a model changes: answers, log-probabilities, Shapley values and their ranks.

        A row compares two formats, such as float32 and bfloat16, on the outcomes that both have. Nothing is evaluated.
        """,
        FormatRow,
        lambda results, asked: results.formats(
            asked.selection, asked.value, reference=asked.reference, max_removed=asked.max_removed, top=asked.top
        ),
        ("model", "task", "value", "reference", "max_removed", "top"),
        dropped=(
            "reference_model",
            "accuracy",
            "common_low",
            "common_high",
            "rho_low",
            "rho_high",
            "max_removed",
            "k",
            "value",
            "coalitions",
            "documents",
            "n",
            "logprob_median",
            "flips",
            "phi_player",
            "outcomes",
            "model",
        ),
        listed=False,
    ),
)


@cache
def tables() -> Mapping[str, Table]:
    """Return every table by its name: our own, then those of plugins.

    Raises:
        CornerstoneError: a plugin adds something that is no table, or that another one has the name of.
    """
    found: dict[str, Table] = {}
    for each in (*_OWN, *contributed("tables")):
        if not isinstance(each, Table) or not is_dataclass(each.row):
            raise CornerstoneError(f"a plugin adds {each!r} to the tables, which is no Table of a dataclass")
        if unknown := set(each.takes) - set(get_args(Option)):
            raise CornerstoneError(f"the table {each.name!r} takes {', '.join(sorted(unknown))}, which no table takes")
        if each.name in found:
            raise CornerstoneError(f"two tables are named {each.name!r}; a plugin has to rename its own")
        found[each.name] = each
    return MappingProxyType(found)
