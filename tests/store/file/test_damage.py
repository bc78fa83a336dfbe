"""A damaged store: one sentence from every use of it, and the file and its log stay as they are."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import duckdb
import pytest

from core.coalitions.players import PlayerKind
from core.errors import CornerstoneError, Mend
from store.file.connection import SETTINGS
from store.file.database import reading, writing
from store.file.log import fault_of_log
from store.file.place import log_of
from store.file.sound import fault_of
from store.recorder import StoreRecorder
from store.results import Results, Selection
from tests.support.store_records import assignment, documents, keep, outcome, run

ASKED = assignment(documents(range(40)), [(), (0,), (1,), (0, 1)])
_SENTENCE = re.compile(r"the store .* is damaged \(.+\); nothing was changed")
LATER = assignment(documents(range(40, 50)), [(), (0,)])


def _outcomes(path: Path) -> int:
    return len(Results(path).outcomes().rows)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a log, as a program leaves it that is killed: 320 outcomes in the file, and 20 in the log."""
    path = tmp_path_factory.mktemp("sound") / "s.duckdb"
    keep(path, ASKED, [outcome(document.key, removed) for document in ASKED.documents for removed in ASKED.coalitions])
    with duckdb.connect(str(path), config=SETTINGS) as held:
        held.execute("PRAGMA disable_checkpoint_on_shutdown")
        recorder = StoreRecorder(path)
        recorder.begin(run("run2"))
        recorder.assign("run2", LATER)
        for document in LATER.documents:
            recorder.record("run2", LATER, [outcome(document.key, removed) for removed in LATER.coalitions])
    assert log_of(path).stat().st_size > 0
    return path


def _copied(sound: Path, path: Path, *, with_log: bool = True) -> Path:
    shutil.copy(sound, path)
    if with_log:
        shutil.copy(log_of(sound), log_of(path))
    return path


def _content(path: Path) -> tuple[bytes, bytes | None]:
    log = log_of(path)
    return path.read_bytes(), log.read_bytes() if log.exists() else None


def _readers(path: Path) -> Iterator[Callable[[], object]]:
    results, recorder = Results(path), StoreRecorder(path)
    yield from (results.runs, results.groups, results.outcomes, results.ablation, results.coalitions)
    yield lambda: results.shapley(Selection(task="capitals"))
    yield from (lambda: recorder.stored(ASKED), lambda: recorder.values(ASKED, "acc"), recorder.writers)


def _refused(use: Callable[[], object]) -> bool:
    """Return whether a use ends in the sentence of a damaged store; any other error is raised."""
    try:
        use()
    except CornerstoneError as error:
        if error.mend != Mend.SALVAGE_STORE or not _SENTENCE.fullmatch(str(error)):
            raise
        return True
    return False


def _offsets(sound: Path, seed: int, count: int) -> list[int]:
    """Draw places of a file where there is anything but zeros."""
    content = sound.read_bytes()
    used = [at for at in range(0, len(content), 512) if any(content[at : at + 512])]
    drawn = random.Random(seed)
    return [drawn.choice(used) + drawn.randrange(512) for _ in range(count)]


def test_the_store_of_these_tests_is_sound(sound: Path, path: Path) -> None:
    assert _outcomes(_copied(sound, path)) == 180
    StoreRecorder(path).begin(run("later"))
    assert not log_of(path).exists()
    assert _outcomes(path) == 180


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_flipped_bits_are_a_sentence_or_harm_nothing(sound: Path, path: Path, seed: int) -> None:
    refusals = 0
    for number, offset in enumerate(_offsets(sound, seed, 5)):
        _copied(sound, path, with_log=number % 2 == 0)
        content = bytearray(path.read_bytes())
        content[offset] ^= 1 << number
        path.write_bytes(content)
        before = _content(path)
        refusals += sum(_refused(use) for use in _readers(path))
        assert _content(path) == before
        if _refused(lambda: StoreRecorder(path).assign("run1", LATER)):
            assert _content(path) == before
        log_of(path).unlink(missing_ok=True)
    assert refusals > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_file_that_was_cut_off_is_a_sentence(sound: Path, path: Path, seed: int) -> None:
    size = sound.stat().st_size
    for number in range(4):
        _copied(sound, path, with_log=number % 2 == 0)
        with path.open("r+b") as file:
            file.truncate(random.Random(f"{seed} {number}").randrange(12288, size - 4096))
        before = _content(path)
        assert sum(_refused(use) for use in _readers(path)) > 0
        assert _content(path) == before
        log_of(path).unlink(missing_ok=True)


@pytest.mark.parametrize("seed", range(4))
def test_flipped_bits_in_the_log_never_lose_what_it_holds(sound: Path, path: Path, seed: int) -> None:
    size = log_of(sound).stat().st_size
    for number in range(6):
        _copied(sound, path)
        content = bytearray(log_of(path).read_bytes())
        content[random.Random(f"{seed} {number}").randrange(size if number % 2 else 120)] ^= 1 << number
        log_of(path).write_bytes(content)
        before = _content(path)
        if _refused(lambda: StoreRecorder(path).begin(run("later"))):
            assert _refused(lambda: _outcomes(path))
            assert _content(path) == before
        else:
            assert _outcomes(path) == 180


def test_a_wrong_size_in_the_log_is_not_taken_for_its_end(sound: Path, path: Path) -> None:
    content = log_of(sound).read_bytes()
    entries = _entries(content)
    assert len(entries) > 20
    for at in (entries[0], entries[1], entries[len(entries) // 2], entries[-2], entries[-1]):
        for byte in (1, 2, 5, 7):
            wrong = bytearray(content)
            wrong[at + byte] ^= 0x10
            log_of(path).write_bytes(wrong)
            assert fault_of_log(path) is not None


def test_a_log_that_ends_within_a_transaction_is_sound(sound: Path, path: Path) -> None:
    content = log_of(sound).read_bytes()
    for cut in range(0, len(content), 37):
        log_of(path).write_bytes(content[:cut])
        assert fault_of_log(path) is None
    log_of(path).write_bytes(content)
    assert fault_of_log(path) is None


def _entries(content: bytes) -> list[int]:
    """Return where the entries of a log begin: only one way to divide it ends with its end."""
    for start in range(20, 64):
        at, found = start, []
        while at + 16 <= len(content):
            found.append(at)
            at += 16 + int.from_bytes(content[at : at + 8], "little")
        if at == len(content) and len(found) > 3:
            return found
    raise AssertionError("no entries")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DROP TABLE members", "the table members is missing"),
        ("ALTER TABLE outcomes DROP COLUMN acc", "the table outcomes has no column acc"),
        ("ALTER TABLE outcomes RENAME COLUMN acc TO accuracy", "the table outcomes has no column acc"),
        ("ALTER TABLE outcomes ALTER acc TYPE VARCHAR", "acc of type VARCHAR instead of DOUBLE"),
        ("ALTER TABLE runs ADD COLUMN host VARCHAR", "a column host too many"),
        ("DROP TABLE outcomes; CREATE VIEW outcomes AS SELECT 1 AS model", "the table outcomes has no column document"),
        ("DELETE FROM meta", "does not say of which version it is"),
        ("UPDATE meta SET schema_version = 0", "does not say of which version it is"),
        ("ALTER TABLE meta ALTER schema_version TYPE VARCHAR", "does not say of which version it is"),
    ],
)
def test_an_odd_schema_is_a_sentence(path: Path, statement: str, said: str) -> None:
    keep(path, ASKED, [outcome("doc-0")])
    with duckdb.connect(str(path)) as db:
        db.execute(statement)
    before = path.read_bytes()
    for use in (*_readers(path), lambda: StoreRecorder(path).begin(run("later"))):
        with pytest.raises(CornerstoneError, match=said) as refused:
            use()
        assert refused.value.mend == Mend.SALVAGE_STORE
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE runs SET versions = 'no JSON', state = 'running'", "versions that are no JSON object"),
        ("UPDATE runs SET versions = '[1]', state = 'running'", "versions that are no JSON object"),
        ("DELETE FROM coalitions", "name coalitions that the store does not have"),
        ("UPDATE models SET kinds = ['attn', 'what'], layers = [0, 0]", "players of an unknown kind"),
        ("UPDATE models SET kinds = [NULL, 'ffn'], layers = [0, 0]", "players of an unknown kind"),
        ("UPDATE models SET layers = list_reverse(layers)", "not have the layer of each player"),
        ("UPDATE models SET layers = layers[2:]", "not have the layer of each player"),
        ("UPDATE models SET layers = [NULL, 0, 1, 1, 2, 2]", "not have the layer of each player"),
        ("UPDATE models SET layers = [0, 0, 1, 1, 2, 2000000000]", "not have the layer of each player"),
        ("UPDATE models SET layers = [-1, 0, 1, 1, 2, 2]", "not have the layer of each player"),
        ("UPDATE coalitions SET removed = [NULL]", "repeat the removed layers"),
        ("UPDATE coalitions SET removed = [99] WHERE removed = [0]", "remove layers that their model does not have"),
    ],
)
def test_contents_that_do_not_fit_together_are_a_sentence_where_they_are_met(
    path: Path, statement: str, said: str
) -> None:
    keep(path, ASKED, [outcome("doc-0"), outcome("doc-0", (0,))])
    with duckdb.connect(str(path)) as db:
        db.execute(statement)
    sentences = []
    for use in _readers(path):
        try:
            use()
        except CornerstoneError as error:
            sentences.append(str(error))
    assert any(said in sentence for sentence in sentences), sentences


@pytest.mark.parametrize(
    "mistake",
    ["SELECT nothing FROM nowhere", "SELEKT 1", "SELECT 1 / 'a'", "INSERT INTO meta VALUES (NULL)",
     "SELECT error('no')"],
)  # fmt: skip
@pytest.mark.parametrize("opened", [reading, writing])
def test_a_fault_of_the_program_is_no_damage(path: Path, mistake: str, opened: Callable[..., object]) -> None:
    StoreRecorder(path).begin(run())
    with pytest.raises(duckdb.Error), opened(path) as db:  # type: ignore[attr-defined]
        db.execute(mistake)
    assert len(Results(path).runs().rows) == 1


@pytest.mark.parametrize("error", [KeyError("a"), ValueError("b"), TypeError("c"), RuntimeError("d"), OSError("e")])
def test_an_error_of_the_caller_on_a_sound_store_stays_what_it_is(path: Path, error: Exception) -> None:
    StoreRecorder(path).begin(run())
    for opened in (reading, writing):
        with pytest.raises(type(error)) as raised, opened(path):
            raise error
        assert raised.value is error


@pytest.mark.parametrize("kind", get_args(PlayerKind))
def test_every_kind_of_player_is_sound(path: Path, kind: str) -> None:
    keep(path, ASKED, [])
    with duckdb.connect(str(path), config=SETTINGS) as db:
        db.execute("UPDATE models SET kinds = list_transform(kinds, lambda old: ?)", [kind])
        assert fault_of(db) is None
