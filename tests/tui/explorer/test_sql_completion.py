"""Completion of tables, columns and words; and the queries that were run before."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.explorer.sql_completion import completions
from tui.explorer.sql_history import history_path, past_queries, remember_query


@pytest.mark.parametrize(
    ("before", "after", "first"),
    [
        ("SEL", "", ["SELECT"]),
        ("select * from out", "", ["outcomes"]),
        ("select * from ", "", ["meta", "models"]),
        ("SELECT * FROM outcomes JOIN coal", "", ["coalitions"]),
        ("SELECT rem", " FROM coalitions", ["removed"]),
        ("SELECT o.ac", " FROM outcomes o", ["acc", "acc_norm"]),
        ("SELECT outcomes.lo", " FROM outcomes", ["logprobs"]),
        ("SELECT x FROM outcomes AS o WHERE o.is", "", ["is_greedy"]),
        ("SELECT FR", "", ["FROM"]),
        ("SELECT av", "", ["avg("]),
        ("SELECT zz", "", []),
        ("SELECT o.zz", " FROM outcomes o", []),
        ("SELECT ", "", []),
        ("SELECT 'acc", " FROM outcomes", []),
        ("SELECT 'it' AS ac", " FROM outcomes", ["acc", "acc_norm"]),
    ],
)
def test_the_likeliest_words_come_first(before: str, after: str, first: list[str]) -> None:
    found = completions(before, after)
    assert list(found[: len(first)]) == first
    assert bool(found) == bool(first)


def test_queries_are_kept_once_the_latest_last() -> None:
    for query in ("SELECT 1", "SELECT 2", "SELECT 1", "x" * 20_000):
        remember_query(query)
    assert past_queries() == ("SELECT 2", "SELECT 1")
    assert history_path().stat().st_mode & 0o777 == 0o600


def test_a_long_history_is_cut_so_that_it_can_be_read() -> None:
    for number in range(40):
        remember_query(f"{number}" + "\n" * 9000)
    kept = past_queries()
    assert kept[-1].strip() == "39"
    assert 5 < len(kept) < 40


def test_a_history_that_cannot_be_read_or_written_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember_query("SELECT 1")
    history_path().write_text('{"no": "list"}')
    assert past_queries() == ()
    history_path().write_bytes(b"\xff")
    assert past_queries() == ()
    remember_query("SELECT 2")
    assert past_queries() == ("SELECT 2",)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    remember_query("SELECT 3")
    assert past_queries() == ()
