"""The dialog that chooses a model: what belongs to one model is not taken to another."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input, Static

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


@pytest.mark.parametrize(
    ("model", "written", "layers"),
    [
        (DEFAULT_MODEL, "3", "3"),
        (DEFAULT_MODEL, "", None),
        (DEFAULT_MODEL, "5-7,6", "5-7"),
        ("gpt2", "3", None),
        ("gpt2", "all", "all"),
    ],
)
async def test_layers_of_experts_go_with_their_model(model: str, written: str, layers: str | None) -> None:
    config = RunConfig.model_validate({"tasks": "agreement", "expert_layers": 3})
    async with hosted(lambda: ChooseDialog(config), (80, 24)) as pilot:
        assert pilot.app.screen.query_one("#experts", Input).value == "3"
        pilot.app.screen.query_one("#model", Input).value = model
        pilot.app.screen.query_one("#experts", Input).value = written
        await settled(pilot, "ctrl+s")
        assert isinstance(pilot.app, Host)
        (chosen,) = pilot.app.results
    assert isinstance(chosen, RunConfig)
    assert (chosen.model, chosen.expert_layers, chosen.players) == (model, layers, "sublayers")


async def test_a_text_that_names_no_layers_is_refused_in_the_dialog() -> None:
    config = RunConfig.model_validate({"tasks": "agreement"})
    async with hosted(lambda: ChooseDialog(config), (80, 24)) as pilot:
        pilot.app.screen.query_one("#experts", Input).value = "x"
        await settled(pilot, "ctrl+s")
        assert "names no layers" in str(pilot.app.screen.query_one("#fault", Static).visual)
