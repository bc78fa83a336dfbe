"""`cornerstone plan`: what a study costs, before anything runs and without the model's weights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from textwrap import wrap
from types import MappingProxyType
from typing import Annotated, Any, Final

import pydantic
import typer

from core.config.run_config import load_config
from core.cost.gpus import GPUS, gpu_named
from core.cost.report import StudyCost, TaskCost
from core.errors import CornerstoneError
from core.machine.byte_count import in_bytes
from core.study.early_checks import refuse_bad_tasks
from tui.commands.options import (
    PLAYERS_OF_RUN,
    DebugOption,
    DeviceOption,
    DtypeOption,
    ExpertLayersOption,
    LimitOption,
    ModelOption,
    OfflineOption,
    RunSettings,
    Tasks,
)
from tui.commands.stdout import on_terminal, print_text, tables_console
from tui.drawing.numbers import decimal, span, whole
from tui.drawing.plain import counted, plain
from tui.worker_process import become

_NAMED: Final = Tasks()
_GPU: Final = f"Plan for a GPU by its makers' figures: {', '.join(gpu.name for gpu in GPUS)}."
_LABEL_WIDTH: Final = 12
_NARROWEST: Final = 20


class PlanForm(pydantic.BaseModel, frozen=True):
    """For which machine a plan is made, and how it is printed.

    ``gpu`` is the name of a GPU, ``gflops`` the speed of products; without both this machine is measured.
    """

    gpu: str | None = None
    gflops: Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)] | None = None
    as_json: bool = False


def plan(
    config: Annotated[
        Path | None, typer.Argument(help="A YAML file, or the name of a packaged one such as paper/llama-3-8b.")
    ] = None,
    model: ModelOption = None,
    expert_layers: ExpertLayersOption = None,
    named: Tasks = _NAMED,
    limit: LimitOption = None,
    schedule: Annotated[list[str] | None, typer.Option(help="What to evaluate, as for `cornerstone run`.")] = None,
    settings: RunSettings = MappingProxyType({}),
    players: Annotated[str | None, typer.Option(help=PLAYERS_OF_RUN)] = None,
    num_fewshot: Annotated[int | None, typer.Option(help="How many examples each prompt has.")] = None,
    apply_chat_template: Annotated[
        bool | None, typer.Option("--apply-chat-template", help="Put each prompt into the model's chat format.")
    ] = None,
    dtype: DtypeOption = None,
    device: DeviceOption = None,
    gpu: Annotated[str | None, typer.Option(help=_GPU)] = None,
    gflops: Annotated[
        float | None, typer.Option(help="Plan for a machine whose large matrix products have this speed.")
    ] = None,
    offline: OfflineOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: DebugOption = False,
) -> None:
    """Say what a study costs before it runs: coalitions, tokens, operations, memory, time, and bytes in the store.

    The model needs no weights here: a folder with its config.json will do, or an alias. Without --gpu and --gflops this
    machine is measured for five seconds.

    Example: cornerstone plan paper/llama-3-8b --gpu H200
    """
    del debug
    if gpu is not None:
        gpu_named(gpu)  # a wrong name is refused before torch is loaded
        if gflops is not None:
            raise CornerstoneError("give --gpu or --gflops, not both")
    if gflops is not None and not 0 < gflops < float("inf"):
        raise CornerstoneError(f"--gflops must be more than 0, not {gflops}")
    options: dict[str, Any] = {
        "model": model, "expert_layers": expert_layers, **named.keys(), "limit": limit, "schedule": schedule,
        "players": players, **settings, "num_fewshot": num_fewshot, "apply_chat_template": apply_chat_template,
        "dtype": dtype, "device": device, "offline": offline,
    }  # fmt: skip
    run = load_config(config, options)
    refuse_bad_tasks(run)
    form = PlanForm(gpu=gpu, gflops=gflops, as_json=as_json)
    become("plan", run.model_dump_json(), form.model_dump_json())


def print_plan(cost: StudyCost, *, as_json: bool) -> None:
    """Print what a study costs: a JSON object, or a line each."""
    if as_json:
        print_text(json.dumps(asdict(cost), indent=1, allow_nan=False) + "\n")
        return
    width = tables_console().width if on_terminal() else None
    lines = [line for label, text in _lines(cost) for line in _laid_out(label, text, width, _LABEL_WIDTH)]
    tasks = cost.tasks if len(cost.tasks) > 1 else ()
    longest = max((len(plain(task.task)) for task in tasks), default=0) + 2
    lines += [line for task in tasks for line in _laid_out(f"  {plain(task.task)}", _of_task(task), width, longest)]
    print_text("".join(f"{line}\n" for line in lines))


def _laid_out(label: str, text: str, width: int | None, room: int) -> Iterator[str]:
    """Yield the lines of a fact, wrapped to a terminal's width; a label has so much room."""
    first, *rest = [text] if width is None else wrap(text, max(width - room - 2, _NARROWEST))
    yield f"{label:<{room}}  {first}"
    yield from (f"{'':<{room}}  {line}" for line in rest)


def _lines(cost: StudyCost) -> Iterator[tuple[str, str]]:
    at_most = "at most " if cost.at_most else ""
    suggested = "" if cost.sure else " (as its modules are called; loading it tells for certain)"
    yield "model", f"{plain(cost.model)}, {counted(cost.players, 'player')}{suggested}, {cost.dtype}"
    yield (
        "evaluates",
        (
            f"{at_most}{counted(cost.coalitions, 'coalition')} x {counted(cost.documents, 'document')}: "
            f"{at_most}{counted(cost.outcomes, 'outcome')}"
        ),
    )
    yield "tokens", f"{whole(cost.tokens)} packed; lm-eval pads them to {whole(cost.padded_tokens)}{_by(cost.tasks)}"
    yield "operations", f"{cost.flops:.3g}; a loop over lm-eval {cost.lm_eval_flops:.3g}"
    yield (
        "weights",
        (
            f"{in_bytes(cost.weight_bytes)}; the layers' {in_bytes(cost.weight_bytes_per_chunk)} are read once a chunk "
            f"of documents: {counted(cost.chunks, 'chunk')}"
        ),
    )
    where = "the weights do not fit and are fetched for each chunk; in use at once " if cost.offloaded else ""
    yield "memory", f"{where}about {in_bytes(cost.memory_bytes)}"
    yield "store", f"{in_bytes(cost.store_bytes)}"
    yield (
        "time",
        (
            f"{at_most}about {span(cost.seconds)}, {span(cost.start_seconds)} of it to start and to load; "
            f"a loop over lm-eval {span(cost.lm_eval_seconds)}, "
            f"{decimal(cost.lm_eval_seconds / cost.seconds, 1)} times as long"
        ),
    )
    beside = ", beside other work: it may be more" if cost.beside_others else ""
    how = f"measured now{beside}" if cost.measured else "not measured"
    part = f"the sweep is taken to reach {decimal(cost.sweep_part, 2)} of that"
    yield "on", f"{plain(cost.machine)}: {whole(round(cost.product_flops / 1e9))} GFLOPS of products ({how}); {part}"


def _by(tasks: tuple[TaskCost, ...]) -> str:
    others = [task.task for task in tasks if not task.exact]
    which = "the texts" if len(others) == len(tasks) else ", ".join(map(plain, others))
    return f" (about, as another tokenizer cuts {which})" if others else ""


def _of_task(task: TaskCost) -> str:
    return f"{counted(task.documents, 'document')}, {whole(task.tokens)} tokens, {span(task.seconds)}"
