"""Packing: the requests of several documents as one row of tokens, each distinct prefix once.

The requests of a document share their context, so they are laid out as a trie: a token's parent is the token before
it, its position is its depth, and it sees itself and its ancestors only. Any common prefix packs, whichever requests
share it; documents side by side in a row do not see each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """One continuation to score: token ids as lm-eval encodes them, neither part empty."""

    context: tuple[int, ...]
    continuation: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A packed row of ``t`` tokens with ``p`` scored targets.

    ``tokens``, ``positions`` and ``parents`` have shape (t,); a root's parent is -1 and parents come before children.
    Target ``j`` asks for the log-probability of token ``targets[j]`` after node ``nodes[j]`` and counts towards
    request ``requests[j]``, numbered in the order in which the row's requests were given.
    """

    tokens: IntArray
    positions: IntArray
    parents: IntArray
    nodes: IntArray
    targets: IntArray
    requests: IntArray
    request_count: int

    def __len__(self) -> int:
        return len(self.tokens)

    def visible(self) -> NDArray[np.bool_]:
        """Who sees whom, shape (t, t): entry [q, k] is true where k is q or an ancestor of q."""
        seen = np.eye(len(self), dtype=np.bool_)
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                seen[node] |= seen[parent]
        return seen


def pack(documents: Iterable[Sequence[TokenRequest]], max_length: int, *, share: bool = True) -> Row:
    """Lay out the requests of ``documents`` in one row.

    A request longer than ``max_length`` + 1 tokens loses its beginning, as in lm-eval; its last token is only ever a
    target. With ``share=False`` every request stands alone, for models where a tree mask cannot be exact.
    """
    builder = _Builder()
    for document in documents:
        roots: _Children = {}
        for request in document:
            builder.add(request, roots if share else {}, max_length)
    return builder.row()


class _Node:
    __slots__ = ("children", "index")

    def __init__(self, index: int) -> None:
        self.index = index
        self.children: _Children = {}


_Children = dict[int, _Node]


class _Builder:
    def __init__(self) -> None:
        self._tokens: list[int] = []
        self._positions: list[int] = []
        self._parents: list[int] = []
        self._nodes: list[int] = []
        self._targets: list[int] = []
        self._requests: list[int] = []
        self._request_count = 0

    def add(self, request: TokenRequest, roots: _Children, max_length: int) -> None:
        tokens = (request.context + request.continuation)[-(max_length + 1) :][:-1]
        first_scored = len(tokens) - len(request.continuation)
        siblings, parent = roots, -1
        for depth, token in enumerate(tokens):
            node = siblings.get(token)
            if node is None:
                node = siblings[token] = _Node(len(self._tokens))
                self._tokens.append(token)
                self._positions.append(depth)
                self._parents.append(parent)
            if depth >= first_scored:
                self._nodes.append(node.index)
                self._targets.append(request.continuation[depth - first_scored])
                self._requests.append(self._request_count)
            siblings, parent = node.children, node.index
        self._request_count += 1

    def row(self) -> Row:
        return Row(
            tokens=_column(self._tokens),
            positions=_column(self._positions),
            parents=_column(self._parents),
            nodes=_column(self._nodes),
            targets=_column(self._targets),
            requests=_column(self._requests),
            request_count=self._request_count,
        )


def _column(values: list[int]) -> IntArray:
    return np.array(values, dtype=np.int64)


def packed_length(document: Sequence[TokenRequest], max_length: int, *, share: bool = True) -> int:
    """How many tokens of a row a document takes."""
    return len(pack([document], max_length, share=share))
