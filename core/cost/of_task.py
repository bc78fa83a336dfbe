"""Count the tokens of a task: packed as the sweep reads them, and padded as a loop over lm-eval reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.cost.of_model import row_work
from core.cost.work import ModelWork, RowWork, added
from core.engine.packing import TokenRequest, pack
from core.tasks.prepare import Document, PreparedTask

LOOP_BATCH: Final = 8
"""Texts that the loop evaluates at once."""


@dataclass(frozen=True, slots=True)
class TaskWork:
    """The sizes of a task's documents together. One that occurs twice counts twice, and is read once.

    ``rows`` are the packed rows, ``padded`` the rows of the loop; a pair there is of two tokens of a text. ``longest``
    is the number of tokens of the longest document, ``requests`` the number of scored continuations. ``exact`` says
    whether they were counted on the very documents with the model's own tokenizer. ``writes``: the model writes texts,
    whose length is a bound.
    """

    name: str
    documents: int
    rows: RowWork
    padded: RowWork
    longest: float
    requests: float
    exact: bool = True
    writes: bool = False

    def of(self, documents: int) -> TaskWork:
        """Return the sizes of so many documents of this kind."""
        part = documents / self.documents if self.documents else 0.0
        return replace(
            self,
            documents=documents,
            rows=self.rows.times(part),
            padded=self.padded.times(part),
            requests=self.requests * part,
        )


def task_work(model: ModelWork, task: PreparedTask, max_length: int, *, share: bool, exact: bool) -> TaskWork:
    """Return the sizes of a prepared task.

    Args:
        model: the model that will read it.
        task: the task.
        max_length: the context length of the encoder that made its requests.
        share: whether requests share their prefixes in a row.
        exact: whether that encoder is the model's own.
    """
    documents = {document.record.key: document for document in task.documents}.values()
    each = [_row(model, document, max_length, share=share) for document in documents]
    return TaskWork(
        name=task.record.name,
        documents=len(task.documents),
        rows=added(each, len(model.sights)),
        padded=_padded(model, task.documents, max_length),
        longest=max(row.tokens for row in each),
        requests=sum(len(document.instances) for document in documents),
        exact=exact,
        writes=any(document.prompt is not None for document in documents),
    )


def _row(model: ModelWork, document: Document, max_length: int, *, share: bool) -> RowWork:
    """Return the size of one document. Of a text that the model writes, all tokens count that it may write."""
    if document.prompt is not None:
        length = document.prompt.max_length
        return RowWork(length, document.prompt.most_new, (length * (length + 1) / 2,) * len(model.sights))
    rows = [row_work(model, pack([bundle], max_length, share=share)) for bundle in document.bundles]
    return added(rows, len(model.sights))


def _padded(model: ModelWork, documents: Sequence[Document], max_length: int) -> RowWork:
    """Return the sizes of the loop's batches: each text is as long as the longest of its batch, the longest first."""
    lengths = sorted((length for document in documents for length in _lengths(document, max_length)), reverse=True)
    rows = (lengths[number - number % LOOP_BATCH] for number in range(len(lengths)))
    return added((RowWork(n, n, (n * n,) * len(model.sights)) for n in rows), len(model.sights))


def _lengths(document: Document, max_length: int) -> Iterator[int]:
    """Yield the lengths of the texts that lm-eval runs for a document; it runs texts that are the same once."""
    if document.prompt is not None:
        yield document.prompt.max_length
        return
    yield from (len(text) for text in {_read(part, max_length) for part in document.continuations})


def _read(part: TokenRequest, max_length: int) -> tuple[int, ...]:
    return (part.context + part.continuation)[-(max_length + 1) :][:-1]
