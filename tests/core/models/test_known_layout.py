"""A layout that was verified is read again, whole or not at all, and for the very model alone."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.coalitions.players import players_of
from core.machine.paths import cache_folder
from core.models import known_layout as known_layout_module
from core.models.families import expected_players
from core.models.known_layout import keep_layout, known_kinds, known_layout
from core.models.layout import Layer, Layout, Sublayer

_ATTN, _MOE = Sublayer("attn", ("self_attn",)), Sublayer("moe", ("experts", "mlp"), ("gate",))
version_of = known_layout_module._version
LAYOUT = Layout(
    "model.layers",
    (
        Layer((_ATTN, _MOE), parallel=True, in_turn=False),
        Layer((Sublayer("ssm", ("mixer",)),), packs=False, passes=False, returns=2),
        Layer(()),
        Layer((_ATTN, _MOE), parallel=True, in_turn=False),
    ),
    "whole",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "odd", "layers": 4}))
    return tmp_path


def test_a_layout_is_read_as_it_was_kept(folder: Path) -> None:
    assert known_layout("a", "cpu") is None
    assert known_kinds(folder) is None
    keep_layout("a", "cpu", folder, LAYOUT)
    assert known_layout("a", "cpu") == LAYOUT
    assert known_kinds(folder) == LAYOUT.kinds == (("attn", "moe"), ("ssm",), (), ("attn", "moe"))


def test_players_of_a_model_that_was_loaded_are_expected(folder: Path) -> None:
    assert expected_players(folder) is None
    keep_layout("a", "cpu", folder, LAYOUT)
    assert expected_players(folder) == players_of(LAYOUT.kinds)
    (folder / "config.json").write_text(json.dumps({"model_type": "gpt2", "n_layer": 1}))
    assert expected_players(folder) == players_of([("attn", "ffn")])


def test_another_model_device_or_configuration_is_another_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_layout("a", "cpu", folder, LAYOUT)
    assert known_layout("b", "cpu") is None
    assert known_layout("a", "cuda") is None
    (folder / "config.json").write_text(json.dumps({"model_type": "odd", "layers": 5}))
    assert known_kinds(folder) is None
    monkeypatch.setattr(known_layout_module, "LAWS", known_layout_module.LAWS + 1)
    assert known_layout("a", "cpu") is None


def test_a_layout_that_was_verified_in_part_does_for_nothing_else(folder: Path) -> None:
    keep_layout("a", "cuda", folder, LAYOUT, in_part=True)
    assert known_layout("a", "cuda") is None
    assert known_layout("a", "cuda", in_part=True) == LAYOUT
    whole = replace(LAYOUT, way="unpacked")
    keep_layout("a", "cuda", folder, whole)
    assert known_layout("a", "cuda") == known_layout("a", "cuda", in_part=True) == whole


@pytest.mark.parametrize("package", ["torch", "transformers", "accelerate", "mamba-ssm", "causal-conv1d", "kernels"])
def test_another_version_of_what_computes_layers_verifies_anew(
    package: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_layout("a", "cpu", folder, LAYOUT)
    monkeypatch.setattr(known_layout_module, "_version", lambda name: "99" if name == package else version_of(name))
    assert known_layout("a", "cpu") is None
    assert known_kinds(folder) is None


def test_a_folder_without_a_configuration_keeps_its_layout(folder: Path) -> None:
    (folder / "config.json").unlink()
    keep_layout("a", "cpu", folder, LAYOUT)
    assert known_layout("a", "cpu") == LAYOUT
    assert known_kinds(folder) is None


@pytest.mark.parametrize(
    "change",
    [
        {"way": "some"},
        {"path": None},
        {"layers": [9]},
        {"layers": [-1]},
        {"layers": "0"},
        {"made": []},
        {"made": [{"sublayers": [["attn", ["a"], []]], "unknown": 1}], "layers": [0]},
        {"made": [{"sublayers": [["no kind", ["a"], []]]}], "layers": [0]},
    ],
    ids=str,
)
def test_what_is_no_layout_is_found_anew(folder: Path, change: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    as_json = known_layout_module._as_json
    monkeypatch.setattr(known_layout_module, "_as_json", lambda layout: {**as_json(layout), **change})
    keep_layout("a", "cpu", folder, LAYOUT)
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    assert known_layout("a", "cpu") is None


def test_a_damaged_file_counts_as_absent(folder: Path) -> None:
    keep_layout("a", "cpu", folder, LAYOUT)
    kept = list(cache_folder("layouts").iterdir())
    assert len(kept) == 2
    for file in kept:
        file.write_text(file.read_text().replace("attn", "conv"))
    assert known_layout("a", "cpu") is None
    assert known_kinds(folder) is None


def test_nothing_happens_where_nothing_can_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    (tmp_path / "config.json").write_text("{}")
    keep_layout("a", "cpu", tmp_path, LAYOUT)
    assert known_layout("a", "cpu") is None
    assert known_kinds(tmp_path) is None


def test_players_are_known_before_torch_is_loaded() -> None:
    code = "import sys, core.models.known_layout; print(sorted({'torch', 'transformers'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
