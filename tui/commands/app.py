"""The commands of `cornerstone`. They print data on stdout and narration on stderr."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, NoReturn

import typer

from core.coalitions.expert_layers import EXPERTS
from core.coalitions.grouping import SUBLAYERS
from core.config.limit import MOST_COUNT
from core.config.run_config import RunConfig, absolute, load_config
from core.errors import CornerstoneError
from core.estimators.registry import schedules
from core.machine.paths import at_home
from core.removal_path.request import DEFAULT_STEPS, PathRequest
from store.file.location import default_path
from store.file.patience import PATIENCE_S
from tui.commands import results
from tui.commands import store as store_commands
from tui.commands.destination import destination
from tui.commands.figure import figure
from tui.commands.option_groups import grouped
from tui.commands.options import (
    PLAYERS_OF_RUN,
    AdapterOption,
    CheckFilesOption,
    DebugOption,
    DeviceOption,
    DtypeOption,
    ExpertLayersOption,
    FormatOption,
    LimitOption,
    ModelOption,
    OfflineOption,
    OrderOption,
    Output,
    OutputOption,
    RunSettings,
    SeedOption,
    StoreOption,
    Tasks,
    WaitOption,
    Workers,
    mean_help,
    store_file,
    value_help,
)
from tui.commands.paper import paper
from tui.commands.plan import plan
from tui.commands.say import say
from tui.commands.stdout import print_text
from tui.settings import read_settings, settings_path

app = typer.Typer(
    help="Which layers carry a language model, and how sure are we?",
    epilog="Start with: cornerstone run quickstart",
    pretty_exceptions_enable=False,
)
app.add_typer(results.app, name="results")
app.add_typer(store_commands.app, name="store")

_CONFIG = "A YAML file, or the name of a packaged one such as quickstart. Options override its keys."
_SCHEDULES = (
    f"What to evaluate: {', '.join(schedules())}, or an estimator's name (default ablation). Repeat it for several."
)
_LOOKED_AT = value_help("The score to report, which --until-top, --until-cost and permutation also look at")
_TO_STDOUT = Output()
_NAMED = Tasks()
_BY_ITSELF = Workers()
# It has no brackets, which would be read as markup.
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
    store: Annotated[
        Path | None, typer.Option(help="The file that keeps the outcomes, for use without a command.")
    ] = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
    debug: DebugOption = False,
) -> None:
    """Open the explorer where no command is given; without a terminal, run the quickstart."""
    del debug
    if version:
        typer.echo(f"cornerstone {metadata.version('cornerstone')}")
        raise typer.Exit
    if context.invoked_subcommand is not None:
        if store is not None:
            raise CornerstoneError(f"--store {store} goes after the command, which is {context.invoked_subcommand}")
        return
    if _on_terminal():
        _open_explorer(store, None)
    from store.file.database import refuse_unusable
    from tui.commands.run import run as run_study

    refuse_unusable(store_file(store))
    typer.echo("running the quickstart: two tasks, every layer removed alone and in windows (about 2 min)", err=True)
    run_study(load_config(Path("quickstart"), {"store": store}), "cornerstone run quickstart", PATIENCE_S)


def _to_evaluate(file: Path | None, options: Mapping[str, Any], *, stored: bool = True) -> RunConfig:
    """Return the run that a file and options ask for, after the checks that take no time.

    What is not ``stored`` needs no store that can be written.
    """
    from core.study.early_checks import refuse_at_once

    config = load_config(file, options)
    path = store_file(config.store)
    if config.store is None and path != default_path():
        config = config.model_copy(update={"store": path})
    refuse_at_once(config)
    if stored:
        from store.file.database import refuse_unusable

        refuse_unusable(path)
    return config


def _on_terminal() -> bool:
    """Return whether a person can use the explorer here."""
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def _open_explorer(store: Path | None, config: RunConfig | None, *, choosing: bool = False) -> NoReturn:
    """Open the explorer; with ``choosing``, on the dialog that chooses, which is filled in with ``config``."""
    from store.file.place import refuse_bad_place
    from tui.explorer.app import Explorer, Start
    from tui.explorer.keymap import own_keys
    from tui.explorer.session import Session, read_session

    path = store_file(store or (config.store if config else None)).resolve()
    session, notice = (Session(config=config), None) if config else read_session(path)
    session = session.model_copy(update={"config": absolute(session.config)})
    if not _on_terminal():
        raise CornerstoneError("the explorer needs a terminal; `cornerstone run` does the same work without one")
    refuse_bad_place(path)
    start: Start = "resume"
    if config is not None:
        start = "choose" if choosing else "insist"
    elif not session.model_id and notice is None:
        start = "latest"
    settings = read_settings()
    settings = settings.model_copy(update={"keys": own_keys(settings)})
    explorer = Explorer(path, session, start=start, settings=settings, notice=notice)
    explorer.run()
    if explorer.fault is not None:
        raise explorer.fault
    raise typer.Exit(explorer.return_code or 0)


@app.command()
@grouped
def explore(
    config: Annotated[Path | None, typer.Argument(help=_CONFIG)] = None,
    model: ModelOption = None,
    adapter: AdapterOption = None,
    expert_layers: ExpertLayersOption = None,
    named: Tasks = _NAMED,
    limit: LimitOption = None,
    value: Annotated[str | None, typer.Option(help=value_help("The score to chart"))] = None,
    dtype: DtypeOption = None,
    device: DeviceOption = None,
    offline: OfflineOption = None,
    check_files: CheckFilesOption = None,
    store: StoreOption = None,
    debug: DebugOption = False,
) -> None:
    """Open the explorer on a model and tasks.

    Example: cornerstone explore --model smollm2-135m-instruct --task agreement --limit 64
    """
    del debug
    options: dict[str, Any] = {
        "model": model, "adapter": adapter, "expert_layers": expert_layers, **named.keys(),
        "limit": limit, "value": value, "dtype": dtype, "device": device,
        "offline": offline, "check_files": check_files,
    }  # fmt: skip
    asked = config is not None or any(option is not None for option in options.values())
    choosing = asked and config is None and not options["tasks"]
    if choosing:
        options |= _last_chosen(store, options)
    _open_explorer(store, load_config(config, options | {"store": store}) if asked else None, choosing=choosing)


def _last_chosen(store: Path | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tasks that an explorer had open last, and its model if none is named."""
    from tui.explorer.session import last_session

    last = last_session(store_file(store).resolve()).config
    model = {} if options["model"] is not None else {"model": last.model}
    return model | {"tasks": [task.model_dump() for task in last.tasks]}


@app.command(epilog=_YAML_EXAMPLE)
@grouped
def run(
    config: Annotated[Path | None, typer.Argument(help=_CONFIG)] = None,
    model: ModelOption = None,
    adapter: AdapterOption = None,
    expert_layers: ExpertLayersOption = None,
    named: Tasks = _NAMED,
    limit: LimitOption = None,
    order: OrderOption = None,
    seed: SeedOption = None,
    schedule: Annotated[list[str] | None, typer.Option(help=_SCHEDULES)] = None,
    settings: RunSettings = MappingProxyType({}),
    players: Annotated[str | None, typer.Option(help=PLAYERS_OF_RUN)] = None,
    until_top: Annotated[
        int | None,
        typer.Option(
            help="Decide which N units are the largest; a decided one costs no more, and a task ends with all of them."
        ),
    ] = None,
    until_cost: Annotated[
        float | None,
        typer.Option(
            help="Decide which units cost more than this much of the value, each removed alone; a decided one costs no "
            "more, and a task ends with all of them."
        ),
    ] = None,
    confidence: Annotated[
        float | None, typer.Option(help="How sure --until-top or --until-cost must be (default 0.95).")
    ] = None,
    value: Annotated[str | None, typer.Option(help=_LOOKED_AT)] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option(help='Remove these sublayers together, such as "Attn 0,FFN 3". Repeat it for several coalitions.'),
    ] = None,
    num_fewshot: Annotated[
        int | None, typer.Option(help="How many examples each prompt has (default: the task's own number).")
    ] = None,
    apply_chat_template: Annotated[
        bool | None, typer.Option("--apply-chat-template", help="Put each prompt into the model's chat format.")
    ] = None,
    dtype: DtypeOption = None,
    device: DeviceOption = None,
    memory: Annotated[
        float | None, typer.Option(help="How many GiB a sweep may take (default: a part of what is free).")
    ] = None,
    crew: Workers = _BY_ITSELF,
    revision: Annotated[str | None, typer.Option(help="The branch, tag or commit of a hub model.")] = None,
    offline: OfflineOption = None,
    check_files: CheckFilesOption = None,
    store: StoreOption = None,
    wait: WaitOption = PATIENCE_S,
    debug: DebugOption = False,
) -> None:
    """Remove layers, evaluate the model, and store every outcome. Stored outcomes are not evaluated again.

    Example: cornerstone run --task agreement --limit 32 --schedule windows
    """
    from tui.commands.run import run as run_study

    del debug  # main() looks for it, as errors before this point have tracebacks too
    options: dict[str, Any] = {
        "model": model, "adapter": adapter, "expert_layers": expert_layers, **named.keys(),
        "limit": limit, "order": order, "seed": seed, "schedule": schedule,
        "players": players, **settings, "until_top": until_top, "until_cost": until_cost,
        "confidence": confidence, "value": value, "remove": remove, "num_fewshot": num_fewshot,
        "apply_chat_template": apply_chat_template, "dtype": dtype, "device": device, "memory": memory,
        "revision": revision, "offline": offline, "check_files": check_files, "store": store, **crew.keys(),
    }  # fmt: skip
    run_study(_to_evaluate(config, options), shlex.join(["cornerstone", *sys.argv[1:]]), wait)


@app.command()
@grouped
def path(
    model: ModelOption = None,
    adapter: AdapterOption = None,
    expert_layers: ExpertLayersOption = None,
    named: Tasks = _NAMED,
    limit: Annotated[
        float | None,
        typer.Option(help="How many documents of each task choose the path, or the part of them (default: all)."),
    ] = None,
    steps: Annotated[
        int, typer.Option(min=1, max=MOST_COUNT, help="How many units to remove, one in each step.")
    ] = DEFAULT_STEPS,
    value: Annotated[str | None, typer.Option(help=mean_help("The score to keep high"))] = None,
    players: Annotated[str, typer.Option(help=PLAYERS_OF_RUN, show_default=False)] = SUBLAYERS,
    held_out: Annotated[
        bool, typer.Option(help="Score the path on as many other documents too, which did not choose it.")
    ] = True,
    mask: Annotated[
        Path | None, typer.Option(help="Write the removed layers to this file, which core.mask.apply reads.")
    ] = None,
    keep: Annotated[
        float | None,
        typer.Option(
            min=0.01, max=1, help="End the mask at the last step that keeps this part of the score, such as 0.9."
        ),
    ] = None,
    seed: SeedOption = None,
    dtype: DtypeOption = None,
    device: DeviceOption = None,
    crew: Workers = _BY_ITSELF,
    offline: OfflineOption = None,
    store: StoreOption = None,
    wait: WaitOption = PATIENCE_S,
    form: FormatOption = None,
    output: OutputOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the files if they exist.")] = False,
    debug: DebugOption = False,
) -> None:
    """Remove the least important layer again and again, to see what it costs to shrink the model.

    Each step evaluates all units that remain, and removes the one whose removal leaves the best score. Where several
    leave the same score, the one that leaves the right answers likeliest is removed.

    With several tasks the score is the mean over tasks.

    Example: cornerstone path --task agreement --limit 32 --steps 6 --mask mask.json
    """
    from tui.commands.path import PathFiles
    from tui.commands.path import path as search_path

    del debug
    options: dict[str, Any] = {
        "model": model, "adapter": adapter, "expert_layers": expert_layers, **named.keys(),
        "limit": limit, "seed": seed, "dtype": dtype, "device": device,
        "offline": offline, "store": store, **crew.keys(),
    }  # fmt: skip
    of_experts = {"players": EXPERTS} if players == EXPERTS else {}
    config = _to_evaluate(None, options | of_experts)
    units = SUBLAYERS if of_experts else players
    request = PathRequest(steps=steps, value=value, players=units, held_out=held_out, keep=keep)
    files = PathFiles(destination(form, output, force=force), None if mask is None else at_home(mask))
    search_path(config, request, files, shlex.join(["cornerstone", *sys.argv[1:]]), wait)


@app.command()
@grouped
def proxies(
    model: ModelOption = None,
    adapter: AdapterOption = None,
    named: Tasks = _NAMED,
    limit: LimitOption = None,
    value: Annotated[str | None, typer.Option(help=mean_help("The score of the drops and Shapley values"))] = None,
    order: OrderOption = None,
    seed: SeedOption = None,
    dtype: DtypeOption = None,
    device: DeviceOption = None,
    crew: Workers = _BY_ITSELF,
    offline: OfflineOption = None,
    store: StoreOption = None,
    wait: WaitOption = PATIENCE_S,
    correlations: Annotated[
        bool, typer.Option("--correlations", help="Write correlations instead of players, in any format but table.")
    ] = False,
    to: Output = _TO_STDOUT,
    debug: DebugOption = False,
) -> None:
    """Measure how far each layer moves the hidden state of the intact model, and whether that can replace removing it.

    The ranking of layers is compared with those of the stored drops and Shapley values of the same documents.

    Example: cornerstone proxies --task agreement --limit 32
    """
    from tui.commands.proxies import ProxyRequest, Rows
    from tui.commands.proxies import proxies as measure_proxies

    del debug
    options: dict[str, Any] = {
        "model": model, "adapter": adapter, **named.keys(),
        "limit": limit, "order": order, "seed": seed, "dtype": dtype,
        "device": device, "offline": offline, "store": store, **crew.keys(),
    }  # fmt: skip
    config = _to_evaluate(None, options, stored=False)
    rows: Rows = "correlations" if correlations else "players"
    measure_proxies(config, ProxyRequest(value=value, rows=rows, to=to.checked()), wait)


app.command()(grouped(plan))
app.command()(grouped(say))
app.command()(grouped(paper))
app.command("estimators")(results.estimators)
app.command()(grouped(figure))


@app.command()
@grouped
def bench(
    model: ModelOption = None,
    named: Tasks = _NAMED,
    limit: Annotated[
        float | None, typer.Option(help="How many documents of each task (default 48, and 16 of boolq).")
    ] = None,
    order: Annotated[
        str | None,
        typer.Option(help="The order of documents: file (default), or shuffled, which tells who is in the top."),
    ] = None,
    dtype: DtypeOption = None,
    device: DeviceOption = None,
    vllm: Annotated[
        Path | None,
        typer.Option(
            metavar="PYTHON",
            help="Also time lm-eval with vLLM: the Python of an environment that has both. On CUDA, where vLLM is "
            "installed beside Cornerstone, it is timed unasked.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list of objects.")] = False,
    debug: DebugOption = False,
) -> None:
    """Measure a sweep of all windows, against a loop over lm-eval and against the limit of this machine.

    Without --task it measures arc_easy and boolq, which takes about 20 minutes on two cores.
    """
    from tui.worker_process import become

    del debug
    options: dict[str, Any] = {"model": model, "limit": limit, "dtype": dtype, "device": device}
    options |= {**named.keys(), "tasks": named.task or ["arc_easy", "boolq"], "order": order or "file"}
    config = _to_evaluate(None, options, stored=False)
    become("bench", config.model_dump_json(), "json" if as_json else "table", "" if vllm is None else str(vllm))


@app.command()
def models(
    name: Annotated[str | None, typer.Argument(help="A model, as an alias, a hub id, a folder or a GGUF file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    revision: Annotated[str | None, typer.Option(help="The branch, tag or commit of a hub model.")] = None,
    offline: OfflineOption = None,
) -> None:
    """List the model aliases; or say what one model is, without loading its weights.

    Example: cornerstone models smollm2-135m-instruct
    """
    from tui.commands.models import print_model, print_models

    if name is None:
        print_models(as_json=as_json)
    else:
        print_model(name, revision=revision, offline=bool(offline), as_json=as_json)


@app.command()
def tasks(
    pattern: Annotated[
        str | None, typer.Argument(help="Part of a task's name. It is searched for in lm-eval's tasks too.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="List lm-eval's tasks too.")] = False,
) -> None:
    """List the tasks by name."""
    from tui.commands.catalog import print_tasks

    print_tasks(pattern, everything=everything)


@app.command()
def keys() -> None:
    """List the explorer's keys by action, in the form of the settings file that changes them.

    Example: cornerstone keys > my_keys.yaml
    """
    from tui.explorer.keymap import own_keys, template

    print_text("".join(f"{line}\n" for line in template(own_keys(read_settings()))))
    typer.echo(f"keys that you change go into {settings_path()}", err=True)


@app.command()
def doctor(
    store: Annotated[
        Path | None, typer.Option(help="The store to check (default: the one in your data folder).")
    ] = None,
) -> None:
    """Check versions, device, caches and store, and say what is missing and what mends it.

    The exit code is 0 if all that a run needs is there and sound, and 1 if not.
    """
    from tui.commands.doctor import examine

    if not examine(store):
        raise typer.Exit(1)
