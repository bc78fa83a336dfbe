"""A table of one value of some documents by coalition, filled as outcomes arrive."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from core.coalitions.players import Removed
from core.records.records import DocumentRecord, Outcome, StoredValues
from core.statistics.intervals import FloatArray
from core.statistics.ratio import Ratio
from core.values.corpus import corpus_value, pair_of
from core.values.derived import Answers, derive, is_derived, lengths_of


class ValueTable:
    """One value of documents, in the order given. A document that occurs twice counts twice.

    ``scores`` maps each removed set to an array of shape (documents,), NaN where a document was not evaluated. Where a
    derived value (``core.values.derived``) of a document is not finite under one removed set, it is NaN under all.

    For a value of the corpus (``core.values.corpus``), ``scores`` holds the documents' gains, and ``ratio`` says what
    they come to. One that is not finite is treated in the same way.
    """

    def __init__(self, documents: Sequence[DocumentRecord], value: str, mean_metrics: Sequence[str]) -> None:
        self.value = value
        self.scores: dict[Removed, FloatArray] = {}
        self._there: dict[Removed, NDArray[np.bool_]] = {}
        self._derived = is_derived(value, mean_metrics)
        self._keys = tuple(document.key for document in documents)
        self._places: defaultdict[str, list[int]] = defaultdict(list)
        for place, key in enumerate(self._keys):
            self._places[key].append(place)
        self._documents = {document.key: document for document in documents}
        self._dropped = np.zeros(len(documents), dtype=np.bool_)
        self._corpus = corpus_value(value)
        self._weights = np.full(len(documents), np.nan)

    @property
    def size(self) -> int:
        """The number of documents."""
        return len(self._keys)

    @property
    def ratio(self) -> Ratio | None:
        """How the documents make the value of their corpus; None where it is a mean over them."""
        return None if self._corpus is None else self._corpus.ratio(self._weights)

    def holds(self, documents: Sequence[DocumentRecord]) -> bool:
        """Return whether the table has every one of these documents."""
        return all(document.key in self._documents for document in documents)

    def load(self, stored: StoredValues) -> None:
        """Take stored values; those of other documents are ignored."""
        aligned = stored.aligned(self._keys)
        everywhere = np.arange(len(self._keys), dtype=np.intp)
        if aligned.weights is not None:
            self._weights = np.where(np.isnan(aligned.weights), self._weights, aligned.weights)
        for removed, values, there in zip(aligned.removed, aligned.values, aligned.there, strict=True):
            if there.any():
                self._put(removed, everywhere, values, there)

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Take new outcomes; those of other documents are ignored."""
        known = [outcome for outcome in outcomes if outcome.document in self._documents]
        found: defaultdict[Removed, dict[int, float]] = defaultdict(dict)
        for outcome, value in zip(known, self._values(known).tolist(), strict=True):
            found[outcome.removed].update(dict.fromkeys(self._places[outcome.document], value))
        for removed, values in found.items():
            places = np.fromiter(values, dtype=np.intp)
            self._put(removed, places, np.array(list(values.values())), np.ones(len(values), dtype=np.bool_))

    def evaluated(
        self, documents: Sequence[DocumentRecord], coalitions: Sequence[Removed]
    ) -> dict[str, frozenset[Removed]]:
        """Return, by document key, which of the coalitions the document was evaluated under."""
        rows = [(removed, self._there[removed]) for removed in coalitions if removed in self._there]
        return {
            document.key: frozenset(removed for removed, there in rows if there[self._places[document.key][0]])
            for document in documents
        }

    def stored(self, documents: Sequence[DocumentRecord]) -> StoredValues:
        """Return the values of some of the table's documents, in a recorder's form."""
        keys = tuple(dict.fromkeys(document.key for document in documents))
        places = [self._places[key][0] for key in keys]
        sets = tuple(self.scores)
        shape = (len(sets), len(keys))
        return StoredValues(
            sets,
            keys,
            np.array([self.scores[removed][places] for removed in sets]).reshape(shape),
            np.array([self._there[removed][places] for removed in sets], dtype=np.bool_).reshape(shape),
            None if self._corpus is None else self._weights[places],
        )

    def reached(self, coalitions: Sequence[Removed]) -> int:
        """Return how many documents, from the first on, were evaluated under all of the coalitions."""
        rows = [self._there[removed] for removed in coalitions if removed in self._there]
        if len(rows) < len(coalitions):
            return 0
        everywhere = np.logical_and.reduce(rows)
        return len(everywhere) if everywhere.all() else int(everywhere.argmin())

    def having(self) -> NDArray[np.bool_]:
        """Return which documents have the value wherever they were evaluated, shape (documents,)."""
        lacks = [there & np.isnan(self.scores[removed]) for removed, there in self._there.items()]
        return ~np.logical_or.reduce(lacks) if lacks else np.ones(self.size, dtype=np.bool_)

    def complete(self) -> tuple[Mapping[Removed, FloatArray], Ratio | None]:
        """Return the removed sets under which every document was evaluated, over the documents that have the value.

        A document has the value where it is not NaN under any of those sets. Beside them is ``ratio`` of these
        documents. It is left to the reader to make the value of their corpus of what is read, as others of the sets may
        be too large for that.
        """
        sets = [removed for removed, there in self._there.items() if there.all()]
        if not sets:
            return {}, self.ratio
        matrix = np.stack([self.scores[removed] for removed in sets])
        having: NDArray[np.bool_] = np.asarray(~np.isnan(matrix).any(axis=0))
        ratio = None if self.ratio is None else self.ratio.at(having)
        return dict(zip(sets, matrix[:, having], strict=True)), ratio

    def _values(self, outcomes: Sequence[Outcome]) -> FloatArray:
        if self._corpus is not None:
            pairs = [pair_of(outcome.other.get(self.value)) for outcome in outcomes]
            for outcome, (_, weight) in zip(outcomes, pairs, strict=True):
                if not np.isnan(weight):
                    self._weights[self._places[outcome.document]] = weight
            return self._corpus.gain(np.array([loglikelihood for loglikelihood, _ in pairs], dtype=np.float64))
        if not self._derived:
            found = np.array([outcome.metrics.get(self.value, np.nan) for outcome in outcomes], dtype=np.float64)
            return np.where(np.isfinite(found), found, np.nan)
        documents = [self._documents[outcome.document] for outcome in outcomes]
        logprobs = np.full((len(outcomes), max((len(d.choices) for d in documents), default=0)), np.nan)
        for row, outcome, document in zip(logprobs, outcomes, documents, strict=True):
            row[: len(document.choices)] = outcome.logprobs[: len(document.choices)]
        answers = Answers.of([(document.gold, lengths_of(document.choices)) for document in documents])
        return derive(self.value, logprobs, answers)

    def _put(self, removed: Removed, places: NDArray[np.intp], values: FloatArray, there: NDArray[np.bool_]) -> None:
        if removed not in self.scores:
            self.scores[removed] = np.full(len(self._dropped), np.nan)
            self._there[removed] = np.zeros(len(self._dropped), dtype=np.bool_)
        self._there[removed][places] |= there
        self.scores[removed][places] = np.where(there, values, self.scores[removed][places])
        if self._derived or self._corpus is not None:
            self._drop(places[there & ~np.isfinite(values)])
            self.scores[removed][self._dropped] = np.nan

    def _drop(self, places: NDArray[np.intp]) -> None:
        if not self._dropped[places].all():
            self._dropped[places] = True
            for values in self.scores.values():
                values[self._dropped] = np.nan
