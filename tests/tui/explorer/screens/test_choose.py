"""The dialog that chooses a model: what belongs to one model is not taken to another."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from core.config.run_config import DEFAULT_MODEL, RunConfig
from tests.support.screen_host import Host, hosted, settled
from tui.explorer.screens.choose import ChooseDialog

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("model", [DEFAULT_MODEL, "gpt2"])
async def test_an_adapter_goes_with_its_model(model: str, tmp_path: Path) -> None:
    config = RunConfig.model_validate({"tasks": "agreement", "adapter": tmp_path, "revision": "main"})
    async with hosted(lambda: ChooseDialog(config), (80, 24)) as pilot:
        pilot.app.screen.query_one("#model", Input).value = model
        await settled(pilot, "ctrl+s")
        assert isinstance(pilot.app, Host)
        (chosen,) = pilot.app.results
    assert isinstance(chosen, RunConfig)
    assert chosen.model == model
    kept = (tmp_path, "main") if model == DEFAULT_MODEL else (None, None)
    assert (chosen.adapter, chosen.revision) == kept
