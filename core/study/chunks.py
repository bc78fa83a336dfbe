"""Evaluate documents under coalitions chunk by chunk: as many documents as fit, fewer once memory runs out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import repeat

import numpy as np
import torch

from core.coalitions.players import Removed
from core.engine.encoding import RequestEncoder
from core.engine.headroom import Headroom
from core.engine.intact_states import IntactStates
from core.engine.load import LoadedModel
from core.engine.neighbours import Bundle, unspoiled
from core.engine.packing import Row, pack
from core.engine.scoring import Scores, joined
from core.engine.sweep import OnBatch, sweep_rows
from core.engine.sweep_sizes import SweepSizes
from core.errors import CornerstoneError
from core.records.records import ModelRecord, Outcome
from core.study.cutting import ANY, Chunk, Cutting, grouped
from core.study.first_chunks import growing
from core.tasks.prepare import Document, PreparedTask
from core.tasks.templates import compiled_once

_OUT_OF_MEMORY = (
    "can't allocate memory",
    "Cannot allocate memory",
    "out of memory",
    "could not create a primitive",
    "STATUS_ALLOC_FAILED",
    "std::bad_alloc",
)


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
        self._cutting = Cutting(model, encoder.max_length, sizes)
        self._intact = intact
        self._headroom = Headroom(model.model)
        self._ran_short = False

    @property
    def record(self) -> ModelRecord:
        return self.model.record

    @property
    def sizes(self) -> SweepSizes:
        """The sizes from now on, which are smaller once memory ran out."""
        return self._cutting.sizes

    def missing(
        self,
        task: PreparedTask,
        coalitions: Sequence[Removed],
        stored: Mapping[str, frozenset[Removed]],
        on_batch: OnBatch,
        *,
        small_first: bool = False,
        in_order: bool = True,
    ) -> Iterator[list[Outcome] | SweepSizes]:
        """Yield missing outcomes chunk by chunk and, once, the reduced sizes when memory first runs out.

        Args:
            task: its documents are evaluated in their order; a repeated document is evaluated once.
            coalitions: the coalitions to evaluate the documents under.
            stored: by document key, the coalitions whose outcomes are already there.
            on_batch: called between layer batches with how many outcomes of the chunk in flight are done; what it
                raises ends the work.
            small_first: begin with chunks of few documents. Not where weights are offloaded: each chunk fetches them.
            in_order: whether chunks have to come in the order of the documents, as they always do here.

        Raises:
            CornerstoneError: the memory does not suffice for one document under one coalition, or the weights were
                overwritten meanwhile.
        """
        waiting: deque[Chunk] = deque()
        small = small_first and not self.model.offloaded
        most = growing(len(coalitions)) if small else repeat(ANY)
        for chunk in self._cutting.chunks(task, coalitions, stored, most):
            waiting.append(chunk)
            while waiting:
                part = waiting.popleft()
                outcomes = self._evaluated(task, part, on_batch)
                if outcomes is not None:
                    self.model.in_use.refuse_changed()
                    yield outcomes
                    continue
                waiting.extendleft(reversed(list(self._cutting.fitting(part.documents, part.coalitions))))
                if not self._ran_short:
                    yield self.sizes
                self._ran_short = True

    def _evaluated(self, task: PreparedTask, chunk: Chunk, on_batch: OnBatch) -> list[Outcome] | None:
        """Return the outcomes of a chunk; None, with the sizes halved from now on, where memory ran out or would.

        Raises:
            CornerstoneError: the sizes cannot be halved any more.
        """
        short: Exception | None = None
        try:
            if self._fits(chunk):
                return self._evaluate(task, chunk, on_batch)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            short = error
        smaller = self.sizes.halved()
        if smaller is None:
            name = self.model.record.name
            raise CornerstoneError(f"the memory does not suffice to evaluate one document on {name}") from short
        self._cutting.sizes = smaller
        return None

    def _fits(self, chunk: Chunk) -> bool:
        """Return whether the free memory suffices for a chunk."""
        tokens = sum(map(self._cutting.tokens, chunk.documents))
        return self._headroom.suffices(self.sizes, self.sizes.states_for(len(chunk.coalitions), tokens))

    def _evaluate(self, task: PreparedTask, chunk: Chunk, on_batch: OnBatch) -> list[Outcome]:
        if chunk.documents[0].prompt is not None:
            return list(self._written(task, chunk, on_batch))
        bundles = [bundle for document in chunk.documents for bundle in document.bundles]
        groups = list(grouped(bundles, self.sizes.row_for(len(chunk.coalitions)), self._cutting.length))
        rows = [pack(group, self._max_length) for group in groups]
        outcomes: list[Outcome] = []
        step = max(1, self.sizes.state_tokens // sum(map(len, rows)))
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

    def _written(self, task: PreparedTask, chunk: Chunk, on_batch: OnBatch) -> Iterator[Outcome]:
        """Yield the outcomes of a chunk for which the model writes texts, document by document."""
        generator = self.model.generator
        for number, document in enumerate(chunk.documents):
            assert document.prompt is not None
            part = _in_outcomes(on_batch, number * len(chunk.coalitions), len(chunk.coalitions))
            found = generator.continuations(document.prompt, chunk.coalitions, self._encoder, self.sizes, part)
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
            batch_tokens=self.sizes.batch_tokens,
            on_batch=on_batch,
            intact=self._intact,
        )
        return joined(scores)


def is_out_of_memory(error: Exception) -> bool:
    """Return whether memory ran out.

    Torch has a class for full CUDA devices, and messages for host, MPS and oneDNN's code; numpy has a class of its own.
    """
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(words in str(error) for words in _OUT_OF_MEMORY)


def _in_outcomes(on_batch: OnBatch, before: int, size: int) -> OnBatch:
    """Return a callback that turns a sweep's part, 0 to 1, into outcomes: those before, and a part of ``size``."""
    return lambda part: on_batch(before + part * size)


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
