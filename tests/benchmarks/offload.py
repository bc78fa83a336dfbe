"""What it costs to read a model's layers from the disk, and what fetching the next layer meanwhile saves.

``python -m tests.benchmarks.offload`` sweeps the default model in memory, from the disk, and from the disk without
fetching ahead, in turn; before each sweep the files are put out of the system's cache. Both the whole sweep and one
under a single coalition are measured: with many coalitions the products hide the reading whatever is done.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch

from core.coalitions.players import Removed
from core.coalitions.schedules import windows
from core.engine.decoder import Decoder
from core.engine.load import LoadedModel, load_model
from core.engine.packing import Row, TokenRequest, pack
from core.engine.sweep import sweep
from core.machine.allocator import keep_freed_memory
from core.models.lookup import ModelSource
from tests.support.default_model import default_model

_TURNS, _TOKENS = 7, 48
_ENDS = ("model.embed_tokens", "model.rotary_emb", "model.norm", "lm_head")


def main() -> None:
    """Print seconds and the ratios of each turn."""
    keep_freed_memory()
    folder = default_model()
    source = ModelSource("default", folder, "default", None)
    here = load_model(source, dtype="float32", device="cpu")
    layers = {f"model.layers.{index}": "disk" for index in range(len(here.layout.layers))}
    there = load_model(source, dtype="float32", device_map={**dict.fromkeys(_ENDS, "cpu"), **layers})
    row = pack([[TokenRequest(tuple(range(1000, 1000 + _TOKENS)), (1, 2))]], 2 * _TOKENS)
    everything = windows(len(here.players), 4)
    for coalitions in (everything[:1], everything):
        times = [
            (
                _seconds(here, row, coalitions, folder),
                _seconds(there, row, coalitions, folder),
                _seconds(there, row, coalitions, folder, ahead=False),
            )
            for _ in range(_TURNS)
        ]
        print(f"{len(coalitions)} coalitions, {_TOKENS} tokens, medians of {_TURNS} turns")
        for what, at in (("memory", 0), ("disk", 1), ("disk, not fetched ahead", 2)):
            ratio = statistics.median(each[at] / each[0] for each in times)
            print(
                f"  {what:24s} {statistics.median(each[at] for each in times):6.2f} s  {ratio:.2f} of memory",
                flush=True,
            )


def _seconds(model: LoadedModel, row: Row, coalitions: Sequence[Removed], folder: Path, *, ahead: bool = True) -> float:
    decoder = model.decoder()
    _forget(folder)
    alone = nullcontext() if ahead else patch.object(Decoder, "fetching_ahead", lambda _: nullcontext())
    with alone:
        start = time.perf_counter()
        sweep(decoder, row, coalitions, batch_tokens=1024)
        return time.perf_counter() - start


def _forget(folder: Path) -> None:
    """Put a model's files out of the system's cache."""
    for file in folder.glob("*.safetensors"):
        descriptor = os.open(file.resolve(), os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


if __name__ == "__main__":
    main()
