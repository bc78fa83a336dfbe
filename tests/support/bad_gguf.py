"""GGUF files with a fault in them, each of which a run must refuse."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tests.support.bad_input import BadInput
from tests.support.bad_models import run_of
from tests.support.small_gguf import small_gguf

_VERSION, _TENSORS, _ENTRIES, _FIRST_KEY = 4, 8, 16, 24
_HUGE = (2**16, 2**31, 2**40, 2**60, 2**63, 2**64 - 1)


def bad_inputs(seed: int, folder: Path) -> Iterator[BadInput]:
    """Yield a run of each bad file. The first part is the same for all seeds, the second differs."""
    for name, path in bad_files(seed, folder):
        yield BadInput(name, "GGUF", run_of(path, folder))


def bad_files(seed: int, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield what is wrong, and a file with that fault."""
    rng = random.Random(seed)
    good = small_gguf(folder / "good.gguf").read_bytes()
    faults = {**header_faults(good), **drawn_faults(rng, good)}
    for number, (name, content) in enumerate(faults.items()):
        path = folder / f"bad-{number}.gguf"
        path.write_bytes(content)
        yield name, path
    for number, (name, write) in enumerate(other_models().items()):
        path = folder / f"other-{number}.gguf"
        write(path)
        yield name, path


def header_faults(good: bytes) -> dict[str, bytes]:
    """Return files with a fault in the header."""
    key_length = len(good[_FIRST_KEY + 8 :].split(b"\x08", 1)[0])
    kind = _FIRST_KEY + 8 + key_length
    nested = struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 5000 + struct.pack("<IQ", 4, 0)
    return {
        "empty": b"",
        "magic alone": good[:4],
        "magic wrong": b"GGML" + good[4:],
        "version 1": _put(good, _VERSION, "I", 1),
        "version of the other byte order": _put(good, _VERSION, "I", 3 << 24),
        **{f"{count} tensors": _put(good, _TENSORS, "Q", count) for count in _HUGE},
        **{f"{count} entries": _put(good, _ENTRIES, "Q", count) for count in _HUGE},
        **{f"key of {count} bytes": _put(good, _FIRST_KEY, "Q", count) for count in _HUGE},
        "key not UTF-8": good[: _FIRST_KEY + 8] + b"\xff\xfe" + good[_FIRST_KEY + 10 :],
        "value of an unknown type": _put(good, kind, "I", 99),
        "lists in lists": good[:kind] + nested + good[kind:],
        **{f"list of {count} numbers": good[:kind] + _list(4, count) + good[kind:] for count in _HUGE},
        **{f"list of {count} texts": good[:kind] + _list(8, count) + good[kind:] for count in _HUGE},
        "list of an unknown type": good[:kind] + _list(77, 1) + good[kind:],
        "architecture unknown": good.replace(b"llama", b"zebra"),
        "architecture of another kind": good.replace(b"\x05\0\0\0\0\0\0\0llama", b"\x05\0\0\0\0\0\0\0gemma"),
        "no vocabulary": good.replace(b"tokenizer.ggml.tokens", b"tokenizer.ggml.tokenz"),
        "vocabulary not UTF-8": good.replace(b"\x03\0\0\0\0\0\0\0<s>", b"\x03\0\0\0\0\0\0\0<\xff>"),
        "a tensor twice": good.replace(b"blk.1.ffn_up", b"blk.0.ffn_up"),
        "a tensor of another name": good.replace(b"blk.1.ffn_up", b"blk.1.ffn_xx"),
        "no tensors": _put(good, _TENSORS, "Q", 0),
    }


def drawn_faults(rng: random.Random, good: bytes) -> dict[str, bytes]:
    """Return faults that differ from seed to seed."""
    faults = {f"cut to {length} bytes": good[:length] for length in rng.sample(range(5, len(good) - 32), 20)}
    for _ in range(10):
        junk = rng.randbytes(rng.choice((10, 100, 10_000)))
        faults[f"junk {junk[:4].hex()}"] = junk
        faults[f"GGUF and junk {junk[:4].hex()}"] = b"GGUF" + struct.pack("<I", 3) + junk
    return faults


def other_models() -> dict[str, Callable[[Path], object]]:
    """Return files that say of themselves what is not so."""
    faults: dict[str, Callable[[Path], object]] = {
        f"{name} {count}": lambda path, name=name, count=count: small_gguf(path, **{name: count})
        for name, counts in _NUMBERS.items()
        for count in counts
    }
    faults |= {
        f"without {name}": lambda path, name=name: small_gguf(path, without=name)
        for name in ("token_embd.weight", "output_norm.weight", "blk.0.attn_q.weight", "blk.1.ffn_down.weight")
    }
    more = {
        "a norm": {"blk.0.attn_q_norm.weight": np.ones(8, np.float32)},
        "a layer": {"blk.2.attn_q.weight": np.ones((16, 16), np.float32)},
        "a tensor of nothing known": {"something.weight": np.ones(4, np.float32)},
    }
    return faults | {f"{name} more": lambda path, one=one: small_gguf(path, more=one) for name, one in more.items()}


_NUMBERS = {
    "block_count": (0, 1, 3, 10_000_000, 2**32 - 1),
    "embedding_length": (0, 17, 2**20, 2**31),
    "feed_forward_length": (0, 5, 2**31),
    "attention.head_count": (0, 3, 2**31),
    "attention.head_count_kv": (0, 5, 2**31),
    "vocab_size": (0, 2**31),
    "context_length": (0,),
    "attention.key_length": (0, 2**31),
}


def _list(kind: int, count: int) -> bytes:
    """Return the beginning of a list, in place of the value that follows."""
    return struct.pack("<IIQ", 9, kind, count)


def _put(content: bytes, place: int, form: str, number: int) -> bytes:
    packed = struct.pack(f"<{form}", number)
    return content[:place] + packed + content[place + len(packed) :]
