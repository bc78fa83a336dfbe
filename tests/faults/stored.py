"""What a store holds, read with DuckDB alone, so that no fault of the product's own reading hides a loss."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from core.bench.comparison import TOLERANCE
from core.records.records import Outcome
from tests.faults.work import Identity

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {"threads": 1, "memory_limit": "1GB"}
# A run that goes on after a kill, or with workers, packs its batches in another way, which changes the last digits.
# Without the first layer the default model makes .0005 of them in float32, so that two runs differ by .0009.
_ABSOLUTE, _RELATIVE = TOLERANCE
_SELECT = """
    SELECT m.fingerprint, t.fingerprint, d.key, c.removed, o.logprobs, o.is_greedy, o.acc, o.acc_norm, o.other
    FROM outcomes o JOIN models m USING (model) JOIN documents d USING (document) JOIN tasks t USING (task)
    JOIN coalitions c USING (coalition)
"""


@dataclass(frozen=True, slots=True)
class Value:
    """The numbers of one outcome."""

    logprobs: tuple[float, ...]
    is_greedy: tuple[bool, ...]
    acc: float | None
    acc_norm: float | None
    other: str

    def equals(self, other: Value) -> bool:
        """Return whether the numbers are the same, up to rounding."""
        return (
            (self.is_greedy, self.acc, self.acc_norm) == (other.is_greedy, other.acc, other.acc_norm)
            and len(self.logprobs) == len(other.logprobs)
            and all(
                math.isclose(one, two, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
                for one, two in zip(self.logprobs, other.logprobs, strict=True)
            )
        )


@dataclass(frozen=True, slots=True)
class Stored:
    """The outcomes of a store, and how many rows of it repeat one of them."""

    outcomes: Mapping[Identity, Value]
    repeated: int = 0


def stored(path: Path) -> Stored:
    """Read a store; one that does not exist, or that holds no tables yet, has no outcomes.

    Raises:
        duckdb.Error: it cannot be read.
    """
    if not path.exists() or not path.stat().st_size:
        return Stored({})
    with duckdb.connect(str(path), read_only=True, config=_SETTINGS) as db:
        if not db.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'outcomes'").fetchall():
            return Stored({})
        rows = db.execute(_SELECT).fetchall()
        (count,) = db.execute("SELECT count(*) FROM outcomes").fetchone() or (0,)
    found: dict[Identity, Value] = {}
    for model, task, key, removed, logprobs, greedy, acc, acc_norm, other in rows:
        found[model, task, key, tuple(removed)] = Value(tuple(logprobs), tuple(greedy), acc, acc_norm, other or "null")
    return Stored(found, max(len(rows), int(count)) - len(found))


def value_of(outcome: Outcome) -> Value:
    """Return the numbers of an outcome that is to be recorded."""
    other = json.dumps(outcome.other or None)
    return Value(
        outcome.logprobs, outcome.is_greedy, outcome.metrics.get("acc"), outcome.metrics.get("acc_norm"), other
    )


def values_of(outcomes: Mapping[Identity, Outcome]) -> dict[Identity, Value]:
    """Return the numbers of outcomes that are to be recorded, by what they belong to."""
    return {identity: value_of(outcome) for identity, outcome in outcomes.items()}


def lost(expected: Iterable[Identity], there: Stored) -> int:
    """Count expected outcomes that are not there."""
    return sum(identity not in there.outcomes for identity in expected)


def changed(expected: Mapping[Identity, Value], there: Stored) -> int:
    """Count outcomes that are there and have other numbers than expected."""
    return sum(
        identity in there.outcomes and not there.outcomes[identity].equals(value)
        for identity, value in expected.items()
    )


def unexpected(expected: Mapping[Identity, Value], there: Stored) -> int:
    """Count outcomes that are there and not expected."""
    return sum(identity not in expected for identity in there.outcomes)
