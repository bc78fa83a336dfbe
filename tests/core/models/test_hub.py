"""A model in the hub cache is found if all that is loaded of it is there, whatever else its repository lists."""

from __future__ import annotations

import inspect
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import CornerstoneError
from core.models import hub
from core.models.lookup import ModelSource, OnHub, look_up
from tests.support.model_folders import COMMIT, SHARDS, hub_cache, index, plain_folder, sharded_folder, write_json
from tests.support.programs import cornerstone, read

HUB_ID = "someone/tiny"
LEFT_OUT = (
    "README.md",
    ".gitattributes",
    "pytorch_model.bin",
    "onnx/model.onnx",
    "consolidated.safetensors",
    "qwen.tiktoken",
    "bpe.codes",
    "a/b.json",
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub cache of this test. The library has read the environment long ago."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def found(name: str = HUB_ID, revision: str | None = None) -> Path | None:
    return hub.cached_folder(name, revision)


@pytest.mark.parametrize("make", [plain_folder, sharded_folder])
def test_what_this_program_fetched_is_found(make: Callable[[Path], Path], cache: Path, tmp_path: Path) -> None:
    snapshot = hub_cache(cache, HUB_ID, make(tmp_path / "model"), listed=LEFT_OUT)
    assert found() == snapshot
    assert look_up(HUB_ID, revision=None, offline=True) == ModelSource(HUB_ID, snapshot, HUB_ID, COMMIT)


@pytest.mark.parametrize("ref", ["main", "v1.0", "refs/pr/3"])
def test_a_branch_a_tag_and_a_commit_lead_to_it(ref: str, cache: Path, tmp_path: Path) -> None:
    snapshot = hub_cache(cache, HUB_ID, plain_folder(tmp_path / "model"), listed=LEFT_OUT, ref=ref)
    assert found(revision=ref) == found(revision=COMMIT) == snapshot
    assert found(revision="other") is None
    assert (found() == snapshot) == (ref == "main")


def test_a_cache_behind_a_link_is_found(cache: Path, tmp_path: Path) -> None:
    hub_cache(tmp_path / "disk", HUB_ID, plain_folder(tmp_path / "model"), listed=LEFT_OUT)
    cache.symlink_to(tmp_path / "disk")
    assert found() is not None


def trees(snapshot: Path) -> Path:
    return snapshot.parent.parent / "trees" / f"{COMMIT}.json"


BAD_LISTINGS = {
    "none": None,
    "empty": "",
    "half": '{"format_version": 1, "files": {"config.json"',
    "a list": "[]",
    "null": "null",
    "nested": "[" * 100_000,
    "no files": '{"format_version": 1}',
    "a list of files": '{"format_version": 1, "files": ["missing.json"]}',
    "files that are numbers": '{"format_version": 1, "files": {"tokenizer.model": 3}}',
    "another format": '{"format_version": 99, "files": {"tokenizer.model": {"size": 1}}}',
    "no text": "\udcff\udcfe",
}


@pytest.mark.parametrize("kind", BAD_LISTINGS)
def test_a_damaged_listing_is_ignored(kind: str, cache: Path, tmp_path: Path) -> None:
    snapshot = hub_cache(cache, HUB_ID, plain_folder(tmp_path / "model"))
    text = BAD_LISTINGS[kind]
    if text is None:
        trees(snapshot).unlink()
    else:
        trees(snapshot).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert found() == snapshot


def forget(*names: str) -> Callable[[Path], None]:
    def change(snapshot: Path) -> None:
        for name in names:
            (snapshot / name).unlink()

    return change


def forget_blob(name: str) -> Callable[[Path], None]:
    return lambda snapshot: (snapshot / name).resolve().unlink()


def unlisted(change: Callable[[Path], None]) -> Callable[[Path], None]:
    def both(snapshot: Path) -> None:
        change(snapshot)
        trees(snapshot).unlink()

    return both


def overwrite(name: str, text: str) -> Callable[[Path], None]:
    return lambda snapshot: (snapshot / name).resolve().write_text(text) and None


INDEX = "model.safetensors.index.json"
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "special_tokens_map.json")
INCOMPLETE = {
    "no config": forget("config.json"),
    "no index": forget(INDEX),
    "no shard": forget(SHARDS[1]),
    "no shard, no listing": unlisted(forget(SHARDS[1])),
    "no blob of a shard": forget_blob(SHARDS[1]),
    "no blob of a shard, no listing": unlisted(forget_blob(SHARDS[1])),
    "no tokenizer": forget(*TOKENIZER),
    "no tokenizer, no listing": unlisted(forget(*TOKENIZER)),
    "a part of the tokenizer": forget("tokenizer.json"),
    "no special tokens": forget("special_tokens_map.json"),
    "no chat template": forget("chat_template.jinja"),
    "no blob of the tokenizer": forget_blob("tokenizer.json"),
    "no blob of the tokenizer, no listing": unlisted(forget_blob("tokenizer.json")),
    "no blob of the config": forget_blob("config.json"),
    "config that is half": overwrite("config.json", '{"model_type"'),
    "config that is a list": overwrite("config.json", "[]"),
    "index that is no JSON": overwrite(INDEX, "{"),
    "index without weight_map": overwrite(INDEX, "{}"),
    "weight_map that is a list": overwrite(INDEX, '{"weight_map": []}'),
    "weight_map of numbers": overwrite(INDEX, '{"weight_map": {"a": 1}}'),
    "index that leads out": overwrite(INDEX, '{"weight_map": {"a": "../x.safetensors"}}'),
    "a name that is too long": overwrite(INDEX, json.dumps({"weight_map": {"a": "x" * 300 + ".safetensors"}})),
    "a name with NUL": overwrite(INDEX, json.dumps({"weight_map": {"a": "x\0.safetensors"}})),
}


@pytest.mark.parametrize("kind", INCOMPLETE)
def test_an_incomplete_snapshot_is_not_found(kind: str, cache: Path, tmp_path: Path) -> None:
    snapshot = hub_cache(cache, HUB_ID, sharded_folder(tmp_path / "model"), listed=LEFT_OUT)
    INCOMPLETE[kind](snapshot)
    assert found() is None
    assert look_up(HUB_ID, revision=None, offline=False) == OnHub(HUB_ID, None)
    with pytest.raises(CornerstoneError, match="is not in the hub cache and cannot be fetched offline"):
        look_up(HUB_ID, revision=None, offline=True)


@pytest.mark.parametrize("ref", [b"", b"\xff\xfe", b"../../elsewhere", b"0" * 40, b"main\0"])
def test_a_damaged_ref_is_no_traceback(ref: bytes, cache: Path, tmp_path: Path) -> None:
    snapshot = hub_cache(cache, HUB_ID, plain_folder(tmp_path / "model"))
    (snapshot.parent.parent / "refs" / "main").write_bytes(ref)
    assert found() is None
    assert found(revision=COMMIT) == snapshot


@pytest.mark.parametrize("name", ["x" * 300, "a/b", "--", "..", "a..b", "someone/" + "x" * 90])
def test_a_name_that_no_cache_can_hold_is_not_found(name: str, cache: Path) -> None:
    assert found(name) is None
    assert found(HUB_ID, revision="x" * 300) is None


class TestDownload:
    """The library's own download, with a hub that this test plays."""

    @pytest.fixture
    def asked(self, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
        import huggingface_hub
        from huggingface_hub import hf_api

        calls: list[dict[str, object]] = []
        names = ("config.json", "model.safetensors", "tokenizer.json", *LEFT_OUT)
        siblings = [hf_api.RepoSibling(rfilename=name, size=7) for name in names]
        info = hf_api.ModelInfo(id=HUB_ID, sha=COMMIT, siblings=[])
        info.siblings = siblings
        monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda *_, **__: info)

        def fetch(_: str, *, tqdm_class: object, **how: object) -> str:
            calls.append(how)
            return str(cache / "models--someone--tiny" / "snapshots" / COMMIT)

        monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
        return calls

    def test_a_listing_that_would_stop_the_library_is_deleted(
        self, asked: list[dict[str, object]], cache: Path, tmp_path: Path
    ) -> None:
        snapshot = hub_cache(cache, HUB_ID, plain_folder(tmp_path / "model"))
        hub.download(HUB_ID, None, print)
        assert trees(snapshot).exists()
        trees(snapshot).write_text("[]")
        assert hub.download(HUB_ID, None, print) == snapshot
        assert not trees(snapshot).exists()
        assert asked[0] == asked[1]

    def test_a_full_disk_is_told(self, asked: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch) -> None:
        import huggingface_hub

        def full(*_: object, **__: object) -> str:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(huggingface_hub, "snapshot_download", full)
        with pytest.raises(CornerstoneError, match="the disk is full: someone/tiny did not fit into the hub cache"):
            hub.download(HUB_ID, None, print)
        assert asked == []

    def test_what_was_fetched_damaged_is_refused(
        self, asked: list[dict[str, object]], cache: Path, tmp_path: Path
    ) -> None:
        model = plain_folder(tmp_path / "model")
        (model / "model.safetensors").unlink()
        index(model, {"a": "../x.safetensors"})
        hub_cache(cache, HUB_ID, model)
        with pytest.raises(CornerstoneError, match="outside the folder"):
            hub.download(HUB_ID, None, print)
        assert len(asked) == 1


def test_a_run_offline_takes_what_was_fetched(tiny_model_folder: Path, tmp_path: Path) -> None:
    """The program itself, with the hub cache that it looks into."""
    name = "someone/tiny-llama"
    hub_cache(Path(os.environ["HF_HOME"], "hub"), name, tiny_model_folder, listed=LEFT_OUT)
    options = ("--task", "agreement", "--limit", "2", "--remove", "Attn 0", "--store", tmp_path / "x.duckdb")
    done = cornerstone("run", "--model", name, "--offline", *options)
    assert done.returncode == 0, done.stderr
    assert "not in the hub cache" not in done.stderr
    local = cornerstone("run", "--model", tiny_model_folder, "--offline", *options)
    assert "loading" in local.stderr
    assert len({row["model_id"] for row in read(tmp_path / "x.duckdb", "coalitions")}) == 1


def test_config_is_read_once_more_after_it_was_mended(cache: Path, tmp_path: Path) -> None:
    snapshot = hub_cache(cache, HUB_ID, plain_folder(tmp_path / "model"))
    config = (snapshot / "config.json").resolve()
    text = config.read_text()
    config.write_text("{")
    assert found() is None
    write_json(config, json.loads(text))
    assert found() == snapshot

    def test_it_is_told_how_far_it_is(
        self, asked: list[dict[str, object]], cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import huggingface_hub
        from huggingface_hub.utils.tqdm import _create_progress_bar

        snapshot = hub_cache(cache, HUB_ID, plain_folder(tmp_path / "model"))
        (snapshot / "model.safetensors").unlink()
        heard = threading.Event()
        ended: list[str] = []

        def fetch(*_: object, tqdm_class: type, **__: object) -> str:
            written = inspect.getsource(huggingface_hub._snapshot_download)
            names = [name for name in ("Downloading bytes", "Reconstructing (incomplete total...)") if name in written]
            network, disk = (
                _create_progress_bar(cls=tqdm_class, log_level=0, name="x", desc=name, total=0) for name in names
            )
            network.update(5)
            disk.update(3)
            heard.wait(240)
            try:
                disk.update(1)
            except Exception as error:
                ended.append(type(error).__name__)
                raise
            return str(snapshot)

        monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
        told: list[tuple[int, int]] = []

        def look(done: int, total: int) -> None:
            told.append((done, total))
            if len(told) == 2:
                raise InterruptedError

        with pytest.raises(CornerstoneError):
            hub.download(HUB_ID, None, print, look)
        assert told[-1] == (17, 21), "two files of 7 bytes are there, and 3 of the third"
        heard.set()
        deadline = time.monotonic() + 240
        while not ended and time.monotonic() < deadline:
            time.sleep(0.01)
        assert ended == ["StoppedError"], "the download does not go on"
