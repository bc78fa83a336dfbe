"""Time lm-eval with its vLLM backend. It runs apart from this program, by the Python of an environment that has both.

``PYTHON vllm_peer.py REQUEST ANSWERS`` reads an ``Asked`` and writes an ``Answered``, as JSON files. It imports
nothing of Cornerstone, as vLLM needs its own versions of torch and transformers.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from torch import nn

_SETTINGS: Final = {
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    # The engine is in this process, so that its model can be reached.
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
}
_PART: Final = 0.9
"""The part of the GPU's free memory that vLLM may take."""
_IN_VLLM: Final = {"mlp": "block_sparse_moe"}
"""Modules that transformers calls otherwise than vLLM, in Mixtral and its kin."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The requests and the coalitions that vLLM evaluates.

    Attributes:
        folder: the model's files.
        dtype: the name of a torch dtype.
        max_length: the most tokens of a text.
        requests: context and continuation of each request of all documents.
        coalitions: for each coalition the paths of the modules that add nothing, as transformers names them.
    """

    folder: str
    dtype: str
    max_length: int
    requests: Sequence[tuple[str, str]]
    coalitions: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Answered:
    """For each coalition the seconds, and of each request the log-probability and whether greedy choice gives it."""

    version: str
    seconds: Sequence[float]
    answers: Sequence[Sequence[tuple[float, bool]]]


def main(asked: Path, answered: Path) -> None:
    """Time what a file asks for, and write the answers to another."""
    os.environ.update(_SETTINGS)
    request = Asked(**json.loads(asked.read_text(encoding="utf-8")))
    answered.write_text(json.dumps(asdict(timed(request))), encoding="utf-8")


def timed(asked: Asked) -> Answered:
    """Evaluate all requests under each coalition, after a first pass of the intact model that warms up."""
    from lm_eval.api.instance import Instance

    lm, removed = _backend(asked)
    instances = [
        Instance("loglikelihood", {}, (context, continuation), number)
        for number, (context, continuation) in enumerate(asked.requests)
    ]
    lm.loglikelihood(instances, disable_tqdm=True)
    seconds, answers = [], []
    for silent in asked.coalitions:
        with removed(lm, silent):
            # States of other coalitions are not this one's.
            lm.model.reset_prefix_cache()
            start = time.perf_counter()
            answers.append([(float(one), bool(greedy)) for one, greedy in lm.loglikelihood(instances, True)])
            seconds.append(time.perf_counter() - start)
    return Answered(metadata.version("vllm"), seconds, answers)


def _backend(asked: Asked) -> tuple[Any, Callable[[Any, Sequence[str]], Any]]:
    """Return lm-eval's vLLM model with prefix caching, and what removes modules from it.

    On a CPU vLLM keeps packed copies of weights, which do not follow a change of the weights. So outputs are zeroed
    there, which takes a model that is not compiled.
    """
    import torch
    from lm_eval.models.vllm_causallms import VLLM

    settings: dict[str, Any] = {"enforce_eager": True}
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        settings = {"gpu_memory_utilization": _PART * free / total}
    lm = VLLM(
        pretrained=asked.folder,
        dtype=asked.dtype,
        max_model_len=asked.max_length,
        batch_size="auto",
        enable_prefix_caching=True,
        **settings,
    )
    return lm, by_weights if torch.cuda.is_available() else by_outputs


@contextmanager
def by_weights(lm: Any, silent: Sequence[str]) -> Iterator[None]:
    """Fill the weights of modules with zeros inside the block, in place, so that compiled code and graphs see it."""
    kept: list[Any] = []

    def empty(model: nn.Module) -> None:
        for path in silent:
            for weight in module_at(model, path).parameters():
                kept.append((weight, weight.detach().clone()))
                weight.data.zero_()

    def restore(_model: nn.Module) -> None:
        # Two modules may share weights. Then the first copy has their values, and the second copy only zeros.
        for weight, before in reversed(kept):
            weight.data.copy_(before)

    lm.model.apply_model(empty)
    try:
        yield
    finally:
        lm.model.apply_model(restore)


@contextmanager
def by_outputs(lm: Any, silent: Sequence[str]) -> Iterator[None]:
    """Have modules return zeros inside the block."""
    with ExitStack() as stack:

        def hook(model: nn.Module) -> None:
            for path in silent:
                handle = module_at(model, path).register_forward_hook(_zeros)
                stack.callback(handle.remove)

        lm.model.apply_model(hook)
        yield


def _zeros(_module: nn.Module, _inputs: Any, output: Any) -> Any:
    """Return zeros in the shape of what a module returns: a tensor, or a tuple with some."""
    if isinstance(output, tuple):
        return tuple(None if each is None else each * 0 for each in output)
    return output * 0


def module_at(model: nn.Module, path: str) -> nn.Module:
    """Return the module that transformers calls ``path``, also where vLLM has it at another depth.

    Raises:
        LookupError: there is no such module, or several.
    """
    # "model.layers.3.mlp" may be "language_model.model.layers.3.mlp": the list's own name and what follows it count.
    parts = path.split(".")
    tail = parts[max(next(at for at, part in enumerate(parts) if part.isdigit()) - 1, 0) :]
    modules: dict[str, nn.Module] = dict(model.named_modules())
    for names in (tail, [_IN_VLLM.get(name, name) for name in tail]):
        end = "." + ".".join(names)
        found = [each for name, each in modules.items() if f".{name}".endswith(end)]
        if len(found) == 1:
            return found[0]
    raise LookupError(f"vLLM's {type(model).__name__} has no single module called {'.'.join(tail)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
