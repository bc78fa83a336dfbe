"""The options that several commands have, each written once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from core.config.limit import MOST_COUNT
from core.config.model_config import DEFAULT_MODEL
from core.config.run_config import run_settings
from core.errors import CornerstoneError, Mend
from core.estimators.registry import estimators, settings, window_readings
from core.machine.paths import at_home
from core.machine.plain_text import is_utf8, short_repr
from core.machine.regular_file import kind_at
from core.values.corpus import CORPUS_VALUES
from core.values.derived import derived_values
from store.file.location import default_path
from store.file.place import refuse_missing_folders
from store.formats.registry import formats
from tui.commands.destination import TABLE, Destination, destination, form_names, form_of
from tui.commands.option_groups import SettingOptions, Settings
from tui.drawing.plain import or_list
from tui.settings import read_settings, settings_path

PLAYERS: Final = "Which units are removed: sublayers (default), layers, blocks:K (K consecutive layers) or kinds."
PLAYERS_OF_RUN: Final = (
    "Which units are removed: sublayers (default), layers, blocks:K (K consecutive layers), kinds, or experts (each "
    "expert of an MoE in its place, as --expert-layers all does)."
)
_MEANS = f"acc, acc_norm, another metric that is a mean, {', '.join(derived_values())}"
_VALUES = f"{_MEANS}, and of texts without choices {', '.join(CORPUS_VALUES)} (lower is better)"
_DTYPE = (
    "The model's dtype: auto (default; float32 on a CPU, else half precision), float32, bfloat16 or float16. On a CPU "
    "that has instructions for it, bfloat16 is faster, else far slower: cornerstone doctor tells."
)
_DEVICE = (
    "Where the model runs: auto (default; the best device), cpu, cuda, cuda:1, mps, or spread (all devices and memory)."
)
_FORMATS = ", ".join([f"{TABLE} (default)", *(f"{one.name} ({one.summary})" for one in formats().values())])
_STORED = ", by its name, name@id or id"
_STORE = "The file that keeps the outcomes (default: results.duckdb in your data folder)."
_AGAIN = "Repeat it for several"
LONGEST_WAIT_S: Final = 7 * 24 * 3600


def value_help(what: str) -> str:
    """Return the help of an option for a value that is ``what``."""
    return f"{what}: {_VALUES}. Default: acc, else the task's first of these."


def mean_help(what: str) -> str:
    """Return the help of an option for a value that is ``what``, and has to be a mean over documents."""
    return f"{what}: {_MEANS}. Default: acc, else the task's first metric that is a mean."


def seconds(text: str) -> float:
    """Return a time in seconds that an option gives, 0 to a week.

    Raises:
        typer.BadParameter: it is no such number.
    """
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 <= found <= LONGEST_WAIT_S:
        raise typer.BadParameter(f"{short_repr(text)} is no number of seconds from 0 to {LONGEST_WAIT_S} (a week)")
    return found


# What is evaluated.
ModelOption = Annotated[
    str | None,
    typer.Option(help=f"The model, as an alias, a hub id, a folder or a GGUF file (default {DEFAULT_MODEL})."),
]
AdapterOption = Annotated[
    Path | None, typer.Option(help="The folder of a LoRA adapter, which is added to the model's weights.")
]
ExpertLayersOption = Annotated[
    str | None,
    typer.Option(
        help="The layers of an MoE in which each expert is a player: all, or numbers and ranges, such as 3,5-7."
    ),
]
TaskOption = Annotated[
    list[str] | None,
    typer.Option(
        help="A task, group or tag, or a YAML file or folder of your own; TASK=FILE.jsonl reads local data, and "
        f"GROUP=FOLDER one file a task. {_AGAIN} tasks."
    ),
]
IncludePathOption = Annotated[
    list[Path] | None,
    typer.Option("--include-path", help=f"A YAML file, or a folder of them, that defines tasks. {_AGAIN} of them."),
]
TrustTaskCodeOption = Annotated[
    bool | None,
    typer.Option("--trust-task-code", help="Run the Python code that your own tasks name (!function)."),
]


@dataclass(frozen=True, slots=True)
class Tasks:
    """Options for the tasks to evaluate."""

    task: TaskOption = None
    include_path: IncludePathOption = None
    trust_task_code: TrustTaskCodeOption = None

    def keys(self) -> dict[str, Any]:
        """Return what was given, by the keys of a run."""
        return {"tasks": self.task, "include_path": self.include_path, "trust_task_code": self.trust_task_code}


WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        metavar="N",
        help="How many workers evaluate, each on a GPU of its own or on its part of the CPUs (default: this process).",
    ),
]
RayOption = Annotated[
    str | None,
    typer.Option(
        "--ray", metavar="HOST:PORT", help="The Ray cluster that runs the workers (default: they run on this machine)."
    ),
]


@dataclass(frozen=True, slots=True)
class Workers:
    """Options for who evaluates."""

    workers: WorkersOption = None
    ray: RayOption = None

    def keys(self) -> dict[str, Any]:
        """Return what was given, by the keys of a run."""
        return {"workers": self.workers, "ray": self.ray}


LimitOption = Annotated[
    float | None,
    typer.Option(
        help="How many documents of each task, also of each in a group, or the part of them below 1, such as 0.1 "
        "(default: all)."
    ),
]
OrderOption = Annotated[str | None, typer.Option(help="The order of documents: shuffled (default) or file.")]
SeedOption = Annotated[
    int | None, typer.Option(help="Seed of the shuffle, which decides the documents that --limit takes (default 0).")
]
DtypeOption = Annotated[str | None, typer.Option(help=_DTYPE)]
DeviceOption = Annotated[str | None, typer.Option(help=_DEVICE)]
OfflineOption = Annotated[bool | None, typer.Option("--offline", help="Never download anything.")]
CheckFilesOption = Annotated[
    bool | None,
    typer.Option("--check-files", help="Read the model's files and local data anew to identify them. It takes longer."),
]
StoreOption = Annotated[Path | None, typer.Option(help=_STORE)]
WaitOption = Annotated[
    float,
    typer.Option(
        "--wait",
        parser=seconds,
        metavar="SECONDS",
        help=f"How long to wait while another program holds the store: 0 (not at all) to {LONGEST_WAIT_S} (a week).",
    ),
]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error. Every command takes it.")]

# What is read of a store.
StoredOption = Annotated[
    Path | None, typer.Option("--store", help="The store to read (default: the one in your data folder).")
]
StoredModelOption = Annotated[str | None, typer.Option("--model", help=f"Only this model{_STORED}.")]
StoredModelsOption = Annotated[
    list[str] | None, typer.Option("--model", help=f"Only this model{_STORED}. {_AGAIN} models.")
]
StoredTaskOption = Annotated[str | None, typer.Option("--task", help=f"Only this task{_STORED}.")]
StoredTasksOption = Annotated[
    list[str] | None, typer.Option("--task", help=f"Only this task{_STORED}. {_AGAIN} tasks.")
]
PaperTasksOption = Annotated[
    list[str] | None, typer.Option("--task", help=f"A task to report instead of the paper's tasks. {_AGAIN} tasks.")
]
RunOption = Annotated[
    str | None, typer.Option("--run", help="Only the documents and coalitions that this run asked for.")
]
ValueOption = Annotated[str | None, typer.Option("--value", help=value_help("The score to read"))]
PaperValueOption = Annotated[
    str | None,
    typer.Option("--value", help=f"The score to read: {_MEANS}. Default: acc_norm where the task has it, else acc."),
]
EstimatorOption = Annotated[
    str | None,
    typer.Option(
        "--estimator", help=f"The estimator: {or_list(estimators())} (default: {' and '.join(window_readings())})."
    ),
]
WindowEstimatorOption = Annotated[
    str, typer.Option("--estimator", help=f"The estimator: {or_list(window_readings())}.")
]
MaxRemovedOption = Annotated[
    int, typer.Option(min=1, max=8, help="The longest window: how many neighbours are removed at most.")
]
PlayersOption = Annotated[str, typer.Option("--players", help=PLAYERS, show_default=False)]
ExactPlayersOption = Annotated[
    str | None,
    typer.Option(
        "--players", help="Which units: layers, blocks:K or kinds (default: all whose exact values are stored)."
    ),
]
TopOption = Annotated[int, typer.Option(min=1, max=MOST_COUNT, help="How many units count as the top.")]
ReferenceOption = Annotated[
    str | None,
    typer.Option(
        help=f"Compare with this model{_STORED}, whatever its weights, such as the original of a quantized one "
        "(default: the same weights in float32, else in the finest format)."
    ),
]
CostOption = Annotated[
    float | None,
    typer.Option(
        help="Say of each layer whether it costs more than this much of the value (default: what the latest run asked "
        "about)."
    ),
]
ShapiqOption = Annotated[
    bool,
    typer.Option(
        "--shapiq",
        help="Compare shapiq's RegressionMSR, ProxySHAP and OddSHAP too, where they are installed. They draw their own "
        "coalitions, as many as our estimators read.",
    ),
]
RunSettings = Annotated[Settings, SettingOptions(run_settings)]
EstimatorSettings = Annotated[Settings, SettingOptions(settings)]


def store_file(store: Path | None) -> Path:
    """Return the store that an option names, with the home folder in place of ``~``; the default one if it names none,
    which the settings may choose.

    Raises:
        CornerstoneError: the path is not UTF-8, something else than a file is there, or that cannot be told.
    """
    path = at_home(store or _store_of_settings() or default_path())
    if not is_utf8(str(path)):
        raise CornerstoneError(f"the path of the store, {path}, is not UTF-8", Mend.OTHER_STORE)
    kind = kind_at(path)
    if kind not in {None, "file"}:
        raise CornerstoneError(f"the store {path} is a {kind}, not a file", Mend.OTHER_STORE)
    above = next(((parent, there) for parent in path.parents if (there := kind_at(parent)) is not None), None)
    if above is not None and above[1] != "folder":
        raise CornerstoneError(f"the store {path} cannot be there: {above[0]} is a {above[1]}", Mend.OTHER_STORE)
    return path


def _store_of_settings() -> Path | None:
    """Return the default store that the settings choose.

    Raises:
        CornerstoneError: it cannot be made there; only the settings say so, and not the command.
    """
    path = read_settings().store
    if path is not None:
        try:
            refuse_missing_folders(path)
        except CornerstoneError as error:
            raise CornerstoneError(f"{settings_path()}: {error}", error.mend) from error
    return path


# Where rows go.
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        parser=form_of,
        autocompletion=form_names,
        metavar="FORMAT",
        help=f"How rows are written: {_FORMATS}. With -o, the file's ending chooses.",
    ),
]
OutputOption = Annotated[Path | None, typer.Option("-o", "--output", help="Write to this file instead of stdout.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace a file that exists.")]


@dataclass(frozen=True, slots=True)
class Output:
    """Options for the destination of rows."""

    form: FormatOption = None
    output: OutputOption = None
    force: ForceOption = False

    def checked(self) -> Destination:
        """Check and return the destination of rows, before any work.

        Raises:
            CornerstoneError: the format does not fit where the rows go, or the file may not or cannot be written.
        """
        return destination(self.form, self.output, force=self.force)
