"""Experts that were verified once are known afterwards, also before torch is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.engine import load
from core.engine.load import LoadedModel, load_model
from core.errors import CornerstoneError
from core.models.families import expected_players
from core.models.lookup import ModelSource, look_up
from core.records.fingerprint import with_experts
from tests.support.decoder_folder import decoder_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return decoder_folder("deepseek_v3", tmp_path_factory.mktemp("models") / "deep")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def _loaded(folder: Path, layers: str | None) -> LoadedModel:
    source = look_up(str(folder), revision=None, offline=True)
    assert isinstance(source, ModelSource)
    return load_model(source, dtype="float32", device="cpu", expert_layers=layers)


def test_a_second_load_verifies_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _loaded(folder, "2-3")
    monkeypatch.setattr(load, "with_expert_players", None)
    again = _loaded(folder, "3,2")
    assert (again.layout, again.record) == (first.layout, first.record)
    assert again.record.name == "deep+experts:2-3"
    monkeypatch.undo()


def test_its_players_are_expected_before_it_is_loaded(folder: Path) -> None:
    assert expected_players(folder, "all") is None
    plain = _loaded(folder, None)
    assert expected_players(folder, "all") is None
    found = _loaded(folder, "all")
    assert expected_players(folder, "1-3") == found.players
    assert expected_players(folder) == plain.players
    with pytest.raises(CornerstoneError, match="layer 0 has no mixture of experts; the layers that have one are 1-3"):
        expected_players(folder, "0")


def test_the_plain_model_keeps_its_identity_and_each_choice_has_its_own(folder: Path) -> None:
    plain, some, every = (_loaded(folder, layers).record for layers in (None, "1", "all"))
    assert len({plain.fingerprint, some.fingerprint, every.fingerprint}) == 3
    assert with_experts(plain.fingerprint, ()) == plain.fingerprint
    assert with_experts(plain.fingerprint, (1, 2, 3)) == every.fingerprint
