"""The `cornerstone` command. stdout is data, stderr is narration; what a user can mend ends in one sentence and 2."""

from __future__ import annotations

import shlex
import sys
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from core.config import DEFAULT_MODEL, RunConfig, absolute, load_config
from core.errors import CornerstoneError
from core.grouping import SUBLAYERS
from core.removal_path.request import DEFAULT_STEPS, PathRequest
from core.schedules import DEFAULT_PERMUTATIONS
from store.location import default_path
from tui import results
from tui.edge import for_people
from tui.figure import figure
from tui.out import print_text
from tui.paper.command import paper
from tui.results import PLAYERS, TOLERANCE

app = typer.Typer(
    help="Which layers carry a language model, and how sure are we?",
    epilog="Start with: cornerstone run quickstart",
    pretty_exceptions_enable=False,
)
app.add_typer(results.app, name="results")

ModelOption = Annotated[str | None, typer.Option(help=f"Alias, hub id, folder or GGUF file (default {DEFAULT_MODEL}).")]
TaskOption = Annotated[list[str] | None, typer.Option(help="A task, or TASK=FILE.jsonl for local data; repeatable.")]
LimitOption = Annotated[int | None, typer.Option(help="How many documents a task (default: all).")]
StoreOption = Annotated[Path | None, typer.Option(help=f"Where outcomes are kept (default {default_path()}).")]
_SCHEDULES = "ablation (default), windows, exact, permutation or leave-one-out; repeatable."
_LOOKED_AT = "What --until-top and permutations look at, and what is reported (default acc); see `results shapley`."
_DTYPE = "auto (default: float32 on a CPU, else half precision), float32, bfloat16 or float16."
_DEVICE = "auto (default: the best there is), cpu, cuda, cuda:1, mps, or spread: over all and host memory."
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
DebugOption = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]


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
        return
    if all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        _open_explorer(store, None)
    from tui.run import run as run_study

    typer.echo("running the quickstart: two tasks, every layer removed alone and in windows (about 2 min)", err=True)
    run_study(load_config(Path("quickstart"), {"store": store}), "cornerstone")


def _open_explorer(store: Path | None, config: RunConfig | None) -> NoReturn:
    from tui.app import Explorer
    from tui.keymap import read_keymap
    from tui.session import last_config

    path = (store or (config.store if config else None) or default_path()).expanduser().resolve()
    chosen = config or last_config(path)
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise CornerstoneError("the explorer needs a terminal; `cornerstone run` does the same work without one")
    explorer = Explorer(path, absolute(chosen), insist=config is not None, keymap=read_keymap())
    explorer.run()
    raise typer.Exit(explorer.return_code or 0)


@app.command()
def explore(
    config: Annotated[Path | None, typer.Argument(help="A YAML file, or `quickstart`; options override it.")] = None,
    model: ModelOption = None,
    task: TaskOption = None,
    limit: LimitOption = None,
    store: StoreOption = None,
    debug: DebugOption = False,
) -> None:
    """Open the explorer on a model and tasks.

    Example: cornerstone explore --model smollm2-135m-instruct --task agreement --limit 64
    """
    del debug
    options: dict[str, Any] = {"model": model, "tasks": task, "limit": limit, "store": store}
    asked = config is not None or any(value is not None for value in (model, task, limit))
    _open_explorer(store, load_config(config, options) if asked else None)


@app.command(epilog=_YAML_EXAMPLE)
def run(
    config: Annotated[Path | None, typer.Argument(help="A YAML file, or `quickstart`; options override it.")] = None,
    model: ModelOption = None,
    task: TaskOption = None,
    limit: LimitOption = None,
    order: Annotated[str | None, typer.Option(help="Of documents: shuffled (default) or file.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the shuffle, so of what --limit takes (default 0).")] = None,
    schedule: Annotated[list[str] | None, typer.Option(help=_SCHEDULES)] = None,
    max_removed: Annotated[int | None, typer.Option(help="The longest window, 1 to 8 (default 4).")] = None,
    players: Annotated[str | None, typer.Option(help=PLAYERS)] = None,
    permutations: Annotated[int | None, typer.Option(help=f"Walks, even (default {DEFAULT_PERMUTATIONS}).")] = None,
    tolerance: Annotated[float | None, typer.Option(help=TOLERANCE)] = None,
    until_top: Annotated[int | None, typer.Option(help="Stop a task once its first so many are decided.")] = None,
    confidence: Annotated[float | None, typer.Option(help="Of --until-top (default 0.95).")] = None,
    value: Annotated[str | None, typer.Option(help=_LOOKED_AT)] = None,
    remove: Annotated[list[str] | None, typer.Option(help='One coalition, such as "Attn 0,FFN 3"; repeatable.')] = None,
    num_fewshot: Annotated[int | None, typer.Option(help="Examples in the prompt (default: the task's own).")] = None,
    apply_chat_template: Annotated[
        bool | None, typer.Option("--apply-chat-template", help="Put each prompt into the model's chat format.")
    ] = None,
    dtype: Annotated[str | None, typer.Option(help=_DTYPE)] = None,
    device: Annotated[str | None, typer.Option(help=_DEVICE)] = None,
    memory: Annotated[
        float | None, typer.Option(help="GiB that a sweep may take (default: part of what is free).")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit of a hub model.")] = None,
    offline: Annotated[bool | None, typer.Option("--offline", help="Never download.")] = None,
    store: StoreOption = None,
    debug: DebugOption = False,
) -> None:
    """Remove layers, evaluate, store every outcome. What is stored already is not evaluated again.

    Example: cornerstone run --task agreement --limit 32 --schedule windows
    """
    from tui.run import run as run_study

    del debug  # main() looks for it, as errors before this point have tracebacks too
    options: dict[str, Any] = {
        "model": model, "tasks": task, "limit": limit, "order": order, "seed": seed, "schedule": schedule,
        "max_removed": max_removed, "players": players, "permutations": permutations, "tolerance": tolerance,
        "until_top": until_top, "confidence": confidence, "value": value, "remove": remove, "num_fewshot": num_fewshot,
        "apply_chat_template": apply_chat_template, "dtype": dtype, "device": device, "memory": memory,
        "revision": revision, "offline": offline, "store": store,
    }  # fmt: skip
    run_study(load_config(config, options), shlex.join(["cornerstone", *sys.argv[1:]]))


@app.command()
def path(
    model: ModelOption = None,
    task: TaskOption = None,
    limit: Annotated[int | None, typer.Option(help="How many documents a task choose the path (default: all).")] = None,
    steps: Annotated[int, typer.Option(min=1, help="How many removals.")] = DEFAULT_STEPS,
    value: Annotated[str, typer.Option(help="What to keep up: acc, acc_norm, gold_logprob, margin, brier.")] = "acc",
    players: Annotated[str, typer.Option(help="What goes at once: sublayers, layers, blocks:K.")] = SUBLAYERS,
    held_out: Annotated[
        bool, typer.Option(help="Evaluate the path on as many documents that did not choose it.")
    ] = True,
    mask: Annotated[Path | None, typer.Option(help="Write the removals to this file, for core.mask.apply.")] = None,
    keep: Annotated[
        float | None,
        typer.Option(min=0.01, max=1, help="Mask at the largest step that keeps this part of the score."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the documents' shuffle (default 0).")] = None,
    dtype: Annotated[str | None, typer.Option(help=_DTYPE)] = None,
    device: Annotated[str | None, typer.Option(help=_DEVICE)] = None,
    offline: Annotated[bool | None, typer.Option("--offline", help="Never download.")] = None,
    store: StoreOption = None,
    form: Annotated[str | None, typer.Option("--format", help="table (default), csv, json or parquet.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write rows to this file.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the files if they exist.")] = False,
    debug: DebugOption = False,
) -> None:
    """Remove the least important layer, again and again, looking anew each time: what does the model cost to shrink?

    Of several with the best score, as few documents often make, the one that leaves the right answers likeliest goes,
    then the later one. With several tasks the score is the mean over tasks.

    Example: cornerstone path --task agreement --limit 32 --steps 6 --mask mask.json
    """
    from tui.path import path as search_path

    del debug
    options: dict[str, Any] = {
        "model": model, "tasks": task, "limit": limit, "seed": seed, "dtype": dtype, "device": device,
        "offline": offline, "store": store,
    }  # fmt: skip
    request = PathRequest(
        steps=steps, value=value, players=players, held_out=held_out, keep=keep, form=form, force=force,
        mask=None if mask is None else mask.expanduser(), output=None if output is None else output.expanduser(),
    )  # fmt: skip
    search_path(load_config(None, options), request, shlex.join(["cornerstone", *sys.argv[1:]]))


@app.command()
def proxies(
    model: ModelOption = None,
    task: TaskOption = None,
    limit: LimitOption = None,
    value: Annotated[str, typer.Option(help="The metric of drops and Shapley values to compare with.")] = "acc",
    order: Annotated[str | None, typer.Option(help="Of documents: shuffled (default) or file.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the documents' shuffle (default 0).")] = None,
    dtype: Annotated[str | None, typer.Option(help=_DTYPE)] = None,
    device: Annotated[str | None, typer.Option(help=_DEVICE)] = None,
    offline: Annotated[bool | None, typer.Option("--offline", help="Never download.")] = None,
    store: StoreOption = None,
    correlations: Annotated[bool, typer.Option("--correlations", help="As data: correlations, not players.")] = False,
    form: Annotated[str | None, typer.Option("--format", help="table (default), csv, json or parquet.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write rows to this file.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    debug: DebugOption = False,
) -> None:
    """Measure how far each layer moves the hidden state of the intact model: can that replace removing it?

    Block Influence and relative norms take one pass; their ranking is compared with those of the stored drops and
    Shapley values of the same documents.

    Example: cornerstone proxies --task agreement --limit 32
    """
    from tui.proxies import ProxyRequest
    from tui.proxies import proxies as measure_proxies

    del debug
    options: dict[str, Any] = {
        "model": model, "tasks": task, "limit": limit, "order": order, "seed": seed, "dtype": dtype,
        "device": device, "offline": offline, "store": store,
    }  # fmt: skip
    request = ProxyRequest(
        value=value, rows="correlations" if correlations else "players", form=form, force=force,
        output=None if output is None else output.expanduser(),
    )  # fmt: skip
    measure_proxies(load_config(None, options), request)


app.command()(paper)
app.command()(results.estimators)
app.command()(figure)


@app.command()
def bench(
    model: ModelOption = None,
    task: TaskOption = None,
    limit: Annotated[int | None, typer.Option(help="How many documents a task (default 48, of boolq 16).")] = None,
    dtype: Annotated[str | None, typer.Option(help=_DTYPE)] = None,
    device: Annotated[str | None, typer.Option(help=_DEVICE)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of objects.")] = False,
    debug: DebugOption = False,
) -> None:
    """Measure the sweep: all windows here, against a loop over lm-eval and against what the machine can do at most.

    Without --task it measures arc_easy and boolq, which takes about 20 minutes on two cores.
    """
    from tui.process import become

    del debug
    tasks = task or ["arc_easy", "boolq"]
    options: dict[str, Any] = {"model": model, "tasks": tasks, "limit": limit, "dtype": dtype, "device": device}
    become("bench", load_config(None, options).model_dump_json(), "json" if as_json else "table")


@app.command()
def models() -> None:
    """List the model aliases and whether they are cached."""
    from tui.catalog import print_models

    print_models()


@app.command()
def tasks(
    pattern: Annotated[str | None, typer.Argument(help="Part of a name; searches lm-eval's tasks too.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="lm-eval's tasks too.")] = False,
) -> None:
    """List the tasks that can be named."""
    from tui.catalog import print_tasks

    print_tasks(pattern, everything=everything)


@app.command()
def keys() -> None:
    """List the explorer's keys by action, as the file that changes them has it.

    Example: cornerstone keys > my_keys.yaml
    """
    from tui.keymap import keymap_path, template

    print_text("".join(f"{line}\n" for line in template()))
    typer.echo(f"keys that you change go into {keymap_path()}", err=True)


@app.command()
def doctor(store: Annotated[Path | None, typer.Option(help="The store to look at.")] = None) -> None:
    """Check versions, device, caches and store; say what is missing and what mends it."""
    from tui.doctor import examine

    if not examine(store):
        raise typer.Exit(2)


def main() -> None:
    """Entry point."""
    with for_people():
        sys.exit(app(prog_name="cornerstone", standalone_mode=False))
