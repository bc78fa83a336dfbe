"""The `cornerstone` command. stdout is data, stderr is narration; what a user can mend ends in one sentence and 2."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from core.coalitions.grouping import SUBLAYERS
from core.coalitions.schedules import DEFAULT_PERMUTATIONS, FEWEST_PERMUTATIONS
from core.config.run_config import RunConfig, absolute, load_config
from core.errors import CornerstoneError
from core.removal_path.request import DEFAULT_STEPS, PathRequest
from store.file.location import default_path
from store.formats.registry import formats
from tui.commands import results
from tui.commands.destination import destination
from tui.commands.exit import for_people
from tui.commands.figure import figure
from tui.commands.options import (
    PLAYERS,
    TOLERANCE,
    VALUES,
    DebugOption,
    DeviceOption,
    DtypeOption,
    ForceOption,
    FormatOption,
    LimitOption,
    ModelOption,
    OfflineOption,
    OrderOption,
    OutputOption,
    PlayersOption,
    SeedOption,
    StoreOption,
    TaskOption,
)
from tui.commands.stdout import print_text
from tui.paper.command import paper

app = typer.Typer(
    help="Which layers carry a language model, and how sure are we?",
    epilog="Start with: cornerstone run quickstart",
    pretty_exceptions_enable=False,
)
app.add_typer(results.app, name="results")

_SCHEDULES = "ablation (default), windows, exact, permutation or leave-one-out; repeatable."
_WALKS = f"Walks, an even number from {FEWEST_PERMUTATIONS} on (default {DEFAULT_PERMUTATIONS})."
_LOOKED_AT = "What --until-top and permutations look at, and what is reported (default acc); see `results shapley`."
# Without brackets, which would be taken for markup.
_YAML_EXAMPLE = """As a file, my.yaml, for `cornerstone run my.yaml`:

model: smollm2-135m-instruct
tasks:
  - agreement
  - name: arc_easy
    data: my_rows.jsonl
limit: 64
schedule:
  - ablation
  - windows
"""


@app.callback(invoke_without_command=True)
def main_callback(
    context: typer.Context,
    store: Annotated[Path | None, typer.Option(help="Where outcomes are kept (without a command).")] = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Without a command: open the explorer; where there is no terminal, run the quickstart."""
    if version:
        typer.echo(f"cornerstone {metadata.version('cornerstone')}")
        raise typer.Exit
    if context.invoked_subcommand is not None:
        if store is not None:
            raise CornerstoneError(f"--store {store} goes after the command, which is {context.invoked_subcommand}")
        return
    if all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        _open_explorer(store, None)
    from tui.commands.run import run as run_study

    typer.echo("running the quickstart: two tasks, every layer removed alone and in windows (about 2 min)", err=True)
    run_study(load_config(Path("quickstart"), {"store": store}), "cornerstone")


def _to_evaluate(file: Path | None, options: Mapping[str, Any]) -> RunConfig:
    """What a file and options ask for, refused where it shows at once that it cannot be done."""
    from core.study.early_checks import refuse_at_once

    config = load_config(file, options)
    refuse_at_once(config)
    return config


def _open_explorer(store: Path | None, config: RunConfig | None) -> NoReturn:
    from tui.explorer.app import Explorer
    from tui.explorer.keymap import read_keymap
    from tui.explorer.session import Session, last_session

    path = (store or (config.store if config else None) or default_path()).expanduser().resolve()
    session = Session(config=config) if config else last_session(path)
    session = session.model_copy(update={"config": absolute(session.config)})
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise CornerstoneError("the explorer needs a terminal; `cornerstone run` does the same work without one")
    explorer = Explorer(path, session, insist=config is not None, keymap=read_keymap())
    explorer.run()
    raise typer.Exit(explorer.return_code or 0)


@app.command()
def explore(
    config: Annotated[Path | None, typer.Argument(help="A YAML file, or `quickstart`; options override it.")] = None,
    model: ModelOption = None,
    task: TaskOption = None,
    limit: LimitOption = None,
    value: Annotated[str | None, typer.Option(help="What is charted (default acc); see `results ablation`.")] = None,
    dtype: DtypeOption = None,
    device: DeviceOption = None,
    offline: OfflineOption = None,
    store: StoreOption = None,
    debug: DebugOption = False,
) -> None:
    """Open the explorer on a model and tasks.

    Example: cornerstone explore --model smollm2-135m-instruct --task agreement --limit 64
    """
    del debug
    options: dict[str, Any] = {
        "model": model, "tasks": task, "limit": limit, "value": value, "dtype": dtype, "device": device,
        "offline": offline,
    }  # fmt: skip
    asked = config is not None or any(option is not None for option in options.values())
    _open_explorer(store, load_config(config, options | {"store": store}) if asked else None)


@app.command(epilog=_YAML_EXAMPLE)
def run(
    config: Annotated[Path | None, typer.Argument(help="A YAML file, or `quickstart`; options override it.")] = None,
    model: ModelOption = None,
    task: TaskOption = None,
    limit: LimitOption = None,
    order: OrderOption = None,
    seed: SeedOption = None,
    schedule: Annotated[list[str] | None, typer.Option(help=_SCHEDULES)] = None,
    max_removed: Annotated[int | None, typer.Option(help="The longest window, 1 to 8 (default 4).")] = None,
    players: Annotated[str | None, typer.Option(help=PLAYERS)] = None,
    permutations: Annotated[int | None, typer.Option(help=_WALKS)] = None,
    tolerance: Annotated[float | None, typer.Option(help=TOLERANCE)] = None,
    until_top: Annotated[int | None, typer.Option(help="Stop a task once its first so many are decided.")] = None,
    confidence: Annotated[float | None, typer.Option(help="Of --until-top (default 0.95).")] = None,
    value: Annotated[str | None, typer.Option(help=_LOOKED_AT)] = None,
    remove: Annotated[list[str] | None, typer.Option(help='One coalition, such as "Attn 0,FFN 3"; repeatable.')] = None,
    num_fewshot: Annotated[int | None, typer.Option(help="Examples in the prompt (default: the task's own).")] = None,
    apply_chat_template: Annotated[
        bool | None, typer.Option("--apply-chat-template", help="Put each prompt into the model's chat format.")
    ] = None,
    dtype: DtypeOption = None,
    device: DeviceOption = None,
    memory: Annotated[
        float | None, typer.Option(help="GiB that a sweep may take (default: part of what is free).")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit of a hub model.")] = None,
    offline: OfflineOption = None,
    store: StoreOption = None,
    debug: DebugOption = False,
) -> None:
    """Remove layers, evaluate, store every outcome. What is stored already is not evaluated again.

    Example: cornerstone run --task agreement --limit 32 --schedule windows
    """
    from tui.commands.run import run as run_study

    del debug  # main() looks for it, as errors before this point have tracebacks too
    options: dict[str, Any] = {
        "model": model, "tasks": task, "limit": limit, "order": order, "seed": seed, "schedule": schedule,
        "max_removed": max_removed, "players": players, "permutations": permutations, "tolerance": tolerance,
        "until_top": until_top, "confidence": confidence, "value": value, "remove": remove, "num_fewshot": num_fewshot,
        "apply_chat_template": apply_chat_template, "dtype": dtype, "device": device, "memory": memory,
        "revision": revision, "offline": offline, "store": store,
    }  # fmt: skip
    run_study(_to_evaluate(config, options), shlex.join(["cornerstone", *sys.argv[1:]]))


@app.command()
def path(
    model: ModelOption = None,
    task: TaskOption = None,
    limit: Annotated[int | None, typer.Option(help="How many documents a task choose the path (default: all).")] = None,
    steps: Annotated[int, typer.Option(min=1, help="How many removals.")] = DEFAULT_STEPS,
    value: Annotated[str, typer.Option(help=f"What to keep up: {VALUES}")] = "acc",
    players: PlayersOption = SUBLAYERS,
    held_out: Annotated[
        bool, typer.Option(help="Evaluate the path on as many documents that did not choose it.")
    ] = True,
    mask: Annotated[Path | None, typer.Option(help="Write the removals to this file, for core.mask.apply.")] = None,
    keep: Annotated[
        float | None,
        typer.Option(min=0.01, max=1, help="Mask at the largest step that keeps this part of the score."),
    ] = None,
    seed: SeedOption = None,
    dtype: DtypeOption = None,
    device: DeviceOption = None,
    offline: OfflineOption = None,
    store: StoreOption = None,
    form: FormatOption = None,
    output: OutputOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the files if they exist.")] = False,
    debug: DebugOption = False,
) -> None:
    """Remove the least important layer, again and again, looking anew each time: what does the model cost to shrink?

    Of several with the best score, as few documents often make, the one that leaves the right answers likeliest goes.

    With several tasks the score is the mean over tasks.

    Example: cornerstone path --task agreement --limit 32 --steps 6 --mask mask.json
    """
    from tui.commands.path import PathFiles
    from tui.commands.path import path as search_path

    del debug
    options: dict[str, Any] = {
        "model": model, "tasks": task, "limit": limit, "seed": seed, "dtype": dtype, "device": device,
        "offline": offline, "store": store,
    }  # fmt: skip
    config = _to_evaluate(None, options)
    request = PathRequest(steps=steps, value=value, players=players, held_out=held_out, keep=keep)
    files = PathFiles(destination(form, output, force=force), None if mask is None else mask.expanduser())
    search_path(config, request, files, shlex.join(["cornerstone", *sys.argv[1:]]))


@app.command()
def proxies(
    model: ModelOption = None,
    task: TaskOption = None,
    limit: LimitOption = None,
    value: Annotated[str, typer.Option(help=f"Of the drops and Shapley values: {VALUES}")] = "acc",
    order: OrderOption = None,
    seed: SeedOption = None,
    dtype: DtypeOption = None,
    device: DeviceOption = None,
    offline: OfflineOption = None,
    store: StoreOption = None,
    correlations: Annotated[bool, typer.Option("--correlations", help="As data: correlations, not players.")] = False,
    form: FormatOption = None,
    output: OutputOption = None,
    force: ForceOption = False,
    debug: DebugOption = False,
) -> None:
    """Measure how far each layer moves the hidden state of the intact model: can that replace removing it?

    Their ranking is compared with those of the drops and Shapley values that are stored of the same documents.

    Example: cornerstone proxies --task agreement --limit 32
    """
    from tui.commands.proxies import ProxyRequest, Rows
    from tui.commands.proxies import proxies as measure_proxies

    del debug
    options: dict[str, Any] = {
        "model": model, "tasks": task, "limit": limit, "order": order, "seed": seed, "dtype": dtype,
        "device": device, "offline": offline, "store": store,
    }  # fmt: skip
    config = _to_evaluate(None, options)
    rows: Rows = "correlations" if correlations else "players"
    measure_proxies(config, ProxyRequest(value=value, rows=rows, to=destination(form, output, force=force)))


app.command()(paper)
app.command()(results.estimators)
app.command()(figure)


@app.command()
def bench(
    model: ModelOption = None,
    task: TaskOption = None,
    limit: Annotated[int | None, typer.Option(help="How many documents a task (default 48, of boolq 16).")] = None,
    dtype: DtypeOption = None,
    device: DeviceOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of objects.")] = False,
    debug: DebugOption = False,
) -> None:
    """Measure the sweep: all windows here, against a loop over lm-eval and against what the machine can do at most.

    Without --task it measures arc_easy and boolq, which takes about 20 minutes on two cores.
    """
    from tui.worker_process import become

    del debug
    tasks = task or ["arc_easy", "boolq"]
    options: dict[str, Any] = {"model": model, "tasks": tasks, "limit": limit, "dtype": dtype, "device": device}
    become("bench", _to_evaluate(None, options).model_dump_json(), "json" if as_json else "table")


@app.command()
def models() -> None:
    """List the model aliases and whether they are cached."""
    from tui.commands.catalog import print_models

    print_models()


@app.command()
def tasks(
    pattern: Annotated[str | None, typer.Argument(help="Part of a name; searches lm-eval's tasks too.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="lm-eval's tasks too.")] = False,
) -> None:
    """List the tasks that can be named."""
    from tui.commands.catalog import print_tasks

    print_tasks(pattern, everything=everything)


@app.command()
def keys() -> None:
    """List the explorer's keys by action, as the file that changes them has it.

    Example: cornerstone keys > my_keys.yaml
    """
    from tui.explorer.keymap import keymap_path, template

    print_text("".join(f"{line}\n" for line in template()))
    typer.echo(f"keys that you change go into {keymap_path()}", err=True)


@app.command()
def doctor(store: Annotated[Path | None, typer.Option(help="The store to look at.")] = None) -> None:
    """Check versions, device, caches and store; say what is missing and what mends it."""
    from tui.commands.doctor import examine

    if not examine(store):
        raise typer.Exit(2)


def main() -> None:
    """Entry point."""
    with for_people():
        formats()  # a plugin that cannot be used is told first, by any command
        sys.exit(app(prog_name="cornerstone", standalone_mode=False))
