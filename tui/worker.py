"""The program that runs the engine and stores its results. It is the only module of ``tui`` that loads torch.

``python -m tui.worker run CONFIG COMMAND WAIT`` runs one study in the foreground (CONFIG is JSON);
``python -m tui.worker path CONFIG REQUEST FILES COMMAND WAIT`` searches a removal path (the first three are JSON);
``python -m tui.worker proxies CONFIG REQUEST WAIT`` measures the intact model;
``python -m tui.worker say CONFIG text|json PROMPT`` continues a prompt, from stdin if PROMPT is -;
``python -m tui.worker bench CONFIG table|json PYTHON`` measures the sweep, and vLLM by another Python unless it is "";
``python -m tui.worker plan CONFIG FORM`` says what a study costs (both are JSON);
``python -m tui.worker serve STORE`` is the evaluator of a store.
WAIT is how many seconds to wait while another program holds the store.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.config.model_config import ModelConfig
    from core.cost.run_cost import RunCost
    from core.findings.finding import PathFinding, ProxyFinding
    from core.study.listener import Listener

# The evaluator tries again by itself, so it should say soon that the store is in use.
_PATIENCE_S = 2.0
_NICENESS = 5
_LEAST_MEMORY = 2e9
"""Bytes of addresses that the libraries take when they are loaded, without a model."""


def main(arguments: list[str]) -> None:
    """Do the work that the arguments name."""
    from core.machine.allocator import keep_freed_memory
    from core.machine.memory_limit import refuse_less
    from core.machine.stuck_start import watch_thread_starts

    refuse_less(_LEAST_MEMORY, "what evaluates models (torch, transformers and lm-eval)")
    keep_freed_memory()
    watch_thread_starts()
    match arguments:
        case ["run", text, command, wait]:
            _run(text, command, float(wait))
        case ["path", text, request, files, command, wait]:
            _path(text, request, files, command, float(wait))
        case ["proxies", text, request, wait]:
            _proxies(text, request, float(wait))
        case ["say", text, form, prompt]:
            _say(text, form, prompt)
        case ["bench", text, form, vllm]:
            _bench(text, form, vllm)
        case ["plan", text, form]:
            _plan(text, form)
        case ["serve", store]:
            _serve(Path(store))
        case _:
            sys.exit(__doc__)


# Loading torch takes seconds, so it happens where Ctrl+C is handled.
def _run(text: str, command: str, wait: float) -> None:
    from core.config.run_config import RunConfig

    config = RunConfig.model_validate_json(text)
    _set_offline(config)

    from core.cost.of_run import OfRun
    from store.file.location import default_path
    from store.study import kept_study
    from tui.commands.run import show_run
    from tui.drawing.run_cost_text import counts_text, less_text, time_text

    def tell(cost: RunCost, listener: Listener) -> None:
        said = (counts_text(config, cost), time_text(cost), less_text(config))
        listener.narrate("; ".join(filter(None, said)))

    path, of_run = config.store or default_path(), OfRun(config, tell)
    show_run(path, lambda listener: of_run.timed(kept_study(config, command, path, listener, wait, of_run.begin)))


def _set_offline(config: ModelConfig) -> None:
    """Forbid downloads to the hub's libraries, which read this when they are loaded."""
    if config.offline:
        os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}


def _path(text: str, request_text: str, files_text: str, command: str, wait: float) -> None:
    from core.config.run_config import RunConfig
    from core.removal_path.request import PathRequest

    config, request = RunConfig.model_validate_json(text), PathRequest.model_validate_json(request_text)
    _set_offline(config)

    from core.findings.finding import PathFinding
    from core.removal_path.mask_file import write
    from core.removal_path.path_mask import chosen_step, path_mask
    from core.removal_path.study import find_path, task_ids
    from core.study.kept import kept_outcomes
    from core.study.listener import Callbacks
    from store.file.location import default_path
    from store.recorder import StoreRecorder
    from tui.commands.path import FILES, followed, put_path
    from tui.commands.stderr import narrate

    files = FILES.validate_json(files_text)
    store = config.store or default_path()

    recorder_of = partial(StoreRecorder, store, on_wait=narrate)
    with kept_outcomes(recorder_of, store, Callbacks(narrate), wait) as recorder:
        found = followed(store, lambda listener: find_path(config, request, command, recorder, listener))
        finding = PathFinding(
            made=datetime.now(UTC), request=request, tasks=task_ids(found.bench), complete=True, rows=found.rows
        )
        _keep(store, finding, narrate)
        put_path(found.rows, files.rows)
        if files.mask is not None or request.keep is not None:
            step = chosen_step(found, request)
            which = "the largest that keeps enough" if request.keep is not None else "the last"
            narrate(f"step {step} is {which}")
            if files.mask is not None:
                write(path_mask(found, step, request), files.mask, force=files.rows.force)
                narrate(f"wrote its mask to {files.mask}; core.mask.apply removes it from a model")


def _proxies(text: str, request_text: str, wait: float) -> None:
    from core.config.run_config import RunConfig

    config = RunConfig.model_validate_json(text)
    _set_offline(config)

    from core.findings.finding import ProxyFinding
    from core.proxies.study import OfTask, check_proxies
    from store.file.location import default_path
    from store.recorder import StoreRecorder
    from tui.commands.proxies import ProxyRequest, followed, put_proxies
    from tui.commands.stderr import narrate
    from tui.drawing.gap_text import gap_texts

    request = ProxyRequest.model_validate_json(request_text)
    path = config.store or default_path()
    recorder = StoreRecorder(path, wait, narrate)

    def kept(of: OfTask) -> None:
        finding = ProxyFinding(made=datetime.now(UTC), rows=of.proxies, correlations=of.correlations, gaps=of.gaps)
        _keep(path, finding, narrate)

    found = followed(lambda listener: check_proxies(config, request.value, recorder, listener, on_task=kept))
    put_proxies(found.proxies, found.correlations, gap_texts(found.gaps, path), request)
    if not found.complete:
        sys.exit(1)


def _keep(store: Path, finding: PathFinding | ProxyFinding, narrate: Callable[[str], None]) -> None:
    """Keep a finding for the explorer; say so if that is not possible, and go on."""
    from core.errors import CornerstoneError
    from core.findings.files import keep

    try:
        keep(store, finding)
    except CornerstoneError as error:
        narrate(f"the explorer will not show this: {error}")


def _say(text: str, form: str, prompt: str) -> None:
    from core.say.say_config import SayConfig
    from tui.commands.said import Heading, read_prompt, show
    from tui.commands.say import STDIN, SayForm, ask_of

    config = SayConfig.model_validate_json(text)
    ask = ask_of(config.manner, read_prompt() if prompt == STDIN else prompt)
    _set_offline(config)

    from core.say.conversation import open_conversation
    from core.study.listener import Callbacks
    from tui.commands.stderr import narrate

    talk = open_conversation(config, Callbacks(narrate))
    heading = Heading(talk.model.record.name, talk.removed, tuple(player.label for player in talk.gone))
    show(heading, ask, talk.dialogue, SayForm(form))


def _bench(text: str, form: str, vllm: str) -> None:
    from core.bench.measure import measure
    from core.config.run_config import RunConfig
    from core.machine.process import since_start
    from core.study.listener import Callbacks
    from core.study.plan import longest_window
    from core.study.workbench import open_workbench
    from tui.commands.bench import print_reports, with_limits
    from tui.commands.signals import terminable
    from tui.commands.stderr import narrate

    reports = []
    bench, ready = None, since_start()
    # SIGTERM must end vLLM's program too, as that holds the GPU's memory.
    with terminable():
        for config in with_limits(RunConfig.model_validate_json(text)):
            began = time.perf_counter()
            bench = open_workbench(config, Callbacks(narrate), bench)
            ready += time.perf_counter() - began
            for task in bench.tasks:
                report = measure(
                    bench,
                    task,
                    narrate,
                    max_removed=longest_window(config),
                    ready=ready,
                    vllm=Path(vllm) if vllm else None,
                )
                reports.append(report)
    print_reports(reports, as_json=form == "json")


def _plan(text: str, form_text: str) -> None:
    from core.config.run_config import RunConfig

    config = RunConfig.model_validate_json(text)
    _set_offline(config)

    from core.cost.plan import cost_of, study_of
    from core.cost.speed import dtype_for, speed_of
    from core.machine.process import since_start
    from core.study.listener import Callbacks
    from tui.commands.plan import PlanForm, print_plan
    from tui.commands.stderr import narrate

    form = PlanForm.model_validate_json(form_text)
    study = study_of(config, dtype_for(config, form.gpu), Callbacks(narrate))
    ready = since_start()
    print_plan(cost_of(study, speed_of(study.outline, config, form.gpu, form.gflops), ready), as_json=form.as_json)


def _serve(path: Path) -> None:
    from core.evaluator.service import serve
    from core.machine.priority import give_way
    from store.recorder import StoreRecorder

    give_way(_NICENESS)  # the explorer is waited for by a person
    if not serve(path, StoreRecorder(path, _PATIENCE_S)):
        print(f"there is an evaluator of {path} already", flush=True)


if __name__ == "__main__":
    from tui.interrupt import owns_process, stop_at_once

    alone = owns_process()
    if alone:
        stop_at_once()
    from tui.broad_net import DEBUG, broad_net

    with broad_net(whole_process=alone):
        from tui.commands.exit import for_people

        with for_people():
            main([argument for argument in sys.argv[1:] if argument != DEBUG])
