"""What shows of a choice before it is opened: what is wrong with it, and the size of its download."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.config.run_config import RunConfig
from core.models import hub
from core.models.hub import HubModel
from tui.explorer.look_before import Verdict, look_before


def config(model: Path | str, task: str = "agreement", **more: Any) -> RunConfig:
    return RunConfig.model_validate({"model": str(model), "tasks": task, **more})


def test_a_model_that_is_here_needs_nothing(tiny_model_folder: Path) -> None:
    assert look_before(config(tiny_model_folder)) == Verdict()


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"task": "agreement=/nowhere.jsonl"}, "task", "/nowhere.jsonl"),
        ({"task": "/nowhere.yaml"}, "task", "no tasks in '/nowhere.yaml'"),
        ({"model": "/nowhere"}, "model", "no model '/nowhere'"),
        ({"model": "gpt2", "offline": True}, "model", "cannot be fetched offline"),
        ({"adapter": "/nowhere"}, "model", "/nowhere"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    changes: dict[str, Any], field: str, said: str, tiny_model_folder: Path
) -> None:
    verdict = look_before(config(**{"model": tiny_model_folder, **changes}))
    assert verdict.field == field
    assert said in verdict.said


def test_a_download_is_announced_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def look_at(hub_id: str, _revision: str | None) -> HubModel:
        asked.append(hub_id)
        return HubModel({"model_type": "llama"}, 2 * 10**17, None)

    monkeypatch.setattr(hub, "look_at", look_at)
    assert look_before(config("llama-3.2-1b")).download.startswith("llama-3.2-1b must be downloaded: 2.5 GB")
    assert asked == [], "an alias knows its size"
    said = look_before(config("someone/huge")).download
    assert said.startswith("someone/huge must be downloaded: 200000000.0 GB, and ")
    assert said.endswith(" of the disk are free")
    look_before(config("olmo-2-1b"))
    assert asked == ["someone/huge", "allenai/OLMo-2-0425-1B"]
