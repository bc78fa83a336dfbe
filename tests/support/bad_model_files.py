"""Bad inputs: model folders, hub caches and GGUF files that are damaged, cut off, or lead elsewhere."""

from __future__ import annotations

import json
import os
import random
import string
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.support.bad_input import BadInput
from tests.support.model_folders import CONFIG, SHARDS, hub_cache, index, plain_folder, sharded_folder, write_json

Damage = Callable[[Path, random.Random], object]

_INDEX = "model.safetensors.index.json"
_JSON = ("config.json", _INDEX, "tokenizer_config.json", "special_tokens_map.json")
_READ = (*_JSON, *SHARDS, "tokenizer.json", "vocab.json", "merges.txt", "chat_template.jinja")


def bad_inputs(seed: int, folder: Path) -> Iterator[BadInput]:
    """Write damaged models into a folder, and yield a run of each. The same seed gives the same damage."""
    chance = random.Random(seed)
    for name, damage in sorted(_DAMAGE.items()):
        model = sharded_folder(folder / f"{seed} {name}")
        damage(model, chance)
        yield BadInput(name, "model folder", _run(str(model)))
    for name, damage in sorted(_DAMAGE.items()):
        home = folder / f"{seed} hub {name}"
        model = sharded_folder(home / "model")
        damage(hub_cache(home / "hub", "someone/tiny", _without_links(model)), chance)
        environment = {"HF_HOME": str(home), "HF_HUB_CACHE": str(home / "hub")}
        yield BadInput(f"{name}, in the hub cache", "model folder", _run("someone/tiny"), environment)
    for name, make in sorted(_GGUF.items()):
        path = folder / f"{seed} {name}.gguf"
        make(path, chance)
        yield BadInput(name, "gguf", _run(str(path)))


def _run(model: str) -> tuple[str, ...]:
    return ("run", "--model", model, "--offline", "--task", "agreement", "--limit", "2")


def _without_links(model: Path) -> Path:
    (model / "generation_config.json").unlink()
    return model


def _letters(chance: random.Random, count: int) -> str:
    return "".join(chance.choices(string.ascii_letters, k=count))


def _fresh(path: Path) -> Path:
    """Return a path whose file is gone, so that something else can take its place."""
    path.unlink(missing_ok=True)
    return path


def _text(text: Callable[[random.Random], str], names: tuple[str, ...] = _JSON) -> Damage:
    return lambda model, chance: _fresh(model / chance.choice(names)).write_text(text(chance))


def _shard(name: Callable[[Path, random.Random], object]) -> Damage:
    """Let the index name something as the place of a weight, besides the shards that are there."""
    return lambda model, chance: index_anew(model, {"a": SHARDS[0], _letters(chance, 5): name(model, chance)})


def index_anew(model: Path, weight_map: object) -> None:
    _fresh(model / _INDEX)
    index(model, weight_map)


def _cut(model: Path, chance: random.Random) -> None:
    path = model / chance.choice((_INDEX, "config.json"))
    content = path.read_text()
    _fresh(path).write_text(content[: chance.randrange(len(content))])


def _junk(model: Path, chance: random.Random) -> None:
    _fresh(model / chance.choice(_JSON)).write_bytes(b"\xff" + chance.randbytes(chance.randrange(1, 2000)))


def _link_out(model: Path, chance: random.Random) -> None:
    name = chance.choice(_READ)
    other = model.parent / f"elsewhere {_letters(chance, 6)}"
    other.write_bytes((model / name).read_bytes())
    _fresh(model / name).symlink_to(chance.choice((str(other), os.path.relpath(other, model))))


def _link_nowhere(model: Path, chance: random.Random) -> None:
    _fresh(model / chance.choice((*SHARDS, "config.json", _INDEX))).symlink_to(_letters(chance, 9))


def _lead_out(model: Path, chance: random.Random) -> str:
    plain_folder(model.parent / f"other {_letters(chance, 6)}")
    return "../" * chance.randrange(1, 4) + f"{_letters(chance, 3)}/model.safetensors"


def _wrong_config(model: Path, chance: random.Random) -> None:
    value = chance.choice(
        (3, None, [], {}, "../x.safetensors", "x.bin", "/etc/passwd", "x.safetensors", "x.index.json")
    )
    config = {**CONFIG, "transformers_weights": value if value is not None else chance.random()}
    (_fresh(model / "config.json")).write_text(json.dumps(config))


def _gone(model: Path, chance: random.Random) -> None:
    (model / chance.choice((*SHARDS, "config.json", _INDEX))).unlink()


def _adapter(model: Path, chance: random.Random) -> None:
    write_json(model / "adapter_config.json", {"base_model_name_or_path": f"../{_letters(chance, 5)}"})


_DAMAGE: dict[str, Damage] = {
    "JSON cut off": _cut,
    "JSON that is no text": _junk,
    "JSON that is no object": _text(lambda chance: json.dumps(chance.choice(([1], 3, "x", None, True, 1.5)))),
    "JSON nested deep": _text(lambda chance: '{"a":' * (depth := chance.randrange(70, 200_000)) + "1" + "}" * depth),
    "JSON lists nested deep": _text(lambda chance: "[" * chance.randrange(1_000, 200_000)),
    "a number without end": _text(lambda chance: '{"a": ' + "9" * chance.randrange(4_400, 9_000) + "}"),
    "no weight_map": lambda model, chance: write_json(_fresh(model / _INDEX), {_letters(chance, 9): {}}),
    "weight_map that is no mapping": lambda model, chance: index_anew(
        model, chance.choice(([], 3, "x", None, {}, [SHARDS[0]]))
    ),
    "a file that is no name": _shard(lambda _, chance: chance.choice((1, None, [SHARDS[0]], {"x": SHARDS[0]}, True))),
    "a shard that is missing": _shard(lambda _, chance: f"{_letters(chance, 8)}.safetensors"),
    "a shard above the folder": _shard(_lead_out),
    "a shard by its whole path": _shard(lambda model, _: str(model / SHARDS[1])),
    "a shard with NUL": _shard(lambda _, chance: f"{_letters(chance, 3)}\0.safetensors"),
    "a shard with a name too long": _shard(lambda _, chance: "x" * chance.randrange(256, 6_000) + ".safetensors"),
    "a shard with escape codes": _shard(lambda _, chance: f"\x1b[31m{_letters(chance, 4)}\r\n.safetensors"),
    "a shard that is no text": _shard(lambda _, chance: f"{_letters(chance, 4)}\ud800.safetensors"),
    "a pickle as shard": _shard(lambda _, chance: f"{_letters(chance, 4)}.bin"),
    "weights named by the config": _wrong_config,
    "a link out of the folder": _link_out,
    "a link to nothing": _link_nowhere,
    "a file that is gone": _gone,
    "a pipe": lambda model, chance: os.mkfifo(_fresh(model / chance.choice(_READ))),
    "a folder in place of a file": lambda model, chance: _fresh(model / chance.choice(_READ)).mkdir(),
    "a device in place of a file": lambda model, chance: _fresh(model / chance.choice(_READ)).symlink_to("/dev/zero"),
    "an adapter": _adapter,
}

_GGUF: dict[str, Damage] = {
    "a pipe": lambda path, _: os.mkfifo(path),
    "a device": lambda path, chance: path.symlink_to(chance.choice(("/dev/zero", "/dev/null", "/dev/urandom"))),
    "a folder": lambda path, _: path.mkdir(),
    "a link to nothing": lambda path, chance: path.symlink_to(_letters(chance, 9)),
    "a link to itself": lambda path, _: path.symlink_to(path.name),
}
