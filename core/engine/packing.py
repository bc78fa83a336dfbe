"""Pack the requests of several documents into one row of tokens that holds each distinct prefix once.

The requests of a document share their context, so they form a prefix tree. A token's parent is the token before it, and
its position is its depth. The attention mask lets a token see itself and its ancestors only. Any common prefix is
packed, whichever requests share it. Documents in the same row do not see each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """One continuation to score. Both parts are token ids as lm-eval encodes them, and neither is empty."""

    context: tuple[int, ...]
    continuation: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A packed row of ``t`` tokens with ``p`` scored targets.

    ``tokens``, ``positions`` and ``parents`` have shape (t,). The parent of a root is -1, and parents come before
    children. ``nodes``, ``targets`` and ``requests`` have shape (p,). Target ``j`` asks for the log-probability of
    token ``targets[j]`` after node ``nodes[j]``. It counts towards request ``requests[j]``; requests are numbered in
    the order in which they were packed.
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
        """Return the attention mask of shape (t, t): entry [q, k] is true if k is q or an ancestor of q."""
        seen = np.eye(len(self), dtype=np.bool_)
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                seen[node] |= seen[parent]
        return seen

    def paths(self) -> list[IntArray]:
        """Return the nodes of each path from a root to a leaf, in the order of the leaves."""
        inner = set(self.parents.tolist())
        return [self.path_to(node) for node in range(len(self)) if node not in inner]

    def path_to(self, node: int) -> IntArray:
        """Return the nodes from a root to this one."""
        upward = []
        while node >= 0:
            upward.append(node)
            node = int(self.parents[node])
        return np.array(upward[::-1], dtype=np.int64)

    def apart(self) -> list[Row]:
        """Return a row for each request, which holds the request alone, in their order."""
        rows = []
        for request in range(self.request_count):
            mine = self.requests == request
            path = self.path_to(int(self.nodes[mine].max()))
            at = {node: depth for depth, node in enumerate(path.tolist())}
            rows.append(
                Row(
                    tokens=self.tokens[path],
                    positions=self.positions[path],
                    parents=np.arange(-1, len(path) - 1, dtype=np.int64),
                    nodes=np.array([at[node] for node in self.nodes[mine].tolist()], dtype=np.int64),
                    targets=self.targets[mine],
                    requests=np.zeros(int(mine.sum()), dtype=np.int64),
                    request_count=1,
                )
            )
        return rows


def pack(documents: Iterable[Sequence[TokenRequest]], max_length: int, *, share: bool = True) -> Row:
    """Pack the requests of ``documents`` into one row.

    A request longer than ``max_length`` + 1 tokens loses its beginning, as in lm-eval. Its last token is a target but
    never an input. With ``share=False`` requests share no prefix, as a reference without a tree.
    """
    builder = _Builder()
    for document in documents:
        roots: _Children = {}
        for request in document:
            builder.add(request, roots if share else {}, max_length)
    return builder.row()


class _Node:
    """A token in the prefix tree."""

    __slots__ = ("children", "index")

    def __init__(self, index: int) -> None:
        self.index = index
        self.children: _Children = {}


_Children = dict[int, _Node]


class _Builder:
    """Collects the columns of a row while requests are added."""

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
    """Return how many tokens a document takes in a row."""
    return len(pack([document], max_length, share=share))
