"""Whether what a sweep holds stays within the memory it was given: the process's peak over what it took before."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from core.engine.packing import Row

BUDGETS = (0.05, 0.1, 0.2, 0.4, 0.8)
DOCUMENTS = 24
_POLL_S = 0.002


def main() -> None:
    print("all windows of a random model (8 layers of width 512), as many documents a chunk as the memory allows")
    for budget in BUDGETS:
        # A process each: what one has freed would hide what the next takes.
        program = [sys.executable, "-m", "tests.benchmarks.memory", str(budget)]
        found = json.loads(subprocess.run(program, check=True, capture_output=True, text=True).stdout)
        print(
            f"  given {budget * 1024:5.0f} MiB: took {found['took'] / 2**20:5.0f} MiB, {found['chunks']} chunks",
            flush=True,
        )


def measured(budget: float) -> dict[str, int]:
    """Return the peak of resident bytes over those before the sweep, after a warm-up, and the number of chunks."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from core.coalitions.schedules import windows
    from core.engine.decoder import Decoder
    from core.engine.sizes import sizes_for
    from core.engine.sweep import sweep_rows
    from tests.benchmarks.scaling import VOCABULARY
    from tests.support.swept import layout_in_use

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=512,
        intermediate_size=1024,
        num_hidden_layers=8,
        num_attention_heads=4,
        num_key_value_heads=2,
    )
    model = LlamaForCausalLM(config).eval()
    # As for offloaded weights: then a chunk is as large as it may be.
    sizes = sizes_for(model, offloaded=True, memory=budget)
    decoder = Decoder(model, layout_in_use(model), laid_out=sizes.laid_out)
    coalitions, rows = windows(16), _rows(VOCABULARY)
    sweep_rows(decoder, rows[:1], coalitions[:3], batch_tokens=sizes.batch_tokens)
    most = max(1, sizes.state_tokens // len(coalitions) // max(map(len, rows)))
    before = psutil.Process().memory_info().rss
    with _Peak() as peak:
        for start in range(0, len(rows), most):
            sweep_rows(decoder, rows[start : start + most], coalitions, batch_tokens=sizes.batch_tokens)
    return {"took": peak.bytes - before, "chunks": -(-len(rows) // most)}


def _rows(vocabulary: int) -> list[Row]:
    """Return rows of one document each, in as many lengths as real ones: memory that products keep grows with them."""
    from core.engine.packing import TokenRequest, pack

    rng = random.Random(0)

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(rng.randrange(vocabulary) for _ in range(count))

    def document() -> list[TokenRequest]:
        context = tokens(rng.randint(15, 75))
        return [TokenRequest(context, tokens(rng.randint(1, 6))) for _ in range(4)]

    return [pack([document()], 512) for _ in range(DOCUMENTS)]


class _Peak:
    """The most resident bytes of this process inside the block, polled."""

    def __enter__(self) -> _Peak:
        self.bytes = 0
        self._over = False
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over = True
        self._thread.join()

    def _watch(self) -> None:
        process = psutil.Process()
        while not self._over:
            self.bytes = max(self.bytes, process.memory_info().rss)
            time.sleep(_POLL_S)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measured(float(sys.argv[1]))))
    else:
        main()
