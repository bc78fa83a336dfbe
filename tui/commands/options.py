"""The options that several commands have, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from core.coalitions.schedules import DEFAULT_TOLERANCE
from core.config.run_config import DEFAULT_MODEL
from core.estimators.registry import WINDOW_ESTIMATORS
from store.file.location import default_path
from store.formats.registry import built_in
from tui.commands.destination import TABLE, form_names, form_of

PLAYERS: Final = "Who is removed: sublayers (default), layers, blocks:K (K consecutive layers) or kinds."
TOLERANCE: Final = f"At which a walk ends: so near the score with nothing left (default {DEFAULT_TOLERANCE})."
VALUES: Final = "acc, acc_norm, another metric that is a mean, gold_logprob, margin or brier."
_DTYPE = "auto (default: float32 on a CPU, else half precision), float32, bfloat16 or float16."
_DEVICE = "auto (default: the best there is), cpu, cuda, cuda:1, mps, or spread: over all and host memory."
_FORMATS = ", ".join([f"{TABLE} (default)", *(f"{one.name} ({one.summary})" for one in built_in())])
_STORED = ": its name, name@id or id"

# What is evaluated.
ModelOption = Annotated[str | None, typer.Option(help=f"Alias, hub id, folder or GGUF file (default {DEFAULT_MODEL}).")]
TaskOption = Annotated[list[str] | None, typer.Option(help="A task, or TASK=FILE.jsonl for local data; repeatable.")]
LimitOption = Annotated[int | None, typer.Option(help="How many documents a task (default: all).")]
OrderOption = Annotated[str | None, typer.Option(help="Of documents: shuffled (default) or file.")]
SeedOption = Annotated[int | None, typer.Option(help="Of the shuffle, so of what --limit takes (default 0).")]
DtypeOption = Annotated[str | None, typer.Option(help=_DTYPE)]
DeviceOption = Annotated[str | None, typer.Option(help=_DEVICE)]
OfflineOption = Annotated[bool | None, typer.Option("--offline", help="Never download.")]
StoreOption = Annotated[Path | None, typer.Option(help=f"Where outcomes are kept (default {default_path()}).")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]

# What is read of a store.
StoredOption = Annotated[Path | None, typer.Option("--store", help="The store; by default in the user's data folder.")]
StoredModelOption = Annotated[str | None, typer.Option("--model", help=f"Only this model{_STORED}.")]
StoredModelsOption = Annotated[list[str] | None, typer.Option("--model", help=f"Only this model{_STORED}; repeatable.")]
StoredTaskOption = Annotated[str | None, typer.Option("--task", help=f"Only this task{_STORED}.")]
StoredTasksOption = Annotated[list[str] | None, typer.Option("--task", help=f"Only this task{_STORED}; repeatable.")]
PaperTasksOption = Annotated[list[str] | None, typer.Option("--task", help="Instead of the paper's tasks; repeatable.")]
RunOption = Annotated[str | None, typer.Option("--run", help="Only what this run asked for.")]
ValueOption = Annotated[str, typer.Option("--value", help=VALUES)]
PaperValueOption = Annotated[
    str | None, typer.Option("--value", help=f"{VALUES[:-1]} (default: acc_norm where defined, else acc).")
]
WindowEstimatorOption = Annotated[str, typer.Option("--estimator", help=" or ".join(WINDOW_ESTIMATORS) + ".")]
MaxRemovedOption = Annotated[int, typer.Option(min=1, max=8, help="The longest window.")]
PlayersOption = Annotated[str, typer.Option("--players", help=PLAYERS, show_default=False)]
PermutationsOption = Annotated[int, typer.Option(help="Walks, for permutation.")]
OrdersSeedOption = Annotated[int, typer.Option(help="Of the orders of permutation.")]
ToleranceOption = Annotated[float, typer.Option(min=0, help=TOLERANCE, show_default=False)]

# Where rows go.
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        parser=form_of,
        autocompletion=form_names,
        metavar="FORMAT",
        help=f"{_FORMATS}; with -o, by the file's name.",
    ),
]
OutputOption = Annotated[Path | None, typer.Option("-o", "--output", help="Write to this file instead of stdout.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace a file that exists.")]
