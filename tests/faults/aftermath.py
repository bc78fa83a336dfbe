"""What must hold after a fault: what was safe is there once, the store opens, and the next run completes it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import duckdb

from store.results import Results
from tests.faults.endings import ended_well, spoken
from tests.faults.stored import Stored, Value, changed, lost, stored, unexpected
from tests.faults.verdict import Findings
from tests.faults.work import Identity


def check_now(findings: Findings, store: Path, safe: Iterable[Identity]) -> None:
    """Check a store right after the fault: what was acknowledged is there exactly once, and it opens."""
    safe = set(safe)
    try:
        there = stored(store)
    except duckdb.Error as error:
        findings.wrong.append(f"right after it DuckDB cannot read the store: {error}")
        there = Stored({})
    findings.missed(lost(safe, there), there.repeated)
    if not safe and not there.outcomes:
        return  # there may be no store yet
    try:
        results = Results(store)
        results.runs()
        results.outcomes()
    except Exception as error:  # noqa: BLE001 whatever it is, it is what the case finds
        findings.wrong.append(f"right after it Results does not open: {spoken(error) or error}")


def check_completed(
    findings: Findings,
    store: Path,
    again: Callable[[], subprocess.CompletedProcess[str]],
    expected: Mapping[Identity, Value],
) -> None:
    """Check that the next run completes, and that the store then equals that of an undisturbed run."""
    findings.ending("the next run", ended_well(again()))
    try:
        there = stored(store)
    except duckdb.Error as error:
        findings.wrong.append(f"after the next run DuckDB cannot read the store: {error}")
        there = Stored({})
    findings.missed(lost(expected, there), there.repeated)
    if count := changed(expected, there):
        findings.wrong.append(f"{count} outcomes have other numbers than those of an undisturbed run")
    if count := unexpected(expected, there):
        findings.wrong.append(f"{count} outcomes are stored that an undisturbed run does not have")
