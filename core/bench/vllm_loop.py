"""Another baseline: the loop over lm-eval with its vLLM backend, in an environment of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory
from typing import Final

import torch

from core.bench import vllm_peer
from core.bench.comparison import Comparison
from core.bench.loop import outcomes_of
from core.bench.report import VllmLoop
from core.bench.vllm_peer import Answered, Asked
from core.coalitions.players import Removed
from core.engine.fetch import on_this_machine
from core.errors import CornerstoneError
from core.records.records import Outcome
from core.study.workbench import Workbench
from core.tasks.prepare import PreparedTask

_LOOK: Final = """
import importlib.util, sys
lacking = [name for name in ("lm_eval", "vllm") if importlib.util.find_spec(name) is None]
print(" and no ".join(lacking))
sys.exit(len(lacking))
"""
"""A program that says which libraries are lacking."""
_ERROR: Final = re.compile(r"[\w.]*(Error|Exception)\b.*:")


def vllm_here(device: str) -> Path | None:
    """Return this program's Python where vLLM is installed beside it and the device is what vLLM is made for."""
    return Path(sys.executable) if device == "cuda" and find_spec("vllm") is not None else None


def refuse_no_vllm(python: Path) -> None:
    """Refuse a Python that cannot evaluate by vLLM, before anything is measured.

    Raises:
        CornerstoneError: it does not start, or lacks lm-eval or vLLM.
    """
    found = _called(python, "-c", _LOOK)
    if found.returncode:
        raise CornerstoneError(f"{python} has no {_last_word(found.stdout)}; name a Python that has lm-eval and vLLM")


def vllm_answers(
    bench: Workbench, task: PreparedTask, coalitions: Sequence[Removed], python: Path
) -> tuple[Answered, list[list[Outcome]]]:
    """Evaluate coalitions by vLLM; return its seconds, and the outcomes of each coalition in the documents' order.

    Args:
        bench: the model.
        task: the task.
        coalitions: what is removed.
        python: the Python of an environment that has lm-eval and vLLM.

    Raises:
        CornerstoneError: vLLM cannot evaluate the model, or is not there.
    """
    answered = _run(_asked(bench, task, coalitions), python)
    each = zip(coalitions, answered.answers, strict=True)
    return answered, [outcomes_of(task, removed, answers) for removed, answers in each]


def vllm_report(answered: Answered, compared: Comparison, coalitions: int, sweep_seconds: float) -> VllmLoop:
    """Return what vLLM took, for all coalitions by proportion, and how its answers compare."""
    seconds = sum(answered.seconds) / len(answered.seconds) * coalitions
    return VllmLoop(
        version=answered.version,
        seconds=seconds,
        timed=len(answered.seconds),
        speedup=seconds / sweep_seconds,
        max_logprob_difference=compared.largest,
        median_logprob_difference=compared.median,
        answers_differ=compared.differ,
    )


def _asked(bench: Workbench, task: PreparedTask, coalitions: Sequence[Removed]) -> Asked:
    source = on_this_machine(bench.config.model, revision=bench.config.revision)
    assert source is not None, "the model is loaded"
    if source.with_adapter(bench.config.adapter).adapter is not None or bench.config.expert_layers is not None:
        raise CornerstoneError("vLLM is compared where sublayers of a model without an adapter are removed")
    layout = bench.model.layout
    silent = [
        [f"{layout.path}.{layer}.{part}" for layer, parts in enumerate(layout.parts_of(removed)) for part in parts]
        for removed in coalitions
    ]
    requests = [instance.args for document in task.documents for instance in document.instances]
    return Asked(str(source.folder), bench.model.record.dtype, bench.encoder.max_length, requests, silent)


def _run(asked: Asked, python: Path) -> Answered:
    """Have another Python evaluate; what it prints is told if it fails."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    with TemporaryDirectory(prefix="cornerstone-vllm-") as folder:
        # In a folder of its own, so that the other Python finds none of Cornerstone's modules beside it.
        program = Path(copy(vllm_peer.__file__, folder))
        request, answers = Path(folder, "request.json"), Path(folder, "answers.json")
        request.write_text(json.dumps(asdict(asked)), encoding="utf-8")
        done = _called(python, str(program), str(request), str(answers))
        if done.returncode or not answers.exists():
            raise CornerstoneError(
                f"lm-eval with vLLM ended with exit code {done.returncode}: {_last_word(done.stderr)}; vLLM must know "
                "this model, and have room for it"
            )
        return Answered(**json.loads(answers.read_text(encoding="utf-8")))


def _called(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run another Python to its end; with this program it ends too.

    Raises:
        CornerstoneError: it does not start.
    """
    # Not resolved: a virtual environment's Python is a link, and known by its place.
    command = [str(python.absolute()), *arguments]
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
        )
    except OSError as error:
        raise CornerstoneError(f"{python} cannot be started ({error.strerror}); name a Python with vLLM") from error


def _last_word(said: str) -> str:
    """Return the last line that tells an error, or the last line: libraries go on to talk while they end."""
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["it said nothing"]
    return next((line for line in reversed(lines) if _ERROR.match(line)), lines[-1])
