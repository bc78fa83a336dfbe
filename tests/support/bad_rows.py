"""Bad inputs: JSON-lines files that no task can use, and chat templates that fail, loop or fill the memory."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.support.bad_input import BadInput
from tests.support.byte_model import CONTEXT, byte_model

_SUBJECTS = ("The key to the cabinets", "The dogs near the house", "A list of names", "Two cups of tea", "The façade")
_Rows = list[dict[str, Any]]

_NOT_JSON = ("{'text': 'single quotes'}", '{"text": "cut', '{"text": "a",}', "text,choices,gold", "{} {}", "<row/>")
_NOT_OBJECTS = ("[]", "5", '"text"', "null", "true", '[{"text": "in a list"}]')
_BAD_NUMBERS = ("NaN", "Infinity", "-Infinity", "1e999", str(2**63), str(-(2**63) - 1), "9" * 5000)
_BAD_TEXTS = ('"\\ud800"', '"a\\udfffb"', '"a\\u0000b"', '"a\tb"')
_NO_CHOICES: tuple[Any, ...] = ("are", "", 5, True, {"a": "b"}, [], [4, 5], [["is"], ["are"]], [None, None], ["is", ""])
_NO_GOLD: tuple[Any, ...] = (2, -1, 10**6, 0.5, "were", [], {}, [0, 7], "")


def bad_inputs(seed: int, folder: Path) -> Iterator[BadInput]:
    """Write bad data files and model folders with bad chat templates, and yield the commands that read them."""
    chance = random.Random(seed)
    model = byte_model(folder / "model")
    for number, (name, path) in enumerate(bad_files(chance, folder)):
        task = ("run", "--model", str(model), "--task", f"agreement={path}", "--store", str(folder / f"d{number}.db"))
        yield BadInput(name, "rows", task)
    for number, (name, template) in enumerate(bad_templates(chance)):
        own = shutil.copytree(model, folder / f"model{number}")
        (own / "chat_template.jinja").write_text(template, encoding="utf-8")
        asked = ("--task", "agreement", "--limit", "2", "--apply-chat-template")
        yield BadInput(name, "template", ("run", "--model", str(own), *asked, "--store", str(folder / f"t{number}.db")))


def bad_files(chance: random.Random, folder: Path) -> Iterator[tuple[str, Path]]:
    """Write bad data files for the task agreement; yield what is wrong with each, and its path."""
    for number, (name, content) in enumerate(bad_rows(chance)):
        path = folder / f"rows{number}.jsonl"
        path.write_bytes(content)
        yield name, path
    yield "a folder", folder
    yield "a file that is not there", folder / "nowhere.jsonl"
    yield "a name of 300 letters", folder / ("x" * 300)
    yield "a device", Path(os.devnull)
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe")
        yield "a named pipe", folder / "pipe"
    loop = folder / "loop"
    loop.symlink_to(loop)
    yield "a link to itself", loop


def bad_rows(chance: random.Random) -> Iterator[tuple[str, bytes]]:
    """Yield what is wrong with a file, and its content. One line is bad, at a place that chance decides."""
    for line in (*_NOT_JSON, *_NOT_OBJECTS):
        yield f"the line {line}", _with_line(chance, line)
    for number in _BAD_NUMBERS:
        yield f"the number {number[:12]}", _with_field(chance, number)
    for text in _BAD_TEXTS:
        yield f"the text {text!r}", _with_field(chance, text)
    for depth in (40, 100_000):
        yield f"{depth} lists in each other", _with_field(chance, "[" * depth + "]" * depth)
    for part in ("1,", "[],", "{},"):
        yield f"many {part}", _with_field(chance, f"[{part * 500_000}0]")
    for field in ("text", "choices", "gold"):
        yield f"{field} twice", _with_line(chance, json.dumps(_row(chance))[:-1] + f', "{field}": "is"}}')
        yield f"{field} missing", _changed(chance, lambda row, field=field: row.pop(field))
        yield f"{field} null", _changed(chance, lambda row, field=field: row.update({field: None}))
    for choices in _NO_CHOICES:
        yield f"the choices {choices!r}", _changed(chance, lambda row, value=choices: row.update(choices=value))
    for gold in _NO_GOLD:
        yield f"the gold answer {gold!r}", _changed(chance, lambda row, value=gold: row.update(gold=value))
    yield "text in one row, numbers in another", _with_field(chance, '"a"') + b"\n" + _with_field(chance, "1")
    yield "a prompt of white space", _changed(chance, lambda row: row.update(text=" " * chance.randint(1, 9)))
    yield "a choice longer than the context", _changed(chance, lambda row: row["choices"].append("x" * (CONTEXT + 9)))
    yield "a prompt that is a list", _lines([{**row, "text": [row["text"]]} for row in _rows(chance)])
    yield "1200 fields", _changed(chance, lambda row: row.update({f"field{i}": i for i in range(1200)}))
    yield from _bad_bytes(chance)


def _bad_bytes(chance: random.Random) -> Iterator[tuple[str, bytes]]:
    sound = _lines(_rows(chance))
    yield "no bytes", b""
    yield "blank lines", b"\n \n\t\n"
    yield "a byte-order mark", b"\xef\xbb\xbf" + sound
    yield "UTF-16", sound.decode().encode("utf-16")
    yield "Latin-1", sound + b"\n" + '{"text": "café"}'.encode("latin-1")
    yield "a null byte", sound + b"\n\0"
    yield "random bytes", chance.randbytes(400)
    yield "a line of 17 MiB", b'{"text": "' + b"x" * (17 * 2**20)


def bad_templates(chance: random.Random) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a chat template, and its text."""
    many = chance.choice((10**10, 10**11, 10**12))
    yield "a range that is too long", f"{{% for i in range({many}) %}}x{{% endfor %}}"
    yield "loops in a loop", "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
    yield "a text of very many letters", f"{{{{ 'x' * {many} }}}}"
    yield "text padded to very many letters", f"{{{{ '%{many}d' % 1 }}}}"
    yield (
        "text that doubles",
        "{% set n = namespace(x='ab') %}{% for i in range(40) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    )
    yield "a large power", "{{ 9 ** 99999999 }}"
    yield "a macro that calls itself", "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}"
    yield "escape codes in its error", "{{ raise_exception('\x1b[31mred\x1b[0m\nline') }}"
    yield "an unknown name", "{{ nothing.there }}"
    yield "no end of its block", "{% if messages %}"
    yield "a division by zero", "{{ 1 // 0 }}"
    yield "a way out of the sandbox", "{{ messages.__class__.__mro__ }}"
    yield "too long a prompt", f"{{{{ 'x' * {chance.randint(300_000, 3_000_000)} }}}}"
    yield "a message that is not there", "{{ messages[7].content }}"


def _row(chance: random.Random) -> dict[str, Any]:
    return {"text": f"{chance.choice(_SUBJECTS)} {chance.randrange(10**6)}", "choices": ["is", "are"], "gold": 0}


def _rows(chance: random.Random) -> _Rows:
    return [_row(chance) for _ in range(chance.randint(1, 6))]


def _lines(rows: _Rows) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


def _changed(chance: random.Random, change: Callable[[dict[str, Any]], object]) -> bytes:
    """Return rows of which one is changed."""
    rows = _rows(chance)
    change(chance.choice(rows))
    return _lines(rows)


def _with_line(chance: random.Random, line: str) -> bytes:
    """Return rows with a line between them."""
    lines = [json.dumps(row) for row in _rows(chance)]
    lines.insert(chance.randint(0, len(lines)), line)
    return "\n".join(lines).encode()


def _with_field(chance: random.Random, json_text: str) -> bytes:
    """Return rows of which one has another field, with this value as JSON."""
    return _with_line(chance, json.dumps(_row(chance))[:-1] + f', "other": {json_text}}}')
