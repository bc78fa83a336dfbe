"""Evaluate documents under coalitions chunk by chunk: as many documents as fit, fewer once memory runs out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TypeVar

import numpy as np
import torch

from core.coalitions.players import Removed
from core.engine.encoding import RequestEncoder
from core.engine.headroom import Headroom
from core.engine.intact_states import IntactStates
from core.engine.load import LoadedModel
from core.engine.neighbours import Bundle, unspoiled
from core.engine.packing import Row, pack, packed_length
from core.engine.scoring import Scores, joined
from core.engine.sizes import SweepSizes
from core.engine.sweep import OnBatch, sweep_rows
from core.errors import CornerstoneError
from core.records.records import Outcome
from core.tasks.prepare import Document, PreparedTask
from core.tasks.templates import compiled_once

_LONGEST_ROW = 512
"""Attention grows with the square of a row's length."""

_OUT_OF_MEMORY = (
    "can't allocate memory",
    "Cannot allocate memory",
    "out of memory",
    "could not create a primitive",
    "STATUS_ALLOC_FAILED",
    "std::bad_alloc",
)

_Part = TypeVar("_Part")


class ChunkEvaluator:
    """Evaluates a model on documents; the chunks become smaller, and stay so, when memory runs out."""

    def __init__(
        self, model: LoadedModel, encoder: RequestEncoder, sizes: SweepSizes, intact: IntactStates | None = None
    ) -> None:
        """Make an evaluator.

        Args:
            model: the model.
            encoder: the encoder that made the requests of the documents.
            sizes: how many tokens a row, a batch and a chunk have at most.
            intact: keeps the intact model's states, for few documents that are evaluated often.
        """
        self.model = model
        self._max_length = encoder.max_length
        self._encoder = encoder
        self._decoder = model.decoder(laid_out=sizes.laid_out)
        self._sizes = sizes
        self._intact = intact
        self._headroom = Headroom(model.model)
        self._ran_short = False

    def missing(
        self,
        task: PreparedTask,
        coalitions: Sequence[Removed],
        stored: Mapping[str, frozenset[Removed]],
        on_batch: OnBatch,
    ) -> Iterator[list[Outcome] | SweepSizes]:
        """Yield missing outcomes chunk by chunk and, once, the reduced sizes when memory first runs out.

        Args:
            task: its documents are evaluated in their order; a repeated document is evaluated once.
            coalitions: the coalitions to evaluate the documents under.
            stored: by document key, the coalitions whose outcomes are already there.
            on_batch: called between layer batches with how many outcomes of the chunk in flight are done; what it
                raises ends the work.

        Raises:
            CornerstoneError: the memory does not suffice for one document under one coalition, or the weights were
                overwritten meanwhile.
        """
        waiting: deque[_Chunk] = deque()
        for chunk in self._chunks(task, coalitions, stored):
            waiting.append(chunk)
            while waiting:
                part = waiting.popleft()
                outcomes = self._evaluated(task, part, on_batch)
                if outcomes is not None:
                    self.model.in_use.refuse_changed()
                    yield outcomes
                    continue
                waiting.extendleft(reversed(list(self._fitting(part.documents, part.coalitions))))
                if not self._ran_short:
                    yield self._sizes
                self._ran_short = True

    def _chunks(
        self, task: PreparedTask, coalitions: Sequence[Removed], stored: Mapping[str, frozenset[Removed]]
    ) -> Iterator[_Chunk]:
        """Yield chunks of documents that lack the same coalitions, in the order of the task."""

        def missing(document: Document) -> tuple[Removed, ...]:
            there = stored.get(document.record.key, frozenset())
            return tuple(removed for removed in coalitions if removed not in there)

        once = {document.record.key: document for document in task.documents}
        for lacking, documents in groupby(once.values(), key=missing):
            if lacking:
                yield from self._fitting(documents, lacking)

    def _fitting(self, documents: Iterable[Document], coalitions: tuple[Removed, ...]) -> Iterator[_Chunk]:
        """Yield chunks of as many documents as the sizes allow."""
        most = max(self._sizes.chunk_tokens, self._row_tokens(coalitions))
        most = min(most, self._sizes.state_tokens // len(coalitions))
        for fitting in _grouped(documents, most, self._tokens):
            yield _Chunk(tuple(fitting), coalitions)

    def _tokens(self, document: Document) -> int:
        """Return how many tokens a document has, with those that the model may write."""
        return document.prompt.max_length if document.prompt is not None else sum(map(self._length, document.bundles))

    def _length(self, bundle: Bundle) -> int:
        return packed_length(bundle, self._max_length, share=self.model.layout.shares)

    def _row_tokens(self, coalitions: Sequence[Removed]) -> int:
        """Return the most tokens of a row: few coalitions fill a batch only in longer rows."""
        return max(self._sizes.row_tokens, min(self._sizes.batch_tokens // len(coalitions), _LONGEST_ROW))

    def _evaluated(self, task: PreparedTask, chunk: _Chunk, on_batch: OnBatch) -> list[Outcome] | None:
        """Return the outcomes of a chunk; None, with the sizes halved from now on, where memory ran out or would.

        Raises:
            CornerstoneError: the sizes cannot be halved any more.
        """
        short: Exception | None = None
        try:
            if self._fits(chunk):
                return self._evaluate(task, chunk, on_batch)
        except (RuntimeError, MemoryError) as error:
            if not _is_out_of_memory(error):
                raise
            short = error
        smaller = self._sizes.halved()
        if smaller is None:
            name = self.model.record.name
            raise CornerstoneError(f"the memory does not suffice to evaluate one document on {name}") from short
        self._sizes = smaller
        return None

    def _fits(self, chunk: _Chunk) -> bool:
        """Return whether the free memory suffices for a chunk."""
        tokens = sum(map(self._tokens, chunk.documents))
        states = min(tokens * len(chunk.coalitions), max(self._sizes.state_tokens, tokens))
        return self._headroom.suffices(self._sizes, states)

    def _evaluate(self, task: PreparedTask, chunk: _Chunk, on_batch: OnBatch) -> list[Outcome]:
        if chunk.documents[0].prompt is not None:
            return list(self._written(task, chunk, on_batch))
        bundles = [bundle for document in chunk.documents for bundle in document.bundles]
        groups = list(_grouped(bundles, self._row_tokens(chunk.coalitions), self._length))
        rows = [pack(group, self._max_length) for group in groups]
        outcomes: list[Outcome] = []
        step = max(1, self._sizes.state_tokens // sum(map(len, rows)))
        for start in range(0, len(chunk.coalitions), step):
            coalitions = chunk.coalitions[start : start + step]
            part = _in_outcomes(on_batch, len(outcomes), len(coalitions) * len(chunk.documents))
            swept = self._swept(rows, coalitions, part)
            scores = unspoiled(groups, swept, partial(self._alone, coalitions, part))
            with compiled_once():
                outcomes += _outcomes(task, chunk.documents, coalitions, scores)
        if self._intact is not None:
            self._intact.trim()
        return outcomes

    def _written(self, task: PreparedTask, chunk: _Chunk, on_batch: OnBatch) -> Iterator[Outcome]:
        """Yield the outcomes of a chunk for which the model writes texts, document by document."""
        generator = self.model.generator
        for number, document in enumerate(chunk.documents):
            assert document.prompt is not None
            part = _in_outcomes(on_batch, number * len(chunk.coalitions), len(chunk.coalitions))
            found = generator.continuations(document.prompt, chunk.coalitions, self._encoder, self._sizes, part)
            with compiled_once():
                for removed, continuation in zip(chunk.coalitions, found, strict=True):
                    text = self._encoder.text(document.instances[0], continuation.tokens)
                    yield task.written(document, removed, text if continuation.sound else None)

    def _alone(
        self, coalitions: Sequence[Removed], on_batch: OnBatch, bundles: Sequence[Bundle], under: Sequence[int]
    ) -> Scores:
        """Score each bundle in a row of its own, under some of the coalitions that are done already."""
        rows = [pack([bundle], self._max_length) for bundle in bundles]
        return self._swept(rows, [coalitions[index] for index in under], lambda _part: on_batch(1.0))

    def _swept(self, rows: Sequence[Row], coalitions: Sequence[Removed], on_batch: OnBatch) -> Scores:
        scores = sweep_rows(
            self._decoder,
            rows,
            coalitions,
            batch_tokens=self._sizes.batch_tokens,
            on_batch=on_batch,
            intact=self._intact,
        )
        return joined(scores)


@dataclass(frozen=True, slots=True)
class _Chunk:
    documents: tuple[Document, ...]
    coalitions: tuple[Removed, ...]


def _is_out_of_memory(error: Exception) -> bool:
    """Return whether memory ran out.

    Torch has a class for full CUDA devices, and messages for host, MPS and oneDNN's code; numpy has a class of its own.
    """
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(words in str(error) for words in _OUT_OF_MEMORY)


def _in_outcomes(on_batch: OnBatch, before: int, size: int) -> OnBatch:
    """Return a callback that turns a sweep's part, 0 to 1, into outcomes: those before, and a part of ``size``."""
    return lambda part: on_batch(before + part * size)


def _grouped(parts: Iterable[_Part], most_tokens: int, length: Callable[[_Part], int]) -> Iterator[list[_Part]]:
    """Yield neighbouring parts in groups of at most so many tokens; a longer part is alone."""
    group: list[_Part] = []
    used = 0
    for part in parts:
        tokens = length(part)
        if group and used + tokens > most_tokens:
            yield group
            group, used = [], 0
        group.append(part)
        used += tokens
    if group:
        yield group


def _outcomes(
    task: PreparedTask, documents: Sequence[Document], coalitions: Sequence[Removed], scores: Scores
) -> Iterator[Outcome]:
    """Yield the outcomes of documents whose continuations are scored one after the other."""
    ends = np.cumsum([len(document.continuations) for document in documents])
    assert ends[-1] == scores.logprobs.shape[1]
    for index, removed in enumerate(coalitions):
        logprobs, is_greedy = scores.logprobs[index], scores.is_greedy[index]
        each = zip(np.split(logprobs, ends[:-1]), np.split(is_greedy, ends[:-1]), strict=True)
        for document, (scored, greedy) in zip(documents, each, strict=True):
            yield task.outcome(document, removed, scored.tolist(), greedy.tolist())
