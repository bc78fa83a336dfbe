"""The commands that evaluate: run, path, proxies and bench. They turn options into a configuration, and check it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import typer

from core.coalitions.expert_layers import EXPERTS
from core.coalitions.grouping import SUBLAYERS
from core.config.limit import MOST_COUNT
from core.config.run_config import RunConfig, load_config
from core.estimators.registry import schedules
from core.machine.paths import at_home
from core.removal_path.request import DEFAULT_STEPS, PathRequest
from store.file.location import default_path
from store.file.patience import PATIENCE_S
from tui.commands.destination import destination
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

CONFIG_HELP = "A YAML file, or the name of a packaged one such as quickstart. Options override its keys."
_SCHEDULES = (
    f"What to evaluate: {', '.join(schedules())}, or an estimator's name (default ablation). Repeat it for several."
)
_LOOKED_AT = value_help("The score to report, which --until-top, --until-cost and permutation also look at")
_NAMED = Tasks()
_TO_STDOUT = Output()
_BY_ITSELF = Workers()


def asked(file: Path | None, options: Mapping[str, Any], *, stored: bool = True) -> RunConfig:
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


def run(
    config: Annotated[Path | None, typer.Argument(help=CONFIG_HELP)] = None,
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
    run_study(asked(config, options), shlex.join(["cornerstone", *sys.argv[1:]]), wait)


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
    config = asked(None, options | of_experts)
    units = SUBLAYERS if of_experts else players
    request = PathRequest(steps=steps, value=value, players=units, held_out=held_out, keep=keep)
    files = PathFiles(destination(form, output, force=force), None if mask is None else at_home(mask))
    search_path(config, request, files, shlex.join(["cornerstone", *sys.argv[1:]]), wait)


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
    config = asked(None, options, stored=False)
    rows: Rows = "correlations" if correlations else "players"
    measure_proxies(config, ProxyRequest(value=value, rows=rows, to=to.checked()), wait)


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
    config = asked(None, options, stored=False)
    become("bench", config.model_dump_json(), "json" if as_json else "table", "" if vllm is None else str(vllm))
