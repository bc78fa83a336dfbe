"""A model is what is loaded of its folder: nothing else decides its fingerprint, and nothing outside the folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import CornerstoneError
from core.records.fingerprint import digest_of, model_fingerprint
from core.records.model_files import model_files, refuse_changed, states_of
from tests.support.model_folders import CONFIG, SHARDS, hub_cache, index, plain_folder, sharded_folder, write_json

# They were stored with results before rare files counted, and must stay.
PLAIN = "15653c138b870e7e88beaecb184b988b938688b5d7d2c5d29aea74261e440869"
SHARDED = "9bde40ad708d529a8ecccc9774a3acd10c93304536cd050cfbbc32412789dfa0"
DEFAULT_MODEL = "acabc9aa0c101715a9d7597548af4c7bdc11a4fce0fdc13133487b4ebe5624c4"


def fingerprint(folder: Path) -> str:
    return model_fingerprint(folder, "float32")


def test_ordinary_models_keep_their_fingerprints(tmp_path: Path, default_model_folder: Path) -> None:
    assert fingerprint(plain_folder(tmp_path / "plain")) == PLAIN
    assert model_fingerprint(sharded_folder(tmp_path / "sharded"), "bfloat16") == SHARDED
    assert fingerprint(default_model_folder) == DEFAULT_MODEL


NOT_LOADED: dict[str, Callable[[Path], object]] = {
    "weights beside the index": lambda folder: (folder / "consolidated.safetensors").write_bytes(b"others"),
    "generation": lambda folder: write_json(folder / "generation_config.json", {"do_sample": True}),
    "readme": lambda folder: (folder / "README.md").write_text("read me"),
    "special tokens said twice": lambda folder: write_json(folder / "special_tokens_map.json", {"bos_token": "<s>"}),
    "the version that wrote it": lambda folder: write_json(
        folder / "config.json", {**CONFIG, "transformers_version": "6.0"}
    ),
}


@pytest.mark.parametrize("change", NOT_LOADED)
def test_what_is_not_loaded_decides_nothing(change: str, tmp_path: Path) -> None:
    folder = sharded_folder(tmp_path / "model")
    before = fingerprint(folder)
    NOT_LOADED[change](folder)
    assert fingerprint(folder) == before


LOADED: dict[str, Callable[[Path], object]] = {
    "a shard": lambda folder: (folder / SHARDS[1]).write_bytes(b"shard 9"),
    "one file, which goes before an index": lambda folder: (folder / "model.safetensors").write_bytes(b"whole"),
    "other shards": lambda folder: index(folder, {"a": SHARDS[0]}),
    "config": lambda folder: write_json(folder / "config.json", {**CONFIG, "hidden_size": 32}),
    "special tokens said otherwise": lambda folder: write_json(
        folder / "special_tokens_map.json", {"bos_token": "<b>"}
    ),
    "special tokens said there alone": lambda folder: write_json(
        folder / "special_tokens_map.json", {"eos_token": "x"}
    ),
    "added tokens": lambda folder: write_json(folder / "added_tokens.json", {"<new>": 97}),
    "vocab.txt": lambda folder: (folder / "vocab.txt").write_text("a\nb\n"),
    "spiece.model": lambda folder: (folder / "spiece.model").write_bytes(b"pieces"),
    "a chat template": lambda folder: (folder / "chat_template.jinja").write_text("{{ other }}"),
    "a named chat template": lambda folder: [
        (folder / "additional_chat_templates").mkdir(),
        (folder / "additional_chat_templates" / "tools.jinja").write_text("{{ tools }}"),
    ],
    "a version of config.json": lambda folder: [
        write_json(folder / "config.json", {**CONFIG, "configuration_files": ["config.5.0.json"]}),
        write_json(folder / "config.5.0.json", {**CONFIG, "hidden_size": 8}),
    ],
    "a version of tokenizer.json": lambda folder: [
        write_json(
            folder / "tokenizer_config.json", {"bos_token": "<s>", "fast_tokenizer_files": ["tokenizer.5.0.json"]}
        ),
        write_json(folder / "tokenizer.5.0.json", {"version": "5"}),
    ],
}


@pytest.mark.parametrize("change", LOADED)
def test_what_is_loaded_decides_the_fingerprint(change: str, tmp_path: Path) -> None:
    folder = sharded_folder(tmp_path / "model")
    before = fingerprint(folder)
    LOADED[change](folder)
    changed = fingerprint(folder)
    assert changed != before
    for path in folder.rglob("*.5.0.json"):  # what it says counts, not only that it is there
        write_json(path, {"other": True})
        assert fingerprint(folder) != changed


def test_added_tokens_that_the_tokenizer_has_too_decide_nothing(tmp_path: Path) -> None:
    folder = plain_folder(tmp_path / "model")
    write_json(folder / "tokenizer.json", {"added_tokens": [{"id": 97, "content": "<new>"}]})
    before = fingerprint(folder)
    write_json(folder / "added_tokens.json", {"<new>": 97})
    assert fingerprint(folder) == before
    write_json(folder / "added_tokens.json", {"<new>": 98})
    assert fingerprint(folder) != before


def test_old_files_of_special_tokens_are_not_read_where_new_ones_are(tmp_path: Path) -> None:
    folder = plain_folder(tmp_path / "model")
    write_json(folder / "tokenizer_config.json", {"added_tokens_decoder": {}})
    before = fingerprint(folder)
    write_json(folder / "added_tokens.json", {"<new>": 97})
    write_json(folder / "special_tokens_map.json", {"eos_token": "x"})
    assert fingerprint(folder) == before


def test_transformers_loads_the_files_that_count(tiny_model_folder: Path, tmp_path: Path) -> None:
    """One file goes before an index; an index names its shards; weights that nothing names are left alone."""
    import shutil

    import torch
    from safetensors.torch import load_file, save_file
    from transformers import AutoModelForCausalLM

    folder = shutil.copytree(tiny_model_folder, tmp_path / "model")
    weights = load_file(folder / "model.safetensors")

    def loaded() -> float:
        model = AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True, dtype=torch.float32)
        return float(model.model.norm.weight.detach()[0])

    def save(name: str, value: float) -> None:
        part = {**weights, "model.norm.weight": torch.full_like(weights["model.norm.weight"], value)}
        save_file(part, folder / name, metadata={"format": "pt"})

    save("model.safetensors", 1.0)
    save("a.safetensors", 2.0)
    save("unnamed.safetensors", 3.0)
    index(folder, dict.fromkeys(weights, "a.safetensors"))
    assert (loaded(), [path.name for path in model_files(folder).weights]) == (1.0, ["model.safetensors"])
    (folder / "model.safetensors").unlink()
    assert (loaded(), [path.name for path in model_files(folder).weights]) == (2.0, ["a.safetensors"])


def outside(folder: Path) -> Path:
    other = folder.parent / "other"
    other.mkdir()
    (other / "model.safetensors").write_bytes(b"others")
    write_json(other / "config.json", CONFIG)
    (other / "tokenizer.json").write_text("{}")
    return other


def replace_by_link(folder: Path, name: str, target: Path) -> None:
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(target)


OUTSIDE: dict[str, Callable[[Path, Path], object]] = {
    "an index with ..": lambda folder, _: index(folder, {"a": "../other/model.safetensors", "b": SHARDS[0]}),
    "an index with .. into the folder": lambda folder, _: index(folder, {"a": f"../{folder.name}/{SHARDS[0]}"}),
    "an index with an absolute path": lambda folder, other: index(folder, {"a": str(other / "model.safetensors")}),
    "a config that names weights": lambda folder, _: write_json(
        folder / "config.json", {**CONFIG, "transformers_weights": "../other/model.safetensors"}
    ),
    "a link to weights": lambda folder, other: replace_by_link(folder, SHARDS[0], other / "model.safetensors"),
    "a relative link": lambda folder, _: replace_by_link(folder, SHARDS[0], Path("../other/model.safetensors")),
    "a link to one file": lambda folder, other: replace_by_link(
        folder, "model.safetensors", other / "model.safetensors"
    ),
    "a linked folder": lambda folder, other: [
        replace_by_link(folder, "sub", other),
        index(folder, {"a": "sub/model.safetensors"}),
    ],
    "a linked config": lambda folder, other: replace_by_link(folder, "config.json", other / "config.json"),
    "a linked tokenizer": lambda folder, other: replace_by_link(folder, "tokenizer.json", other / "tokenizer.json"),
    "a linked template": lambda folder, other: replace_by_link(folder, "chat_template.jinja", other / "config.json"),
    "a linked index": lambda folder, other: replace_by_link(
        folder, "model.safetensors.index.json", other / "config.json"
    ),
}


@pytest.mark.parametrize("place", OUTSIDE)
def test_files_outside_the_folder_are_refused(place: str, tmp_path: Path) -> None:
    folder = sharded_folder(tmp_path / "model")
    OUTSIDE[place](folder, outside(folder))
    with pytest.raises(CornerstoneError, match=r"outside the folder|link out of its folder") as raised:
        fingerprint(folder)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "listed",
    [["../other/tokenizer.5.0.json"], ["/other/tokenizer.5.0.json"], ["old tokenizer.5.0.json"], "x", {"/": 1}, [3]],
)
def test_versions_of_a_tokenizer_under_other_names_are_refused(listed: object, tmp_path: Path) -> None:
    folder = plain_folder(tmp_path / "model")
    write_json(folder / "tokenizer_config.json", {"fast_tokenizer_files": listed})
    with pytest.raises(CornerstoneError, match=r"as a version of tokenizer\.json, which it is not"):
        fingerprint(folder)


PATHS: dict[str, Callable[[Path, str], object]] = {
    "vocabulary": lambda folder, file: write_json(folder / "tokenizer_config.json", {"vocab": file}),
    "argument": lambda folder, file: write_json(folder / "tokenizer_config.json", {"init_inputs": [file]}),
    "merges": lambda folder, file: write_json(folder / "tokenizer_config.json", {"merges_file": file}),
    "GGUF file": lambda folder, _: write_json(folder / "tokenizer_config.json", {"gguf_file": "../other/x.gguf"}),
    "special token": lambda folder, file: write_json(folder / "special_tokens_map.json", {"tokenizer_file": file}),
}


@pytest.mark.parametrize("name", PATHS)
def test_a_tokenizer_whose_settings_name_other_files_is_refused(name: str, tmp_path: Path) -> None:
    folder = plain_folder(tmp_path / "model")
    PATHS[name](folder, str(outside(folder) / "tokenizer.json"))
    with pytest.raises(CornerstoneError, match=r"names the file '.*' as its \w+; delete that line"):
        fingerprint(folder)


def test_paths_that_transformers_does_not_open_are_let_be(tmp_path: Path) -> None:
    folder = plain_folder(tmp_path / "model")
    other = str(outside(folder) / "tokenizer.json")
    gone = {"vocab_file": "/home/somebody/vocab.json", "merges_file": None, "vocab": {"a": 0}, "merges": []}
    own = {"tokenizer_file": str(folder / "tokenizer.json"), "special_tokens_map_file": other}
    write_json(folder / "tokenizer_config.json", gone | own)
    assert fingerprint(folder)


def test_transformers_would_load_a_vocabulary_from_elsewhere(tmp_path: Path) -> None:
    """The reason for the refusal: the day on which this fails, it may go."""
    from transformers import AutoTokenizer

    folder, other = plain_folder(tmp_path / "model"), tmp_path / "other"
    other.mkdir()
    (folder / "tokenizer.json").unlink()
    write_json(folder / "config.json", {"model_type": "gpt2"})
    write_json(other / "vocab.json", {"a": 0, "b": 1})
    (other / "merges.txt").write_text("#version: 0.2\n")
    paths = {"vocab": str(other / "vocab.json"), "merges": str(other / "merges.txt")}
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "GPT2Tokenizer", **paths})
    loaded = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    assert loaded.encode("ab") == [0, 1]


def test_links_within_a_folder_and_to_a_folder_are_taken(tmp_path: Path) -> None:
    folder = plain_folder(tmp_path / "model")
    before = fingerprint(folder)
    (folder / "model.safetensors").rename(folder / "weights")
    (folder / "model.safetensors").symlink_to("weights")
    (tmp_path / "link").symlink_to(folder)
    assert fingerprint(folder) == fingerprint(tmp_path / "link") == before


def test_the_hub_caches_links_are_taken_also_behind_a_link(tmp_path: Path) -> None:
    model = sharded_folder(tmp_path / "model")
    real = tmp_path / "disk"
    snapshot = hub_cache(real, "someone/tiny", model)
    (tmp_path / "hub").symlink_to(real)
    assert fingerprint(snapshot) == fingerprint(model)
    assert fingerprint(tmp_path / "hub" / snapshot.relative_to(real)) == fingerprint(model)
    blobs = snapshot.parent.parent / "blobs"
    blobs.rename(tmp_path / "big disk")
    blobs.symlink_to(tmp_path / "big disk")
    assert fingerprint(snapshot) == fingerprint(model)


def test_a_snapshot_that_links_elsewhere_is_refused(tmp_path: Path) -> None:
    snapshot = hub_cache(tmp_path / "hub", "someone/tiny", plain_folder(tmp_path / "model"))
    replace_by_link(snapshot, "model.safetensors", outside(tmp_path / "x") / "model.safetensors")
    with pytest.raises(CornerstoneError, match="link out of its folder"):
        fingerprint(snapshot)


DAMAGED: dict[str, Callable[[Path], object]] = {
    "no valid JSON": lambda folder: (folder / "model.safetensors.index.json").write_text("{"),
    "no text": lambda folder: (folder / "model.safetensors.index.json").write_bytes(b"\xff\xfe\x00"),
    "nested": lambda folder: (folder / "model.safetensors.index.json").write_text("[" * 100_000),
    "nested less": lambda folder: (folder / "config.json").write_text('{"a":' * 900 + "1" + "}" * 900),
    "a list": lambda folder: (folder / "model.safetensors.index.json").write_text("[]"),
    "no weight_map": lambda folder: write_json(folder / "model.safetensors.index.json", {"metadata": {}}),
    "an empty weight_map": lambda folder: index(folder, {}),
    "a list as weight_map": lambda folder: index(folder, [SHARDS[0]]),
    "a number as a file": lambda folder: index(folder, {"a": 3}),
    "a list as a file": lambda folder: index(folder, {"a": [SHARDS[0]]}),
    "NUL": lambda folder: index(folder, {"a": "x\0.safetensors"}),
    "a long name": lambda folder: index(folder, {"a": "x" * 300 + ".safetensors"}),
    "escape codes": lambda folder: index(folder, {"a": "\x1b[31mx\n.safetensors"}),
    "a lone surrogate": lambda folder: index(folder, {"a": "\ud800.safetensors"}),
    "pickles": lambda folder: index(folder, {"a": "pytorch_model.bin"}),
    "the folder itself": lambda folder: index(folder, {"a": "."}),
    "a missing shard": lambda folder: (folder / SHARDS[0]).unlink(),
    "a pipe": lambda folder: [(folder / SHARDS[0]).unlink(), os.mkfifo(folder / SHARDS[0])],
    "a folder as weights": lambda folder: (folder / "model.safetensors").mkdir(),
    "a pipe as weights": lambda folder: os.mkfifo(folder / "model.safetensors"),
    "a pipe as tokenizer": lambda folder: [(folder / "vocab.json").unlink(), os.mkfifo(folder / "vocab.json")],
    "a pipe as template": lambda folder: os.mkfifo(folder / "more.jinja"),
    "a link that leads nowhere": lambda folder: replace_by_link(folder, SHARDS[0], folder / "nothing"),
    "a link to itself": lambda folder: replace_by_link(folder, SHARDS[0], folder / SHARDS[0]),
    "a list as config": lambda folder: (folder / "config.json").write_text("[1]"),
    "half a config": lambda folder: (folder / "config.json").write_text('{"a": 1'),
    "a number too long to read": lambda folder: (folder / "config.json").write_text('{"a": ' + "9" * 5000 + "}"),
    "a list as tokenizer_config": lambda folder: (folder / "tokenizer_config.json").write_text("[]"),
    "a list as special tokens": lambda folder: (folder / "special_tokens_map.json").write_text("[]"),
    "a number as name of weights": lambda folder: write_json(
        folder / "config.json", {**CONFIG, "transformers_weights": 3}
    ),
    "an adapter": lambda folder: write_json(folder / "adapter_config.json", {"base_model_name_or_path": "/x"}),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_folder_is_refused_in_a_sentence(damage: str, tmp_path: Path) -> None:
    folder = sharded_folder(tmp_path / "model")
    DAMAGED[damage](folder)
    with pytest.raises(CornerstoneError) as raised:
        fingerprint(folder)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 500


def test_a_surrogate_in_a_config_is_no_traceback(tmp_path: Path) -> None:
    folder = plain_folder(tmp_path / "model")
    write_json(folder / "config.json", {**CONFIG, "note": "\ud800"})
    assert fingerprint(folder) != PLAIN
    assert digest_of("ordinary") == hashlib.sha256(b'"ordinary"').hexdigest()


@pytest.mark.parametrize("change", ["weights", "config.json", "a new template"])
def test_a_folder_that_changes_while_it_is_loaded_is_refused(change: str, tmp_path: Path) -> None:
    folder = sharded_folder(tmp_path / "model")
    before = states_of(folder)
    refuse_changed(folder, before)
    path = folder / {"weights": SHARDS[1], "config.json": "config.json", "a new template": "x.jinja"}[change]
    content = path.read_bytes() if path.exists() else b""
    (folder / "fresh").write_bytes(content)
    (folder / "fresh").replace(path)
    with pytest.raises(CornerstoneError, match=rf"{path.name} changed while the model was loaded"):
        refuse_changed(folder, before)
