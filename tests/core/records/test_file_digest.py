"""A digest is of the content: what is kept of it is trusted only for the very same file, and only if it is whole."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from core.errors import CornerstoneError
from core.machine.file_state import FileState
from core.records import fingerprint
from core.records.fingerprint import file_digest, model_fingerprint
from tests.support.model_folders import hub_cache, plain_folder

LATER_NS = 10 * 10**9


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "cornerstone" / "digests"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seconds have gone by since files were written, so their digests are kept."""
    now = time.time_ns
    monkeypatch.setattr(fingerprint.time, "time_ns", lambda: now() + LATER_NS)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def kept(cache: Path) -> list[Path]:
    return sorted(cache.glob("*")) if cache.is_dir() else []


@pytest.mark.usefixtures("later")
def test_a_digest_is_kept_and_then_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "weights", b"one")
    assert file_digest(path) == sha256(b"one")
    monkeypatch.setattr(fingerprint.hashlib, "file_digest", lambda *_: pytest.fail("it was read again"))
    assert file_digest(path) == sha256(b"one")


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("how", ["in place", "renamed", "a link turned", "older"])
def test_a_file_of_the_same_size_and_time_is_another_file(how: str, tmp_path: Path) -> None:
    path = written(tmp_path / "weights", b"one")
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    other = written(tmp_path / "other", b"two")
    link = tmp_path / "link"
    link.symlink_to(path)
    asked = link if how == "a link turned" else path
    assert file_digest(asked) == sha256(b"one")
    os.utime(other, ns=times)
    match how:
        case "in place":
            path.write_bytes(b"two")
            os.utime(path, ns=times)
        case "renamed":
            other.replace(path)
        case "a link turned":
            link.unlink()
            link.symlink_to(other)
        case "older":
            path.write_bytes(b"two")
            os.utime(path, ns=(0, 0))
    assert file_digest(asked) == sha256(b"two")


def test_the_digest_of_a_file_that_has_just_changed_is_not_kept(tmp_path: Path, cache: Path) -> None:
    path = written(tmp_path / "weights", b"one")
    assert file_digest(path) == sha256(b"one")
    assert kept(cache) == []
    state = FileState.of(path.stat())
    assert not state.settled(state.changed_ns + 10**9)
    assert state.settled(state.changed_ns + 3 * 10**9)


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize(
    "damage", ["empty", "half", "another digest", "another file's", "no JSON", "a list", "nested", "a folder", "a pipe"]
)
def test_a_damaged_digest_is_ignored_and_made_again(damage: str, tmp_path: Path, cache: Path) -> None:
    path, other = written(tmp_path / "weights", b"one"), written(tmp_path / "other", b"two")
    file_digest(path)
    (file,) = kept(cache)
    file_digest(other)
    (others,) = (one for one in kept(cache) if one != file)
    text = file.read_text()
    match damage:
        case "empty":
            file.write_text("")
        case "half":
            file.write_text(text[: len(text) // 2])
        case "another digest":
            file.write_text(text.replace(sha256(b"one"), sha256(b"two")))
        case "another file's":
            file.write_bytes(others.read_bytes())
        case "no JSON":
            file.write_bytes(b"\xff\x00")
        case "a list":
            file.write_text("[]")
        case "nested":
            file.write_text("[" * 100_000)
        case "a folder":
            file.unlink()
            file.mkdir()
        case "a pipe":
            file.unlink()
            os.mkfifo(file)
    assert file_digest(path) == sha256(b"one")
    if damage != "a folder":
        assert file.read_text() == text


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("fault", ["a file in place of the folder", "no room", "no room to name it"])
def test_a_cache_that_cannot_be_written_changes_nothing(
    fault: str, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    match fault:
        case "a file in place of the folder":
            (tmp_path / "cache").write_text("")
        case "no room":
            monkeypatch.setattr(os, "fsync", full)
        case _:
            monkeypatch.setattr(Path, "replace", full)
    one, two = (written(tmp_path / name, name.encode()) for name in ("one", "two"))
    for _ in range(2):
        assert [file_digest(path) for path in (one, two)] == [sha256(b"one"), sha256(b"two")]
    assert kept(cache) == []


@pytest.mark.usefixtures("later")
def test_zero_byte_digests_of_a_full_disk_do_not_make_two_models_one(tmp_path: Path, cache: Path) -> None:
    """The example that was seen: two models of one configuration, and a cache whose disk was full."""
    one, other = plain_folder(tmp_path / "one"), plain_folder(tmp_path / "other")
    (other / "model.safetensors").write_bytes(b"WEIGHTS")
    first = [model_fingerprint(folder, "float32") for folder in (one, other)]
    assert first[0] != first[1]
    for file in kept(cache):
        file.write_text("")
    assert [model_fingerprint(folder, "float32") for folder in (one, other)] == first


@pytest.mark.usefixtures("later")
def test_a_forced_check_reads_the_file(tmp_path: Path, cache: Path) -> None:
    path = written(tmp_path / "weights", b"one")
    file_digest(path)
    (file,) = kept(cache)
    content = json.loads(file.read_text())
    # What nothing on this machine can tell: the kept digest is whole, but wrong.
    from core.machine.cached_fact import keep_fact

    keep_fact(file, content["about"], sha256(b"two"))
    assert file_digest(path) == sha256(b"two")
    assert file_digest(path, check=True) == sha256(b"one")
    assert file_digest(path) == sha256(b"one")


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "weights", b"one")
    read = hashlib.file_digest

    def meanwhile(file: object, name: str) -> object:
        written(tmp_path / "fresh", b"two").replace(path)
        return read(file, name)  # type: ignore[arg-type]

    monkeypatch.setattr(fingerprint.hashlib, "file_digest", meanwhile)
    with pytest.raises(CornerstoneError, match="weights changed while it was read"):
        file_digest(path)


def test_a_file_named_like_a_digest_is_read(tmp_path: Path) -> None:
    name = sha256(b"something else")
    assert file_digest(written(tmp_path / name, b"one")) == sha256(b"one")
    (tmp_path / "blobs").mkdir()
    assert file_digest(written(tmp_path / "blobs" / name, b"one")) == sha256(b"one")


@pytest.mark.usefixtures("later")
def test_a_blob_of_the_hub_cache_is_read_once_and_again_when_it_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = hub_cache(tmp_path / "hub", "someone/tiny", plain_folder(tmp_path / "model"))
    weights = snapshot / "model.safetensors"
    assert file_digest(weights) == file_digest(weights, check=True) == sha256(b"weights")
    with monkeypatch.context() as patched:
        patched.setattr(fingerprint.hashlib, "file_digest", None)
        assert file_digest(weights) == sha256(b"weights")
    before = weights.stat()
    weights.resolve().write_bytes(b"WEIGHTS")
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    for check in (False, True):
        with pytest.raises(CornerstoneError, match="is not what the hub gave"):
            file_digest(weights, check=check)
        with pytest.raises(CornerstoneError, match="is not what the hub gave"):
            model_fingerprint(snapshot, "float32", check=check)


@pytest.mark.parametrize("kind", ["pipe", "folder", "nothing", "device"])
def test_only_regular_files_are_read(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.gguf"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "device":
            path.symlink_to("/dev/zero")
    with pytest.raises(CornerstoneError, match=r"cannot read .*weights\.gguf: .+"):
        file_digest(path)
