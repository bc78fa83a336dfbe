"""`cornerstone models`: the list of aliases, and what one model is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.config.model_config import DEFAULT_MODEL
from tests.support.programs import cornerstone
from tests.support.small_model import LAYERS, change_config, small_model


def test_a_folder_is_told_in_lines_and_as_json(tmp_path: Path) -> None:
    model = small_model(tmp_path / "model")
    done = cornerstone("models", model)
    assert done.returncode == 0, done.stderr
    facts = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert (facts["architecture"], facts["layers"], facts["cached"]) == ("llama", str(LAYERS), "yes")
    assert facts["players"] == "4 (2 attn, 2 ffn)"
    assert facts["evaluated"] == "found out when it is first loaded"
    told = json.loads(cornerstone("models", model, "--json").stdout)
    assert (told["architecture"], told["players"]) == ("llama", {"attn": LAYERS, "ffn": LAYERS})
    change_config(model, model_type="t5")
    refused = cornerstone("models", model)
    assert refused.returncode == 0
    assert "refused       cannot load" in refused.stdout
    assert "evaluated" not in refused.stdout


def test_the_list_is_also_json() -> None:
    told = json.loads(cornerstone("models", "--json").stdout)
    assert DEFAULT_MODEL in {alias["name"] for alias in told}
    assert {"cached", "layers", "architecture"} <= told[0].keys()


@pytest.mark.parametrize(
    ("name", "said"),
    [("qwen3", "did you mean qwen3-0.6b?"), ("smolm2", f"did you mean {DEFAULT_MODEL}?"), ("./no", "no such folder")],
)
def test_an_unknown_name_gets_a_suggestion(name: str, said: str) -> None:
    done = cornerstone("models", name, "--offline")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
