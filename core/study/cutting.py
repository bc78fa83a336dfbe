"""Cut documents into chunks: as many documents that lack the same coalitions as the sizes of a sweep allow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, repeat
from typing import Final, TypeVar

from core.coalitions.players import Removed
from core.engine.load import LoadedModel
from core.engine.neighbours import Bundle
from core.engine.packing import packed_length
from core.engine.sweep_sizes import SweepSizes
from core.tasks.prepare import Document, PreparedTask

ANY: Final = 2**62
"""A number of documents that bounds nothing."""

_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Documents, and the coalitions that all of them are evaluated under."""

    documents: tuple[Document, ...]
    coalitions: tuple[Removed, ...]


class Cutting:
    """Cuts chunks for a model.

    Attributes:
        sizes: how many tokens a chunk has at most, from the next one on.
    """

    def __init__(self, model: LoadedModel, max_length: int, sizes: SweepSizes) -> None:
        self.sizes = sizes
        self._model = model
        self._max_length = max_length

    def chunks(
        self,
        task: PreparedTask,
        coalitions: Sequence[Removed],
        stored: Mapping[str, frozenset[Removed]],
        most: Iterator[int],
    ) -> Iterator[Chunk]:
        """Yield chunks of documents that lack the same coalitions, in the order of the task.

        Args:
            task: its documents; a repeated one is taken once.
            coalitions: the coalitions to evaluate.
            stored: by document key, the coalitions that need not be evaluated.
            most: the most documents of each chunk.
        """

        def missing(document: Document) -> tuple[Removed, ...]:
            there = stored.get(document.record.key, frozenset())
            return tuple(removed for removed in coalitions if removed not in there)

        once = {document.record.key: document for document in task.documents}
        for lacking, documents in groupby(once.values(), key=missing):
            if lacking:
                yield from self.fitting(documents, lacking, most)

    def fitting(
        self,
        documents: Iterable[Document],
        coalitions: tuple[Removed, ...],
        most_documents: Iterator[int] | None = None,
    ) -> Iterator[Chunk]:
        """Yield chunks of as many documents as the sizes and ``most_documents``, chunk by chunk, allow."""
        most = self.sizes.chunk_for(len(coalitions))
        for fitting in grouped(documents, most, self.tokens, most_documents or repeat(ANY)):
            yield Chunk(tuple(fitting), coalitions)

    def tokens(self, document: Document) -> int:
        """Return how many tokens a document has, with those that the model may write."""
        return document.prompt.max_length if document.prompt is not None else sum(map(self.length, document.bundles))

    def length(self, bundle: Bundle) -> int:
        return packed_length(bundle, self._max_length, share=self._model.layout.shares)


def grouped(
    parts: Iterable[_Part], most_tokens: int, length: Callable[[_Part], int], most_parts: Iterator[int] | None = None
) -> Iterator[list[_Part]]:
    """Yield neighbouring parts in groups of at most so many tokens and parts; a longer part is alone."""
    group: list[_Part] = []
    used, room = 0, ANY
    for part in parts:
        tokens = length(part)
        if group and (used + tokens > most_tokens or len(group) >= room):
            yield group
            group, used = [], 0
        if not group and most_parts is not None:
            room = next(most_parts)
        group.append(part)
        used += tokens
    if group:
        yield group
