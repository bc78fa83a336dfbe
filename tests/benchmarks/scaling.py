"""How the cost of all windows grows with documents and with layers: seconds, and the work that must be done."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from core.architectures import family_of
from core.decoder import Decoder
from core.packing import Row, TokenRequest, pack
from core.schedules import windows
from core.sweep import sweep

HIDDEN, VOCABULARY, REPEATS = 256, 1000, 3
LAYERS = (4, 8, 16, 32)
DOCUMENTS = (4, 8, 16, 32)


def main() -> None:
    print(f"layers, {DOCUMENTS[1]} documents: seconds for all windows, and as a multiple of the one before")
    _table(LAYERS, lambda layers: _seconds(layers, DOCUMENTS[1]))
    print("documents, 8 layers")
    _table(DOCUMENTS, lambda documents: _seconds(8, documents))


def _table(sizes: tuple[int, ...], measure: Callable[[int], float]) -> None:
    before = None
    for size in sizes:
        seconds = measure(size)
        ratio = "" if before is None else f"  x {seconds / before:.2f} for x 2"
        print(f"  {size:>3}  {seconds:8.2f} s{ratio}", flush=True)
        before = seconds


def _seconds(layers: int, documents: int) -> float:
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
    decoder, coalitions = Decoder(model, family_of(config)), windows(2 * layers)
    rows = rows_of(documents)
    took = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        for row in rows:
            sweep(decoder, row, coalitions, batch_tokens=1024)
        took.append(time.perf_counter() - start)
    return statistics.median(took)


def rows_of(documents: int) -> list[Row]:
    """Two documents a row, each of a context of 30 tokens and four choices of 3."""
    rng = random.Random(0)

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(rng.randrange(VOCABULARY) for _ in range(count))

    def document() -> list[TokenRequest]:
        context = tokens(30)
        return [TokenRequest(context, tokens(3)) for _ in range(4)]

    return [pack([document(), document()], 512) for _ in range(documents // 2)]
