"""Results of one model in several number formats, and the numbers of the table `formats` by plain arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median

import duckdb
import numpy as np
from scipy import stats

from core.coalitions.players import Removed
from core.records.records import DocumentRecord, ModelRecord, Outcome
from tests.support.store_records import assignment, documents, keep, model, outcome, to_run

Raw = dict[tuple[str, Removed], tuple[list[float], float]]
"""The log-probabilities and the accuracy of each document, by its key, under each coalition."""

Scores = dict[tuple[str, Removed], float]

FORMATS = ("float32", "bfloat16", "float16")


def drawn(dtype: str) -> Callable[[DocumentRecord, Removed], Outcome]:
    """Return outcomes that are drawn by document and coalition, and moved a little by the format."""

    def of(document: DocumentRecord, removed: Removed) -> Outcome:
        drawn_by = np.random.default_rng([document.doc_id, len(removed), *removed])
        logprobs = -3 + drawn_by.normal(size=4) - 0.7 * np.isin(np.arange(4), document.gold) * sum(removed)
        moved = np.random.default_rng([FORMATS.index(dtype), document.doc_id, len(removed), *removed])
        logprobs += 0 if dtype == "float32" else 0.3 * moved.normal(size=4)
        right = float(int(logprobs.argmax()) == document.gold[0])
        return outcome(document.key, removed, right, logprobs=logprobs.tolist())

    return of


def stored(
    path: Path, dtype: str, doc_ids: Iterable[int], sets: Sequence[Removed], of: ModelRecord | None = None
) -> None:
    """Store a run of the model in a format."""
    asked = assignment(documents(doc_ids), sets, of_model=of or model(dtype=dtype))
    kept = [drawn(dtype)(document, removed) for removed in sets for document in asked.documents]
    run = f"{dtype} of {asked.model.fingerprint[:8]}"
    keep(path, asked, kept, run_id=run, config=to_run(dtype=dtype, schedule="windows"))


def raw(path: Path, dtype: str) -> Raw:
    """Read a format's outcomes with a query of our own."""
    with duckdb.connect(str(path), read_only=True) as db:
        rows = db.execute(
            """SELECT d.key, c.removed, o.logprobs, o.acc FROM outcomes o JOIN models m ON m.model = o.model
            JOIN documents d ON d.document = o.document JOIN coalitions c ON c.coalition = o.coalition
            WHERE m.dtype = ?""",
            [dtype],
        ).fetchall()
    return {(key, tuple(removed)): (logprobs, acc) for key, removed, logprobs, acc in rows}


def gold(path: Path) -> dict[str, int]:
    """Read the right choice of each document by its key."""
    with duckdb.connect(str(path), read_only=True) as db:
        return {key: right[0] for key, right in db.execute("SELECT key, gold FROM documents").fetchall()}


def counted(path: Path, reference: str, other: str) -> dict[str, float]:
    """Count the flips of two formats by acc, and how far their log-probabilities differ."""
    one, two, right = raw(path, reference), raw(path, other), gold(path)
    both = [(one[key], two[key], right[key[0]]) for key in one if key in two]
    differences = [abs(a[0][g] - b[0][g]) for a, b, g in both]
    flips = sum(a[1] != b[1] for a, b, _ in both)
    return {
        "documents": len({key for key, _ in one if any(k == key for k, _ in two)}),
        "coalitions": len({removed for _, removed in set(one) & set(two)}),
        "outcomes": len(both),
        "flips": flips,
        "flip_share": flips / len(both),
        "logprob_median": median(differences),
        "logprob_largest": max(differences),
    }


def by_windows(
    path: Path, formats: tuple[str, str], players: int, longest: int, value: str = "acc"
) -> dict[str, float]:
    """Compute the columns on Shapley values: each a mean of what a player adds as the first of its window.

    ``value`` is acc or gold_logprob. ``common`` is of the three largest, and right only if no players tie.
    """
    right = gold(path)
    found = []
    for dtype in formats:
        outcomes = raw(path, dtype)
        of = {key: acc if value == "acc" else logprobs[right[key[0]]] for key, (logprobs, acc) in outcomes.items()}
        found.append(_phi(of, players, longest))
    shared = sorted(set(found[0]) & set(found[1]))
    one, two = (np.array([each[key] for key in shared]) for each in found)  # documents by players
    phi, moved = one.mean(axis=0), two.mean(axis=0)
    top, other = (set(np.argsort(-each)[:3]) for each in (phi, moved))
    return {
        "n": len(shared),
        "phi_difference": float(np.abs(phi - moved).max()),
        "phi_se": float(np.median(one.std(axis=0, ddof=1) / np.sqrt(len(shared)))),
        "rho": float(stats.spearmanr(np.round(phi, 12), np.round(moved, 12)).statistic),
        "common": len(top & other),
    }


def _phi(outcomes: Scores, players: int, longest: int) -> dict[str, list[float]]:
    """Return what each player adds on each document that has all windows."""
    found = {}
    for key in {key for key, _ in outcomes}:
        try:
            found[key] = [_adds(outcomes, key, player, players, longest) for player in range(players)]
        except KeyError:
            continue
    return found


def _adds(outcomes: Scores, key: str, player: int, players: int, longest: int) -> float:
    ends = range(player + 1, min(player + longest, players) + 1)
    terms = [outcomes[key, tuple(range(player + 1, end))] - outcomes[key, tuple(range(player, end))] for end in ends]
    return sum(terms) / len(terms)
