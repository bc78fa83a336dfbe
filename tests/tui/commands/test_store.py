"""`cornerstone store`: exit codes, sentences, JSON, and results that stay equal."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from core.coalitions.players import Removed
from store.file.schema import VERSION
from tests.support.damaged_store import blocks_of, change, contents, index_blocks, leave_log, make_store, wipe
from tests.support.programs import cornerstone, read
from tests.support.store_holder import held
from tests.support.store_records import assignment, documents, keep, outcome

TABLES = ("outcomes", "coalitions", "ablation", "shapley", "interactions")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return make_store(tmp_path / "results.duckdb")


@pytest.mark.slow
def test_check_says_that_a_store_is_sound(store: Path) -> None:
    done = cornerstone("store", "check", store)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{store} is sound: 240 outcomes\n", "")
    done = cornerstone("store", "check", store, "--json")
    assert json.loads(done.stdout) == {"sound": True, "problems": [], "schema_version": VERSION, "outcomes": 240}


@pytest.mark.slow
def test_check_says_what_is_damaged_and_what_to_do(store: Path) -> None:
    change(store, "UPDATE outcomes SET acc = 'nan'")
    before = contents(store)
    done = cornerstone("store", "check", store)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"{store} is damaged; it counts 240 outcomes",
        "- 240 of the outcomes have scores that are no numbers",
    ]
    assert done.stderr == f"`cornerstone store salvage {store} -o NEW` copies what can be read\n"
    done = cornerstone("store", "check", store, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["sound"] is False
    assert contents(store) == before


def test_the_default_store_is_checked_where_none_is_named(tmp_path: Path) -> None:
    done = cornerstone("store", "check")
    assert done.returncode == 2
    assert "there is no store at" in done.stderr


@pytest.mark.parametrize("command", ["check", "compact"])
def test_what_is_no_store_is_wrong_use(tmp_path: Path, command: str) -> None:
    (tmp_path / "text").write_text("hello " * 3000)
    for name, said in (("none", "there is no store"), ("text", "is not a DuckDB file")):
        done = cornerstone("store", command, tmp_path / name)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
        assert "--store" not in done.stderr


@pytest.mark.parametrize("wait", ["-1", "inf", "nan", "1e300", "soon"])
def test_a_wait_out_of_range_is_wrong_use(store: Path, wait: str) -> None:
    done = cornerstone("store", "check", store, f"--wait={wait}")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_salvage_says_what_was_saved_and_what_is_lost(store: Path, tmp_path: Path) -> None:
    change(store, "DELETE FROM documents WHERE key = 'doc-3'")
    before = contents(store)
    done = cornerstone("store", "salvage", store, "-o", tmp_path / "new")
    assert done.returncode == 0
    assert "outcomes: 236 of 240 saved; 4 name a document that the store does not have" in done.stdout.splitlines()
    assert done.stderr == f"wrote {tmp_path / 'new'}\n"
    assert contents(store) == before
    assert cornerstone("store", "check", tmp_path / "new").returncode == 0
    assert len(read(tmp_path / "new", "outcomes")) == 236


@pytest.mark.slow
def test_salvage_of_nothing_ends_with_1_and_writes_nothing(store: Path, tmp_path: Path) -> None:
    for start in blocks_of(store, "outcomes"):
        wipe(store, start, 50_000)
    done = cornerstone("store", "salvage", store, "-o", tmp_path / "new")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"no outcome of {store} can be saved (")
    assert "cannot be read" in done.stderr
    assert os.listdir(tmp_path) == [store.name]


@pytest.mark.slow
def test_salvage_replaces_a_file_only_with_force(store: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    done = cornerstone("store", "salvage", store, "-o", tmp_path / "mine")
    assert done.returncode == 2
    assert "add --force to replace it" in done.stderr
    assert (tmp_path / "mine").read_text() == "mine"
    assert cornerstone("store", "salvage", store, "-o", tmp_path / "mine", "--force").returncode == 0
    done = cornerstone("store", "salvage", store, "-o", store, "--force")
    assert done.returncode == 2
    assert "is the very store to be salvaged" in done.stderr


@pytest.mark.slow
def test_results_are_equal_before_and_after_compacting(store: Path) -> None:
    leave_log(store)
    tables = ("outcomes", "coalitions", "ablation", "runs", "estimators")
    before = [cornerstone("results", table, "--store", store, "--format", "json").stdout for table in tables]
    assert len(before[0]) > len(before[1]) > 1000
    done = cornerstone("store", "compact", store)
    assert done.returncode == 0
    assert "MB before, " in done.stdout
    after = [cornerstone("results", table, "--store", store, "--format", "json").stdout for table in tables]
    assert after == before


@pytest.mark.slow
def test_compacting_says_that_it_mended_an_index(store: Path) -> None:
    index = index_blocks(store)[0]
    wipe(store, index + 50, 100)
    assert cornerstone("store", "check", store).returncode == 1
    done = cornerstone("store", "compact", store)
    assert done.returncode == 0
    assert done.stderr.startswith(f"a part of it was damaged (at byte {index}) and held no rows")
    assert cornerstone("store", "check", store).returncode == 0
    assert cornerstone("store", "compact", store).stderr == ""


@pytest.mark.slow
def test_results_of_two_merged_halves_are_those_of_the_whole(tmp_path: Path) -> None:
    coalitions: list[Removed] = [(), *((at,) for at in range(6)), *((at, at + 1) for at in range(5))]
    for name, docs in (("whole", range(24)), ("one", range(12)), ("two", range(12, 24))):
        asked = assignment(documents(docs), coalitions)
        kept = [
            outcome(document.key, removed, float((document.doc_id + sum(removed)) % 3 == 0))
            for document in asked.documents
            for removed in coalitions
        ]
        keep(tmp_path / name, asked, kept, run_id=name)
    done = cornerstone("store", "merge", tmp_path / "one", tmp_path / "two", "-o", tmp_path / "both")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        f"{tmp_path / 'one'}: 144 outcomes, 144 of them new",
        f"{tmp_path / 'two'}: 144 outcomes, 144 of them new",
        f"{tmp_path / 'both'}: 288 outcomes",
    ]
    options = {"shapley": ("--max-removed", "2"), "interactions": ("--max-removed", "2")}
    for table in TABLES:
        rows = [
            sorted(read(tmp_path / name, table, *options.get(table, ())), key=json.dumps) for name in ("both", "whole")
        ]
        assert rows[0] == rows[1], table
        assert rows[0], table


@pytest.mark.slow
def test_a_contradiction_refuses_the_merge(store: Path, tmp_path: Path) -> None:
    make_store(tmp_path / "other", seed=1, run_id="run9")
    done = cornerstone("store", "merge", store, tmp_path / "other", "-o", tmp_path / "both")
    assert (done.returncode, done.stdout) == (2, "")
    for said in ("contradicts", "tiny", "capitals", "doc-0", "intact", "nothing was merged"):
        assert said in done.stderr
    assert not (tmp_path / "both").exists()


def test_merge_takes_two_stores_and_a_new_one(store: Path, tmp_path: Path) -> None:
    for arguments, said in (
        ([store, "-o", tmp_path / "both"], "two stores or more"),
        ([], "missing"),
        ([store, store], "output"),
    ):
        done = cornerstone("store", "merge", *arguments)
        assert done.returncode == 2
        assert said in done.stderr.lower()
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["check", "compact"])
def test_a_store_in_use_is_told_after_the_wait(store: Path, command: str) -> None:
    with held(store):
        done = cornerstone("store", command, store, "--wait", "0.1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "in use by another program" in done.stderr
