from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.engine.packing import Row, TokenRequest, pack, packed_length

WINDOW = 6
tokens = st.lists(st.integers(0, 2), min_size=1, max_size=5).map(tuple)
requests = st.builds(TokenRequest, tokens, tokens)
documents = st.lists(st.lists(requests, min_size=1, max_size=4), min_size=1, max_size=3)


def fed(request: TokenRequest) -> tuple[int, ...]:
    """Return the tokens that lm-eval feeds its model for this request."""
    return (request.context + request.continuation)[-(WINDOW + 1) :][:-1]


def path(row: Row, node: int) -> tuple[int, ...]:
    upward = []
    while node >= 0:
        upward.append(int(row.tokens[node]))
        node = int(row.parents[node])
    return tuple(reversed(upward))


@given(documents)
def test_each_target_is_asked_after_exactly_its_own_prefix(docs: list[list[TokenRequest]]) -> None:
    row = pack(docs, WINDOW)
    flat = [request for document in docs for request in document]
    assert row.request_count == len(flat)
    for number, request in enumerate(flat):
        mine = [j for j in range(len(row.requests)) if row.requests[j] == number]
        assert tuple(row.targets[mine]) == request.continuation
        whole = fed(request)
        first = len(whole) - len(request.continuation)
        assert [path(row, row.nodes[j]) for j in mine] == [whole[: first + k + 1] for k in range(len(mine))]


@given(documents)
def test_a_token_sees_its_ancestors_and_nothing_else(docs: list[list[TokenRequest]]) -> None:
    row = pack(docs, WINDOW)
    visible = row.visible()
    for node in range(len(row)):
        assert visible[node].sum() == row.positions[node] + 1 == len(path(row, node))


@given(st.lists(requests, min_size=1, max_size=4))
def test_sharing_never_costs_tokens_and_holds_each_prefix_once(document: list[TokenRequest]) -> None:
    row = pack([document], WINDOW)
    prefixes = {fed(request)[: end + 1] for request in document for end in range(len(fed(request)))}
    assert len(row) == packed_length(document, WINDOW) == len(prefixes)
    assert len(pack([document], WINDOW, share=False)) == sum(len(fed(request)) for request in document)


def test_documents_do_not_share() -> None:
    request = TokenRequest((1, 2), (3,))
    assert len(pack([[request], [request]], WINDOW)) == 2 * len(pack([[request]], WINDOW))
