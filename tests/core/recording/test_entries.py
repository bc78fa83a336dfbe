"""A spool tells the players of a model by layer, and one that an earlier program left is read too."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.coalitions.players import Kinds
from core.recording.entries import Decoder, Encoder
from core.recording.writes import Record, Write
from tests.support.store_records import KINDS, assignment, documents, model, outcome, run


def told(kinds: Kinds) -> list[bytes]:
    asked = assignment(documents([0]), [()], of_model=replace(model(), kinds=kinds))
    return list(Encoder().entries(Record("run1", asked, [outcome("doc-0")]), run()))


def read(entries: list[bytes]) -> Write | None:
    decoder = Decoder()
    return [decoder.write(entry) for entry in entries][-1]


@pytest.mark.parametrize("kinds", [KINDS, (("ssm",), ("attn", "moe", "attn", "ffn")), (("attn",),)])
def test_players_come_back_by_layer(kinds: Kinds) -> None:
    write = read(told(kinds))
    assert isinstance(write, Record)
    assert write.assignment.model == replace(model(), kinds=kinds)


def test_a_spool_of_an_earlier_program_has_two_players_a_layer() -> None:
    entries = [json.loads(entry) for entry in told(KINDS)]
    for entry in entries:
        if "model" in entry:
            entry["model"]["kinds"] = ["attn", "ffn"] * 3
    write = read([json.dumps(entry).encode() for entry in entries])
    assert isinstance(write, Record)
    assert write.assignment.model == model()


@pytest.mark.parametrize("kinds", [["attn", "fnn"], [["attn", 1]], "attn", ["attn", None], [["attn"], "ffn"]])
def test_players_of_no_kind_are_refused(kinds: object) -> None:
    entries = [json.loads(entry) for entry in told(KINDS)]
    for entry in entries:
        if "model" in entry:
            entry["model"]["kinds"] = kinds
    with pytest.raises(ValueError, match="kinds"):
        read([json.dumps(entry).encode() for entry in entries])
