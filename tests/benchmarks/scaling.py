"""How the cost of all windows grows with documents and with layers: seconds, and the work that must be done."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from core.bench.limit import distinct_work
from core.coalitions.schedules import windows
from core.engine.decoder import Decoder
from core.engine.packing import Row, TokenRequest, pack
from core.engine.sweep import sweep
from tests.support.swept import layout_in_use

HIDDEN, VOCABULARY, REPEATS = 256, 1000, 5
BATCH_TOKENS = 2048
LAYERS = (4, 8, 16, 32)
DOCUMENTS = (4, 8, 16, 32)


@dataclass(frozen=True, slots=True)
class _Cost:
    """Cost of all windows: seconds, and the operations that no exact method avoids (``core.bench.limit``)."""

    seconds: float
    work: float


def main() -> None:
    _cost(LAYERS[0], 2)  # warm-up
    print(f"layers, {DOCUMENTS[1]} documents: seconds for all windows; seconds and work as a multiple of those before")
    _table(LAYERS, lambda layers: _cost(layers, DOCUMENTS[1]))
    print("documents, 8 layers")
    _table(DOCUMENTS, lambda documents: _cost(8, documents))


def _table(sizes: tuple[int, ...], measure: Callable[[int], _Cost]) -> None:
    before = None
    for size in sizes:
        cost = measure(size)
        ratio = ""
        if before is not None:
            ratio = f"  x {cost.seconds / before.seconds:.2f}, work x {cost.work / before.work:.2f}, for x 2"
        print(f"  {size:>3}  {cost.seconds:8.2f} s{ratio}", flush=True)
        before = cost


def _cost(layers: int, documents: int) -> _Cost:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=HIDDEN,
        intermediate_size=3 * HIDDEN,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
    )
    model = LlamaForCausalLM(config).eval()
    layout = layout_in_use(model)
    decoder, coalitions, rows = Decoder(model, layout), windows(2 * layers), rows_of(documents)
    took = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        for row in rows:
            sweep(decoder, row, coalitions, batch_tokens=BATCH_TOKENS)
        took.append(time.perf_counter() - start)
    work = sum(distinct_work(model, layout, row, coalitions) for row in rows)
    return _Cost(statistics.median(took), work)


def rows_of(documents: int) -> list[Row]:
    """Return rows of two documents, each of a context of 30 tokens and four choices of 3."""
    rng = random.Random(0)

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(rng.randrange(VOCABULARY) for _ in range(count))

    def document() -> list[TokenRequest]:
        context = tokens(30)
        return [TokenRequest(context, tokens(3)) for _ in range(4)]

    return [pack([document(), document()], 512) for _ in range(documents // 2)]


if __name__ == "__main__":
    main()
