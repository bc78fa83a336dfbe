"""The commands of `cornerstone`. They print data on stdout and narration on stderr."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from core.config.run_config import RunConfig, absolute, load_config
from core.config.workers import refuse_no_ray
from core.errors import CornerstoneError
from store.file.patience import PATIENCE_S
from tui.commands import results
from tui.commands import store as store_commands
from tui.commands.evaluate import CONFIG_HELP, bench, path, proxies, run
from tui.commands.figure import figure
from tui.commands.option_groups import grouped
from tui.commands.options import (
    AdapterOption,
    CheckFilesOption,
    DebugOption,
    DeviceOption,
    DtypeOption,
    ExpertLayersOption,
    LimitOption,
    ModelOption,
    OfflineOption,
    StoreOption,
    Tasks,
    Workers,
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
    config: Annotated[Path | None, typer.Argument(help=CONFIG_HELP)] = None,
    model: ModelOption = None,
    adapter: AdapterOption = None,
    expert_layers: ExpertLayersOption = None,
    named: Tasks = _NAMED,
    limit: LimitOption = None,
    value: Annotated[str | None, typer.Option(help=value_help("The score to chart"))] = None,
    dtype: DtypeOption = None,
    device: DeviceOption = None,
    crew: Workers = _BY_ITSELF,
    offline: OfflineOption = None,
    check_files: CheckFilesOption = None,
    store: StoreOption = None,
    debug: DebugOption = False,
) -> None:
    """Open the explorer on a model and tasks. Workers evaluate its jobs.

    Example: cornerstone explore --model smollm2-135m-instruct --task agreement --limit 64
    """
    del debug
    options: dict[str, Any] = {
        "model": model, "adapter": adapter, "expert_layers": expert_layers, **named.keys(),
        "limit": limit, "value": value, "dtype": dtype, "device": device,
        "offline": offline, "check_files": check_files, **crew.keys(),
    }  # fmt: skip
    asked = config is not None or any(option is not None for option in options.values())
    choosing = asked and config is None and not options["tasks"]
    if choosing:
        options |= _last_chosen(store, options)
    chosen = load_config(config, options | {"store": store}) if asked else None
    if chosen is not None:
        refuse_no_ray(chosen)
    _open_explorer(store, chosen, choosing=choosing)


def _last_chosen(store: Path | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tasks that an explorer had open last, and its model if none is named."""
    from tui.explorer.session import last_session

    last = last_session(store_file(store).resolve()).config
    model = {} if options["model"] is not None else {"model": last.model}
    return model | {"tasks": [task.model_dump() for task in last.tasks]}


app.command(epilog=_YAML_EXAMPLE)(grouped(run))
app.command()(grouped(path))
app.command()(grouped(proxies))
app.command()(grouped(plan))
app.command()(grouped(say))
app.command()(grouped(paper))
app.command("estimators")(results.estimators)
app.command()(grouped(figure))


app.command()(grouped(bench))


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
