"""Small generators of bad model folders, GGUF files, chat templates and data files around a good tiny model."""

from __future__ import annotations

import json
import random
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.support.bad_input import BadInput

_RUN = ("--limit", "2", "--task")
Change = Callable[[Path], object]


def bad_inputs(seed: int, folder: Path, model: Path) -> Iterator[BadInput]:
    """Write bad files into ``folder``, made from a good model folder, and yield the command lines that meet them."""
    drawn = random.Random(seed)
    for number, (kind, name, change) in enumerate([*_models(drawn), *_templates(drawn)]):
        copy = folder / f"model {number}"
        shutil.copytree(model, copy)
        change(copy)
        chat = ("--apply-chat-template",) if kind == "template" else ()
        yield BadInput(name, kind, ("run", "--model", str(copy), *_RUN, "agreement", *chat))
    for number, (name, content) in enumerate(_ggufs(drawn)):
        file = folder / f"{number}.gguf"
        file.write_bytes(content)
        yield BadInput(name, "gguf", ("run", "--model", str(file), *_RUN, "agreement"))
    for number, (name, lines) in enumerate(_rows(drawn)):
        file = folder / f"{number}.jsonl"
        file.write_bytes(lines)
        yield BadInput(name, "jsonl", ("run", "--model", str(model), *_RUN, f"agreement={file}"))


def _models(drawn: random.Random) -> Iterator[tuple[str, str, Change]]:
    kind = "model folder"
    for key in drawn.sample(("num_hidden_layers", "hidden_size", "vocab_size", "num_attention_heads"), 3):
        value = drawn.choice((0, -drawn.randint(1, 99), drawn.randint(10**5, 10**7), "many", 2.5, None, [4]))
        yield kind, f"config.json: {key} {value}", _with_json("config.json", **{key: value})
    word = "".join(drawn.choices("abcdefgh", k=8))
    yield kind, "an unknown model type", _with_json("config.json", model_type=word)
    foreign = {"AutoConfig": f"{word}.C", "AutoModelForCausalLM": f"{word}.M"}
    yield kind, "a model with code of its own", _with_json("config.json", model_type=word, auto_map=foreign)
    yield (
        kind,
        "a tokenizer with code of its own",
        _with_json(
            "tokenizer_config.json", tokenizer_class=word.title(), auto_map={"AutoTokenizer": [f"{word}.T", None]}
        ),
    )
    gptq = {"quant_method": drawn.choice(("gptq", "awq", word)), "bits": 4, "group_size": 128}
    yield kind, f"quantized by {gptq['quant_method']}", _with_json("config.json", quantization_config=gptq)
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        yield kind, f"{name} is cut off", _cut(name, drawn.random())
        yield kind, f"{name} is rubbish", _written(name, drawn.randbytes(drawn.randint(1, 5000)))
        yield kind, f"{name} is not there", lambda folder, name=name: (folder / name).unlink()  # type: ignore[misc]
    length = drawn.choice((2**62, 2**40, 10**9, 0))
    yield kind, f"a header of {length} bytes", _overwritten("model.safetensors", struct.pack("<Q", length))


def _templates(drawn: random.Random) -> Iterator[tuple[str, str, Change]]:
    many = 10 ** drawn.randint(8, 12)
    loops = drawn.randint(3, 9)
    escape = f"\x1b[{drawn.randint(30, 37)}mno\x1b]0;x\x07"
    texts = {
        "a template that loops": f"{{% for i in range({many}) %}}x{{% endfor %}}",
        "a template that makes many letters": f"{{{{ 'x' * {many} }}}}",
        "a template with loops in loops": "{% for i in range(9999) %}" * loops + "x" + "{% endfor %}" * loops,
        "a template that calls itself": "{% macro m(n) %}{{ m(n + 1) }}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
        "a template that refuses with escape codes": f"{{{{ raise_exception('{escape}') }}}}",
        "a template that is none": "{% if " * drawn.randint(1, 500),
        "a template that divides by zero": f"{{{{ {drawn.randint(1, 99)} / 0 }}}}",
        "a template with an unknown filter": f"{{{{ messages | {''.join(drawn.choices('abcdefgh', k=7))} }}}}",
    }
    for name, text in texts.items():
        yield "template", name, _written("chat_template.jinja", text.encode())


def _ggufs(drawn: random.Random) -> Iterator[tuple[str, bytes]]:
    tensors, keys = drawn.choice((2**60, 2**31, 10**7)), drawn.choice((2**60, 2**31, 10**7))
    yield "empty", b""
    yield "another magic", drawn.randbytes(drawn.randint(4, 400))
    yield f"{tensors} tensors", b"GGUF" + struct.pack("<IQQ", 3, tensors, 0)
    yield f"{keys} keys", b"GGUF" + struct.pack("<IQQ", 3, 0, keys) + drawn.randbytes(drawn.randint(0, 64))
    yield "no tensors", b"GGUF" + struct.pack("<IQQ", 3, 0, 0)
    yield "an unknown version", b"GGUF" + struct.pack("<IQQ", drawn.randint(4, 10**6), 1, 1) + b"\0" * 64
    long = struct.pack("<Q", drawn.choice((2**63, 2**40, 10**10)))
    yield "a key of many letters", b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + long + drawn.randbytes(32)
    key = struct.pack("<Q", 20) + b"general.architecture"
    yield "a text of many letters", b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + key + struct.pack("<I", 8) + long
    array = struct.pack("<IIQ", 9, 4, drawn.choice((2**60, 10**10)))
    yield "a long array", b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + key + array
    yield "text that is no UTF-8", b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 4) + b"\xff\xfe\x80\x81"


def _rows(drawn: random.Random) -> Iterator[tuple[str, bytes]]:
    good = {"text": "The key near the friends", "choices": ["are", "is"], "gold": 1}
    rows = [json.dumps(good) for _ in range(drawn.randint(1, 6))]

    def among(row: str) -> bytes:
        place = drawn.randint(0, len(rows))
        return "\n".join([*rows[:place], row, *rows[place:]]).encode("utf-8", "surrogatepass") + b"\n"

    def changed(**fields: Any) -> bytes:
        return among(json.dumps({**good, **fields}))

    yield "empty", b""
    yield "rubbish", drawn.randbytes(drawn.randint(20, 9999))
    yield "a row that is cut off", among(rows[0][: drawn.randint(1, len(rows[0]) - 1)])
    yield "a row that is a list", among(json.dumps([1, drawn.random()]))
    yield "a key twice", among('{"text": "a", "text": "b", "choices": ["are", "is"], "gold": 0}')
    yield "a lone surrogate", among('{"text": "a \\ud800", "choices": ["are", "is"], "gold": 0}')
    yield "choices that are a text", changed(choices="are")
    yield "choices that are none", changed(choices=[])
    yield "choices that are mixed", changed(choices=["are", drawn.randint(1, 99)])
    yield "a gold out of range", changed(gold=drawn.randint(2, 10**6))
    yield "a gold that is a list", changed(gold=[{}])
    yield "a field that is missing", among(json.dumps({key: good[key] for key in drawn.sample(list(good), 2)}))
    yield "a null", changed(**{drawn.choice(list(good)): None})


def _with_json(name: str, **values: Any) -> Change:
    def change(folder: Path) -> None:
        content = json.loads((folder / name).read_text(encoding="utf-8"))
        (folder / name).write_text(json.dumps({**content, **values}), encoding="utf-8")

    return change


def _written(name: str, content: bytes) -> Change:
    return lambda folder: (folder / name).write_bytes(content)


def _cut(name: str, part: float) -> Change:
    """Keep a part of a file, but not its last tenth."""
    return lambda folder: (folder / name).write_bytes(
        (whole := (folder / name).read_bytes())[: int(part * 0.9 * len(whole))]
    )


def _overwritten(name: str, start: bytes) -> Change:
    return lambda folder: (folder / name).write_bytes(start + (folder / name).read_bytes()[len(start) :])
