"""Bad files that no command names: masks, which Python reads, and sessions, which the explorer reads when it starts."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from core.config.run_config import RunConfig
from tests.support.bad_input import BadInput
from tui.explorer.session import Session

Texts = Callable[[int, Mapping[str, Any]], Iterator[tuple[str, bytes]]]
"""Yields bad contents of a file, each with a name, made from a good content."""

MASK: Final = "mask"
SESSION: Final = "session"
# Both are run as Python code, after which come the arguments of a bad input.
READ_MASK: Final = """
import sys
from core.mask import read
from tui.commands.exit import for_people
with for_people():
    read(sys.argv[1])
"""

_GOOD_MASK: Mapping[str, Any] = {
    "format": "cornerstone mask",
    "version": 2,
    "model": {
        "name": "tiny",
        "source": "/models/tiny",
        "revision": None,
        "fingerprint": "f" * 64,
        "dtype": "float32",
        "family": "llama",
        "kinds": [["attn", "ffn"]] * 4,
    },
    "removed": [{"number": 2, "label": "Attn 1"}, {"number": 5, "label": "FFN 2"}],
    "evidence": [
        {
            "tasks": ["agreement"],
            "value": "acc",
            "documents": "held out",
            "n": 8,
            "intact": 0.5,
            "score": 0.4,
            "score_low": None,
            "score_high": None,
            "drop": 0.1,
            "drop_low": -0.1,
            "drop_high": 0.3,
            "how": "greedy",
        }
    ],
    "parameters": {"removed": 5, "total": 100, "removed_per_token": 5, "total_per_token": 100},
}


def masks(texts: Texts, seed: int, folder: Path) -> Iterator[BadInput]:
    """Write bad masks; the argument of each is the file."""
    for number, (name, content) in enumerate(texts(seed, _GOOD_MASK)):
        file = folder / f"{number}.mask.json"
        file.write_bytes(content)
        yield BadInput(name, MASK, (str(file),))


def sessions(texts: Texts, seed: int, folder: Path) -> Iterator[BadInput]:
    """Write bad sessions, each in a state folder of its own, for a store that does not exist."""
    good = Session(config=RunConfig.model_validate({"tasks": ["agreement"], "limit": 4}), task="agreement")
    for number, (name, content) in enumerate(texts(seed, good.model_dump(mode="json"))):
        store, state = folder / f"{number}.duckdb", folder / f"state {number}"
        file = state / "cornerstone" / f"session-{hashlib.sha256(os.fsencode(store)).hexdigest()[:16]}.json"
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
        yield BadInput(name, SESSION, ("--store", str(store)), {"XDG_STATE_HOME": str(state)})
