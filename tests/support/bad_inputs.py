"""Bad command lines, configurations, keymaps, sessions and masks: each is refused in one sentence.

``bad_inputs`` yields command lines. Masks and sessions are read by Python and by the explorer, not by a command, so
``bad_masks`` and ``bad_sessions`` write files.
"""

from __future__ import annotations

import json
import os
import random
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.support.bad_input import BadInput
from tests.support.bad_options import bad_options
from tests.support.odd_values import big, no_numbers, no_texts, word

Texts = Iterator[tuple[str, bytes]]
"""Names of faults, and the content of a file that has them."""


def bad_inputs(seed: int, folder: Path) -> Iterator[BadInput]:
    """Write bad configurations, keymaps and targets into ``folder``, and yield the command lines that meet them."""
    rng = random.Random(seed)
    for number, (name, text) in enumerate(_bad_configs(rng)):
        file = folder / f"config-{number}.yaml"
        file.write_bytes(text)
        store = () if name.startswith("store") else ("--store", str(folder / "s.duckdb"))
        yield BadInput(name, "yaml", ("run", str(file), *store))
    yield from _odd_files(folder)
    for name, argv in bad_options(rng, folder):
        yield BadInput(name, "options", argv)
    for number, (name, text) in enumerate(_bad_keymaps(rng)):
        home = folder / f"keys-{number}"
        (home / "cornerstone").mkdir(parents=True)
        (home / "cornerstone" / "keys.yaml").write_bytes(text)
        yield BadInput(name, "keymap", ("keys",), {"XDG_CONFIG_HOME": str(home)})
    for number, (name, text) in enumerate(_bad_settings(rng)):
        home = folder / f"settings-{number}"
        (home / "cornerstone").mkdir(parents=True)
        (home / "cornerstone" / "settings.yaml").write_bytes(text)
        argv = rng.choice((("results", "runs"), ("run", "--task", "agreement")))
        yield BadInput(name, "settings", argv, {"XDG_CONFIG_HOME": str(home)})


def bad_masks(seed: int, mask: Mapping[str, Any]) -> Texts:
    """Yield contents of mask files, each with something wrong in it.

    Args:
        seed: chooses the places.
        mask: the content of a good mask.
    """
    rng = random.Random(seed)
    yield from _bad_json(rng, mask)
    for name, change in _mask_changes(rng):
        content = json.loads(json.dumps(mask))
        change(content)
        yield name, json.dumps(content).encode()


def bad_sessions(seed: int, session: Mapping[str, Any]) -> Texts:
    """Yield contents of session files, each with something wrong in it; ``session`` is that of a good one."""
    rng = random.Random(seed)
    yield from _bad_json(rng, session)
    for key, value in (
        ("config", None),
        ("config", []),
        ("config", {}),
        ("config", {"tasks": 5}),
        ("config", "x"),
        ("removed", "x"),
        ("removed", [big(rng)]),
        ("removed", [[1]]),
        ("task", 5),
        ("model_id", {}),
    ):
        yield f"session with {key} {_short(value)}", json.dumps({**session, key: value}).encode()


# Configurations.


def _bad_configs(rng: random.Random) -> Texts:
    good = "tasks: [agreement]\nlimit: 4\n"
    for name, text in _bad_yaml(rng):
        yield name, text if isinstance(text, bytes) else text.encode()
    for key in [
        "limit",
        "num_fewshot",
        "until_top",
        "seed",
        "memory",
        "confidence",
        "max_removed",
        "permutations",
        "tolerance",
    ]:
        name, value = rng.choice(list(no_numbers(rng)))
        yield f"{key} is {name}", f"tasks: [agreement]\n{key}: {value}\n".encode()
    for key in [
        "model",
        "revision",
        "dtype",
        "device",
        "order",
        "players",
        "value",
        "store",
        "tasks",
        "schedule",
        "remove",
        "offline",
        "apply_chat_template",
    ]:
        name, value = rng.choice(list(no_texts(rng)))
        yield f"{key} is {name}", f"{'' if key == 'tasks' else 'tasks: [agreement]'}\n{key}: {value}\n".encode()
    long = word(rng, rng.randint(256, 4000))
    for key in ("dtype", "device", "players", "value", "order", "schedule", "remove", "revision"):
        yield f"{key} of {len(long)} letters", f"tasks: [agreement]\n{key}: {long}\n".encode()
    yield "a task of many letters", f"tasks: [{long}]\n".encode()
    yield "data of many letters", f"tasks: [{{name: agreement, data: {long}}}]\n".encode()
    yield "an unknown key", f"{good}{word(rng, 12)}: 1\n".encode()
    yield "a key that is a number", f"{good}{rng.randint(0, 99)}: 1\n".encode()
    yield "a key that is null", f"{good}~: 1\n".encode()
    yield "a key that is a date", f"{good}2020-01-01: 1\n".encode()
    yield "a key of many letters", f"{good}{long}: 1\n".encode()
    yield "many tasks", ("tasks:\n" + "".join(f"- t{n}\n" for n in range(rng.randint(1001, 9000)))).encode()
    yield "a task twice", b"tasks: [agreement, agreement]\n"
    yield "an unknown key of a task", f"tasks: [{{name: agreement, {word(rng, 8)}: 1}}]\n".encode()
    yield "no content", b""
    yield "a list", b"- tasks\n"
    yield "only a word", word(rng, 9).encode()


def _bad_yaml(rng: random.Random) -> Iterator[tuple[str, str | bytes]]:
    deep, wide = rng.randint(60, 4000), rng.randint(6, 12)
    levels = ", ".join(f"&a{n} [{', '.join([f'*a{n - 1}'] * wide)}]" for n in range(1, rng.randint(7, 12)))
    yield "aliases of aliases", f"limit: [&a0 [{', '.join(['x'] * wide)}], {levels}]\n"
    maps = "\n".join(f"m{n}: &m{n} {{{', '.join(f'k{k}: *m{n - 1}' for k in range(wide))}}}" for n in range(1, 9))
    yield "aliases in mappings", f"m0: &m0 {{a: 1}}\n{maps}\n"
    yield "an alias of a long text", f"a: &a {word(rng, 50_000)}\ntasks: [{', '.join(['*a'] * 40)}]\n"
    yield "an alias of itself", "tasks: &t [*t]\n"
    yield "an unknown alias", "tasks: [*t]\n"
    yield "lists in lists", "tasks: " + "[" * deep
    yield "mappings in mappings", "tasks: " + "{a: " * deep
    yield "blocks in blocks", "\n".join(" " * n + "a:" for n in range(min(deep, 600)))
    yield "dashes in dashes", "tasks:\n  " + "- " * deep + "x\n"
    yield "a date that is none", f"tasks: [agreement]\nlimit: 2020-{rng.randint(13, 99)}-45\n"
    yield "a time that is none", "tasks: [agreement]\nlimit: 2001-12-14t21:59:99.10-05:00\n"
    for tag, value in (
        ("int", "abc"),
        ("float", "abc"),
        ("bool", "abc"),
        ("timestamp", "abc"),
        ("binary", "é"),
        ("null", "[]"),
    ):
        yield f"!!{tag} {value}", f"tasks: [agreement]\nlimit: !!{tag} {value}\n"
    for tag in ("set", "omap", "pairs", "map", "seq", "str", "merge", "value"):
        yield (
            f"!!{tag} of something else",
            f"tasks: [agreement]\nlimit: !!{tag} {rng.choice(['[[a]]', '{a: [b]}', '[a]'])}\n",
        )
    yield "a tag of Python", f"tasks: !!python/object/apply:os.system ['{word(rng, 5)}']\n"
    yield "a tag of Python's names", "tasks: !!python/name:os.system\n"
    yield "an unknown tag", f"tasks: !{word(rng, 200)} x\n"
    yield "a number of many digits", f"tasks: [agreement]\nseed: {'9' * rng.randint(4301, 9000)}\n"
    yield "a hexadecimal number of many digits", f"tasks: [agreement]\nseed: 0x{'f' * rng.randint(100, 9000)}\n"
    yield "a number to the base of 60", f"tasks: [agreement]\nlimit: 1{':1' * rng.randint(100, 5000)}\n"
    yield "a version of many digits", f"%YAML {'9' * 5000}.1\n---\ntasks: [agreement]\n"
    yield "a key twice", f"tasks: [agreement]\nlimit: 1\nlimit: {rng.randint(1, 9)}\n"
    yield "a key twice by an alias", "&k tasks: [agreement]\n*k : [agreement]\n"
    yield "a tab", "tasks:\n\t- agreement\n"
    yield "a merge of no mapping", f"<<: {rng.choice(['5', '[1]', 'x', '[[]]'])}\ntasks: [agreement]\n"
    yield "a merge of itself", "a: &a {<<: *a}\n"
    yield "an unhashable key", "? [a]\n: b\ntasks: [agreement]\n"
    yield "two documents", "tasks: [agreement]\n---\ntasks: [agreement]\n"
    yield "NUL as it is", "tasks: [agree\0ment]\n"
    yield "NUL escaped", 'tasks: ["agree\\0ment"]\n'
    yield "a lone surrogate", f'tasks: ["agree\\uD8{rng.randint(10, 99)}"]\n'
    yield "no character", 'tasks: ["\\U00110000"]\n'
    yield "an open bracket", "tasks: [agreement\nmodel: x\n"
    yield "an open quote", "tasks: 'agreement\n"
    yield "too large", "# " + "x" * 300_000 + "\ntasks: [agreement]\n"
    yield "bytes", bytes(rng.randrange(256) for _ in range(rng.randint(20, 20_000)))
    yield "another encoding", "tasks: [agreement]\nmodel: é\n".encode("latin-1")
    yield "UTF-16", "tasks: [agreement]\nlimit: 0\n".encode("utf-16")
    yield "a byte-order mark and rubbish", b"\xef\xbb\xbf\xff"
    yield "escape sequences", f'tasks: ["\\e[31m{word(rng, 5)}\\e]0;x\\a"]\n'


def _odd_files(folder: Path) -> Iterator[BadInput]:
    """Yield configurations and targets that are no files."""
    os.mkfifo(folder / "pipe.yaml")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(folder / "socket.yaml"))
    (folder / "folder.yaml").mkdir()
    (folder / "loop.yaml").symlink_to("loop.yaml")
    (folder / "file").write_text("")
    odd = (
        "pipe.yaml",
        "socket.yaml",
        "folder.yaml",
        "loop.yaml",
        "file/x.yaml",
        f"{'n' * 300}.yaml",
        "/dev/null",
        "/dev/zero",
        "/dev/tty",
    )
    for name in odd:
        path = str(folder / name)
        shown = name[:20]
        yield BadInput(f"{shown} as a configuration", "file", ("run", path))
        yield BadInput(f"{shown} as a configuration of the explorer", "file", ("explore", path))
        yield BadInput(f"{shown} as a keymap", "file", ("keys",), {"XDG_CONFIG_HOME": _keys_at(folder, path, shown)})
        if "loop" in name:
            continue
        yield BadInput(f"{shown} as a store", "file", ("run", "--task", "agreement", "--store", path))
        yield BadInput(f"{shown} as a store to read", "file", ("results", "runs", "--store", path))
        yield BadInput(f"{shown} as a mask", "file", ("path", "--task", "agreement", "--mask", path))
        yield BadInput(
            f"{shown} as rows of a path", "file", ("path", "--task", "agreement", "--format", "csv", "-o", path)
        )
        yield BadInput(f"{shown} as a figure", "file", ("figure", "ablation", "--force", "-o", f"{path}/x.svg"))


def _keys_at(folder: Path, path: str, name: str) -> str:
    """Return a configuration home whose keymap is a link to ``path``; a missing file is a folder instead."""
    home = folder / f"home-{name.replace('/', '-')}"
    (home / "cornerstone").mkdir(parents=True)
    keys = home / "cornerstone" / "keys.yaml"
    if path.startswith("/dev") or Path(path).name in {"pipe.yaml", "socket.yaml", "folder.yaml", "loop.yaml"}:
        keys.symlink_to(path)
    else:
        keys.mkdir()
    return str(home)


# Settings.


def _bad_settings(rng: random.Random) -> Texts:
    for name, text in _bad_yaml(rng):
        if name not in {"escape sequences"}:
            yield f"settings: {name}", text if isinstance(text, bytes) else text.encode()
    for key in ("redraws", "bell", "keys", "theme"):
        name, value = rng.choice(list(no_numbers(rng)))
        yield f"settings: {key} is {name}", f"{key}: {value}\n".encode()
    yield "settings: an unknown one", f"{word(rng, 8)}: 1\n".encode()
    yield "settings: a store that is a folder", b"store: .\n"
    yield "settings: a list", b"- dark\n"


# Keymaps.


def _bad_keymaps(rng: random.Random) -> Texts:
    for name, text in _bad_yaml(rng):
        if name not in {"escape sequences"}:
            yield f"keymap: {name}", text if isinstance(text, bytes) else text.encode()
    action = rng.choice(["explore.run", "explore.jobs", "app.quit"])
    for name, text in (
        ("an unknown action", f"{word(rng, 8)}: f2"),
        ("an action of many letters", f"{word(rng, 2000)}: f2"),
        ("an unknown action of a screen", f"explore.{word(rng, 8)}: f2"),
        ("no key", f"{action}: ''"),
        ("a null key", f"{action}:"),
        ("a list of keys", f"{action}: [f2]"),
        ("a mapping of keys", f"{action}: {{a: b}}"),
        ("a number as key", f"{action}: {big(rng)}"),
        ("only commas", f"{action}: ',,'"),
        ("a key of many letters", f"{action}: {word(rng, 500)}"),
        ("a key with spaces", f"{action}: 'a b'"),
        ("two actions of one key", "explore.run: f2\nexplore.jobs: f2\n"),
        ("a key of another action", "explore.run: m\n"),
        ("a list", "- f2"),
        ("a word", word(rng, 7)),
        ("a number", "5"),
    ):
        yield f"keymap: {name}", text.encode()


# JSON.


def _bad_json(rng: random.Random, good: Mapping[str, Any]) -> Texts:
    text = json.dumps(good).encode()
    yield "nothing", b""
    yield "a word", word(rng, 8).encode()
    yield "null", b"null"
    yield "a list", b"[]"
    yield "a number", b"5"
    yield "cut off", text[: rng.randrange(1, len(text) - 1)]
    yield "with something after it", text + b"x"
    yield "in another encoding", json.dumps({**good, "é": 1}, ensure_ascii=False).encode("latin-1")
    yield "in UTF-16", text.decode().encode("utf-16")
    yield "deep", b"[" * rng.randint(300, 100_000)
    yield "deep in a key", text[:-1] + b', "x": ' + b'{"a":' * 5000
    yield "a number of many digits", text[:-1] + b', "x": ' + b"9" * 5000 + b"}"
    yield "a key twice", text[:-1] + b", " + json.dumps(next(iter(good))).encode() + b": 1}"
    yield "bytes", bytes(rng.randrange(256) for _ in range(rng.randint(10, 5000)))
    yield "single quotes", str(dict(good)).encode()


def _mask_changes(rng: random.Random) -> Iterator[tuple[str, Callable[[dict[str, Any]], object]]]:
    odd = rng.choice([None, "x", -1, 1.5, [], {}, True, big(rng)])
    yield "another format", lambda mask: mask.update(format=word(rng, 4))
    yield "another version", lambda mask: mask.update(version=rng.choice([0, 3, True, [], "1", None, big(rng)]))
    yield "an unknown key", lambda mask: mask.update({word(rng, 5): 1})
    for key in ("model", "removed", "evidence", "parameters"):
        yield f"no {key}", lambda mask, key=key: mask.pop(key)
        yield f"{key} of {_short(odd)}", lambda mask, key=key: mask.update({key: odd if odd != [] else 0})
    yield "no layers", lambda mask: mask["model"].update(kinds=[])
    yield "many layers", lambda mask: mask["model"].update(kinds=[["attn", "ffn"]] * 10_001)
    yield "many players in a layer", lambda mask: mask["model"].update(kinds=[["attn"] * 10**5])
    yield "players of no kind", lambda mask: mask["model"].update(kinds=[[word(rng, 4)]])
    yield "layers that are no lists", lambda mask: mask["model"].update(kinds=rng.choice([["attn"], "attn", 4, [4]]))
    yield "many layers in an older mask", lambda mask: _older(mask, layers=10 ** rng.randint(6, 40), ffn="ffn")
    yield "no FFN in an older mask", lambda mask: _older(mask, layers=4, ffn=odd)
    yield "a player that the model lacks", lambda mask: mask.update(removed=[{"number": 10**6, "label": "Attn 500000"}])
    yield "a negative player", lambda mask: mask.update(removed=[{"number": -1, "label": "Attn 0"}])
    yield "a player of another name", lambda mask: mask.update(removed=[{"number": 0, "label": word(rng, 3000)}])
    yield "a player twice", lambda mask: mask.update(removed=[{"number": 0, "label": "Attn 0"}] * 2)
    yield "a score that is infinite", lambda mask: mask["evidence"][0].update(score=float("inf"))
    yield "a score that is no number", lambda mask: mask["evidence"][0].update(score=float("nan"))
    yield "no documents", lambda mask: mask["evidence"][0].update(n=0)


def _older(mask: dict[str, Any], **layers: object) -> None:
    """Give a mask of the present version what one of version 1 has in place of the kinds of its players."""
    del mask["model"]["kinds"]
    mask["model"].update(layers)
    mask.update(version=1)


def _short(value: object) -> str:
    return repr(value)[:20]
