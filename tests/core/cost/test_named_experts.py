"""Experts of a model without weights: the players, and the operations, of the loaded model, or a refusal."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from core.config.model_config import ModelConfig
from core.config.run_config import RunConfig
from core.cost.named_experts import with_named_experts
from core.cost.of_model import row_work, work_of
from core.cost.outline import named_layout, outline_of
from core.cost.plan import study_of
from core.cost.work import operations
from core.engine.expert_players import with_expert_players
from core.engine.load import load_model
from core.engine.open_model import empty_model
from core.engine.packing import pack
from core.errors import CornerstoneError
from core.models.lookup import ModelSource, look_up
from core.records.fingerprint import kept_fingerprint, model_fingerprint
from core.study.listener import SILENT
from tests.core.engine.test_expert_players import FAST, MIXTURES
from tests.support.decoder_folder import decoder_folder
from tests.support.decoder_types import tiny_decoder
from tests.support.decoder_variants import VARIANTS
from tests.support.swept import layout_in_use, some_documents
from tests.support.tiny_models import WINDOW

UNTOLD = {
    "gemma4_text: experts": "the place of its experts",  # a dense FFN beside them is a part of the mixture
    "longcat_flash": "has no list of 4 layers",
    "qwen4_exp": "the place of its experts",
    "qwen4_exp_text": "the place of its experts",
    "qwen4_exp_text: few keys": "the place of its experts",
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in FAST else pytest.mark.slow) for name in MIXTURES]
)
def test_they_are_those_of_the_loaded_model(name: str) -> None:
    kind, settings = VARIANTS.get(name, (name, {}))
    model = tiny_decoder(kind, **settings)
    empty = empty_model(model.config)
    if name in UNTOLD:
        with pytest.raises(CornerstoneError, match=UNTOLD[name]):
            with_named_experts(empty, named_layout(empty), "all", told=False)
        return
    named, plain = named_layout(empty), layout_in_use(model)
    found, loaded = with_named_experts(empty, named, "all", told=False), with_expert_players(model, plain, "all")
    assert found.kinds == loaded.kinds
    if work_of(empty, named) != work_of(model, plain):
        return  # its sublayers, or the way in which it is evaluated, are not as they are called
    players = found.starts[-1]
    whole_layer = tuple(range(found.starts[1]))
    coalitions = [(), (0,), (1, 2), whole_layer, *((player,) for player in range(players - 6, players))]
    row = pack(some_documents(1)[:1], WINDOW)
    one, other = work_of(empty, found), work_of(model, loaded)
    assert operations(one, row_work(one, row), coalitions) == operations(other, row_work(other, row), coalitions)


def test_a_removed_expert_is_computed_all_the_same_and_each_set_is_a_state_of_its_own() -> None:
    keys = {"model": "mixtral-8x7b", "offline": True, "tasks": ["agreement"], "limit": 4, "device": "cpu"}
    whole, experts = (
        study_of(RunConfig.model_validate({**keys, **more}), "bfloat16", SILENT)
        for more in ({}, {"expert_layers": "31"})
    )
    assert len(experts.outline.record.players) == len(whole.outline.record.players) - 1 + 8
    assert not experts.outline.sure
    rows, last = experts.tasks[0].rows, len(experts.outline.record.players) - 1
    one, both = (operations(experts.work, rows, coalitions) for coalitions in ([()], [(), (last,)]))
    layer = experts.work.layers[31]
    again = 2 * rows.tokens * (layer.beside + layer.players[0].weights)
    attended = 4 * rows.pairs[layer.sight] * experts.work.attention_width
    assert both - one == pytest.approx(again + attended + 2 * rows.scored * experts.work.head)
    assert layer.beside == whole.work.layers[31].players[1].weights


def test_more_than_a_thousand_are_counted_where_their_layers_are_named() -> None:
    def players(layers: str) -> int:
        return len(outline_of(choice(layers), "bfloat16").record.players)

    def choice(layers: str) -> ModelConfig:
        return ModelConfig(model="olmoe-1b-7b", offline=True, expert_layers=layers)

    assert players("0,7-8") == 2 * 16 - 3 + 3 * 64
    assert players("0-15") == 16 + 16 * 64
    with pytest.raises(CornerstoneError, match="16 layers have 1 024 experts"):
        players("all")
    with pytest.raises(CornerstoneError, match="no layer 16"):
        players("16")


def test_what_names_do_not_tell_is_known_once_the_model_was_loaded_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    choice = ModelConfig(model=str(decoder_folder("longcat_flash", tmp_path / "cat")), expert_layers="0")
    with pytest.raises(CornerstoneError, match="has no list of 4 layers"):
        outline_of(choice, "float32")
    source = look_up(choice.model, revision=None, offline=True)
    assert isinstance(source, ModelSource)
    loaded = load_model(source, dtype="float32", device="cpu", expert_layers="0")
    while kept_fingerprint(source.folder, "float32") is None:  # digests of files that are seconds old are not kept
        model_fingerprint(source.folder, "float32")
        time.sleep(0.2)
    outline = outline_of(choice, "float32")
    assert (outline.layout, outline.sure) == (loaded.layout, True)
    other = outline_of(choice.model_copy(update={"expert_layers": "1"}), "float32")
    assert (len(other.record.players), other.sure) == (len(loaded.players), False)
