"""The numbers of the paper, and the stored model that each is shown beside."""

from __future__ import annotations

import pytest

from core.coalitions.schedules import windows
from core.paper.published import MODELS, TASKS, published


@pytest.mark.parametrize("name", ["llama-3-8b", "meta-llama/Meta-Llama-3-8B", "/models/Meta-Llama-3-8B/"])
def test_a_model_is_known_by_its_alias_its_hub_id_and_its_folder(name: str) -> None:
    found = published(name, 64)
    assert found is not None
    assert found.name == "Llama-3-8B"


@pytest.mark.parametrize(("name", "players"), [("Meta-Llama-3-8B-Instruct", 64), ("llama-3-8b", 60), ("gpt2", 24)])
def test_another_model_has_no_published_numbers(name: str, players: int) -> None:
    assert published(name, players) is None


def test_the_tables_agree_with_each_other() -> None:
    """The mean of Table 4 over tasks is Table 3's for other layers, to its rounding."""
    for model in MODELS:
        assert set(model.other_drops) == set(TASKS)
        assert sum(model.other_drops.values()) / 6 == pytest.approx(model.other_drop, abs=0.0011)
        assert len(model.cornerstones) == 3
    assert [len(windows(model.players)) for model in MODELS] == [251, 635, 251]
