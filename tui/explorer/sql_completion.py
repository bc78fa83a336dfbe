"""Completion of a query: the tables and columns of a store, and the words of SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from store.file.schema import COLUMNS

_WORD = re.compile(r"(?:(\w+)\.)?(\w*)$")
_TABLE = re.compile(r"\b(?:from|join)\s+(\w+)(?:\s+(?:as\s+)?(\w+))?", re.IGNORECASE)
_AFTER_TABLE = re.compile(r"\b(?:from|join)\s+(?:\w+(?:\s+(?:as\s+)?\w+)?\s*,\s*)*\w*$", re.IGNORECASE)
_IN_QUOTES = re.compile(r"^(?:[^']|'[^']*')*'[^']*$", re.DOTALL)

_WORDS: Final = (
    *(
        "SELECT",
        "FROM",
        "WHERE",
        "GROUP BY",
        "ORDER BY",
        "LIMIT",
        "JOIN",
        "LEFT JOIN",
        "USING",
        "ON",
        "AS",
        "AND",
        "OR",
    ),
    *(
        "NOT",
        "NULL",
        "IS",
        "IN",
        "LIKE",
        "BETWEEN",
        "HAVING",
        "DISTINCT",
        "DESC",
        "CASE",
        "WHEN",
        "THEN",
        "ELSE",
        "END",
    ),
    *("WITH", "UNION ALL", "DESCRIBE", "SUMMARIZE", "EXPLAIN", "QUALIFY", "OVER", "PARTITION BY", "FILTER"),
    *(
        "count(",
        "avg(",
        "sum(",
        "min(",
        "max(",
        "median(",
        "stddev(",
        "round(",
        "len(",
        "list(",
        "unnest(",
        "any_value(",
    ),
    *("list_contains(", "quantile_cont(", "row_number(", "coalesce("),
)
_NO_NAMES: Final = frozenset(word.casefold() for words in _WORDS for word in words.split())
"""Words that come after a table and are no other name of it."""


def completions(before: str, after: str = "") -> tuple[str, ...]:
    """Return what may stand in place of the word that ends ``before``, the likeliest first.

    Args:
        before: the query as far as the cursor.
        after: the rest of the query.
    """
    found = _WORD.search(before)
    if found is None or _IN_QUOTES.match(before):
        return ()
    table, begun = found[1], found[2]
    named = dict(_named(before[: found.start()] + " " + after))
    if table is not None:
        columns = _columns(named.get(table.casefold(), table.casefold()))
        return tuple(column for column in columns if column.startswith(begun.casefold()))
    if _AFTER_TABLE.search(before):
        return tuple(name for name in COLUMNS if name.startswith(begun.casefold()))
    return tuple(dict.fromkeys(_matching(begun, named.values()))) if begun else ()


def word_before(before: str) -> str:
    """Return the word that ends a text, which a completion replaces."""
    found = _WORD.search(before)
    return "" if found is None else found[2]


def _named(query: str) -> Iterator[tuple[str, str]]:
    """Yield each table of a query, by its own name and by the other that it is given."""
    for table, other in _TABLE.findall(query):
        if table.casefold() in COLUMNS:
            yield table.casefold(), table.casefold()
            if other and other.casefold() not in _NO_NAMES:
                yield other.casefold(), table.casefold()


def _columns(table: str) -> tuple[str, ...]:
    return tuple(column for column, _ in COLUMNS.get(table, ()))


def _matching(begun: str, tables: Iterable[str]) -> Iterator[str]:
    """Yield columns of the tables that the query names, tables, words, and then columns of other tables."""
    sought = begun.casefold()
    of_query = [column for table in tables for column in _columns(table)]
    others = [column for table in COLUMNS for column in _columns(table)]
    for word in (*of_query, *COLUMNS, *_WORDS, *others):
        if word.casefold().startswith(sought) and word.casefold() != sought:
            yield word
