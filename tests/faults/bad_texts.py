"""Small generators of bad YAML files, option lines, keymaps and JSON files, in addition to those of `tests.support`."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.support.bad_input import BadInput

Json = Any
_GOOD = "tasks: [agreement]\n"


def bad_inputs(seed: int, folder: Path) -> Iterator[BadInput]:
    """Write bad files into ``folder``, and yield the command lines that meet them."""
    drawn = random.Random(seed)
    for number, (name, text) in enumerate(_yaml(drawn)):
        file = folder / f"{number}.yaml"
        file.write_text(text, encoding="utf-8")
        yield BadInput(name, "yaml", ("run", str(file)))
    for name, options in _options(drawn):
        yield BadInput(name, "options", options)
    for number, (name, text) in enumerate(_keymaps(drawn)):
        keys = folder / f"keys {number}" / "cornerstone" / "keys.yaml"
        keys.parent.mkdir(parents=True)
        keys.write_text(text, encoding="utf-8")
        yield BadInput(name, "keymap", ("keys",), {"XDG_CONFIG_HOME": str(keys.parents[1])})


def _yaml(drawn: random.Random) -> Iterator[tuple[str, str]]:
    word = _word(drawn)
    yield "an unknown key", f"{_GOOD}{word}: 1\n"
    yield "no tasks", f"limit: {drawn.randint(1, 99)}\n"
    yield "a list", f"- {word}\n"
    yield "an open bracket", f"tasks: [agreement, {word}\n"
    yield "a date that is none", f"{_GOOD}limit: 20{drawn.randint(10, 99)}-13-45\n"
    yield "a number that is none", f"{_GOOD}limit: !!int {word}\n"
    yield "lists in lists", "tasks: " + "[" * drawn.randint(200, 4000)
    wide = ", ".join("x" * drawn.randint(8, 12))
    levels = ", ".join(f"&a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 7))
    yield "aliases of aliases", f"{_GOOD}limit: [&a0 [{wide}], {levels}]\n"
    for key in drawn.sample(("limit", "seed", "memory", "confidence", "until_top", "num_fewshot", "max_removed"), 4):
        value = drawn.choice((word, f"-{drawn.randint(2, 99)}.5", "[1]", "{a: 1}", ".nan", "'1e999'"))
        yield f"{key} is {value}", f"{_GOOD}{key}: {value}\n"


def _options(drawn: random.Random) -> Iterator[tuple[str, tuple[str, ...]]]:
    run = ("run", "--task", "agreement")
    for option in ("--limit", "--until-top", "--num-fewshot", "--max-removed", "--memory", "--confidence"):
        value = drawn.choice(("nan", "-1", f"-{drawn.randint(2, 10**6)}", _word(drawn), "", "1e", "0x10"))
        yield f"{option} {value!r}", (*run, f"{option}={value}")
    word = _word(drawn)
    for option in ("--schedule", "--players", "--dtype", "--device", "--order", "--remove"):
        yield f"{option} {word}", (*run, option, word)
    yield f"no command {word}", (word,)
    yield f"no option {word}", ("results", "runs", f"--{word}")
    yield f"no format {word}", ("results", "runs", "--format", word)


def _keymaps(drawn: random.Random) -> Iterator[tuple[str, str]]:
    word = _word(drawn)
    yield "an unknown action", f"explore.{word}: f2\n"
    yield "a list", f"- {word}\n"
    yield "a number", f"explore.run: {drawn.randint(0, 999)}\n"
    yield "no key", f"explore.run: ' ,{' ' * drawn.randint(1, 9)}'\n"
    yield "an open quote", f"explore.run: '{word}\n"


def broken_json(seed: int, good: Mapping[str, Json]) -> Iterator[tuple[str, bytes]]:
    """Yield texts that are no JSON, or in which one value is of another kind than in ``good``."""
    drawn = random.Random(seed)
    text = json.dumps(good)
    yield "empty", b""
    yield "cut off", text[: drawn.randrange(1, len(text))].encode()
    yield "bytes", bytes(drawn.randrange(128, 256) for _ in range(drawn.randint(1, 300)))
    yield "a list", json.dumps([drawn.random()]).encode()
    yield "lists in lists", b"[" * drawn.randint(2000, 90_000)
    for _ in range(6):
        where, changed = _with_a_wrong_value(drawn, good)
        yield f"{where} of another kind", json.dumps(changed).encode()


def _with_a_wrong_value(drawn: random.Random, good: Mapping[str, Json]) -> tuple[str, Json]:
    changed = json.loads(json.dumps(good))
    at, place = changed, []
    while True:
        key = drawn.choice(list(at) if isinstance(at, dict) else list(range(len(at))))
        place.append(str(key))
        inner = at[key]
        if not isinstance(inner, dict | list) or not inner or drawn.random() < 0.3:
            at[key] = {"of another kind": _word(drawn)} if not isinstance(inner, dict) else drawn.randint(-9, -2)
            return ".".join(place), changed
        at = inner


def _word(drawn: random.Random) -> str:
    return "".join(drawn.choices(string.ascii_lowercase, k=9))
