"""`--players experts` and `--expert-layers`: experts as players of every command that removes some."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM

from core import mask
from core.coalitions.players import players_of
from core.config.run_config import RunConfig, load_config
from store.results import Results, Selection
from tests.support.decoder_folder import decoder_folder
from tests.support.programs import cornerstone, read
from tui.drawing.command_line import run_command

EXPERTS = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return decoder_folder("qwen3_moe", tmp_path_factory.mktemp("models") / "moe")


@pytest.fixture(scope="module")
def store(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with the ablation of experts, and that of sublayers."""
    path = tmp_path_factory.mktemp("stores") / "s.duckdb"
    for options in (("--players", "experts", "--expert-layers", "1"), ()):
        done = cornerstone("run", *_common(folder, path), *options, "--schedule", "windows", "--max-removed", "2")
        assert done.returncode == 0, done.stderr
    return path


def _common(folder: Path, store: Path) -> tuple[str | Path, ...]:
    return ("--model", folder, "--task", "agreement", "--limit", "4", "--value", "margin", "--store", store)


@pytest.mark.slow
def test_outcomes_and_players_are_kept_apart(store: Path) -> None:
    rows = read(store, "ablation", "--value", "margin")
    labels = {name: [row["label"] for row in rows if row["model"] == name] for name in ("moe", "moe+experts:1")}
    assert labels["moe"] == [f"{kind} {layer}" for layer in range(4) for kind in ("Attn", "MoE")]
    experts = [f"Expert 1.{number}" for number in range(EXPERTS)]
    assert labels["moe+experts:1"] == ["Attn 0", "MoE 0", "Attn 1", *experts, "Attn 2", "MoE 2", "Attn 3", "MoE 3"]
    drops = {(row["model"], row["label"]): row["drop"] for row in rows}
    for label in set(labels["moe"]) - {"MoE 1"}:
        assert drops["moe", label] == pytest.approx(drops["moe+experts:1", label], abs=1e-5)
    assert any(abs(float(drops["moe+experts:1", label])) > 1e-3 for label in experts)
    assert {(row["kind"], row["layer"]) for row in rows if str(row["label"]).startswith("Expert")} == {("expert", 1)}


@pytest.mark.slow
def test_values_interactions_and_figures_are_of_experts(store: Path, tmp_path: Path) -> None:
    chosen = ("--model", "moe+experts:1", "--task", "agreement", "--value", "margin", "--max-removed", "2")
    rows = read(store, "shapley", *chosen, "--estimator", "window-first")
    assert [row["label"] for row in rows if row["kind"] == "expert"] == [f"Expert 1.{n}" for n in range(EXPERTS)]
    pairs = read(store, "interactions", *chosen)
    assert ["Expert 1.0", "Expert 1.1"] in [row["labels"] for row in pairs]
    for kind in ("ablation", "shapley"):
        file = tmp_path / f"{kind}.svg"
        done = cornerstone("figure", kind, *chosen[:6], "--store", store, "-o", file)
        assert done.returncode == 0, done.stderr
        assert ">expert<" in file.read_text(encoding="utf-8")
    shown = cornerstone("results", "ablation", *chosen[:6], "--store", store)
    assert "Expert 1.5" in shown.stdout


def test_a_gap_names_the_command_of_the_same_players(store: Path) -> None:
    answer = Results(store).shapley(Selection(model="moe+experts:1"), value="margin", estimator="exact")
    (gap,) = answer.gaps
    assert isinstance(gap.fill, RunConfig)
    assert "--expert-layers 1" in run_command(gap.fill, store)


@pytest.mark.slow
def test_experts_can_be_removed_by_hand_and_grouped(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    done = cornerstone("run", *_common(folder, path), "--expert-layers", "1,3", "--remove", "expert 3.05,Attn 0")
    assert done.returncode == 0, done.stderr
    assert "Attn 0, Expert 3.5" in done.stdout
    done = cornerstone(
        "run", *_common(folder, path), "--expert-layers", "1", "--players", "kinds", "--schedule", "exact"
    )
    assert done.returncode == 0, done.stderr
    rows = read(path, "shapley", "--players", "kinds", "--estimator", "exact", "--value", "margin")
    assert [row["label"] for row in rows] == ["All attention", "All MoE", "All experts"]


@pytest.mark.slow
def test_a_path_writes_a_mask_that_removes_experts(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "mask.json"
    options = ("--players", "experts", "--steps", "8", "--no-held-out", "--mask", file)
    done = cornerstone("path", *_common(folder, tmp_path / "s.duckdb")[:6], "--store", tmp_path / "s.duckdb", *options)
    assert done.returncode == 0, done.stderr
    found = mask.read(file)
    players = players_of(found.model.kinds)
    assert len(players) == 4 * (1 + EXPERTS)
    assert any(players[number].kind == "expert" for number in found.numbers)
    assert found.evidence[0].how == "greedy path of 8 steps over sublayers and experts"
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokens = {"input_ids": model.dummy_inputs["input_ids"]}
    before = model(**tokens).logits
    with mask.apply(model, found):
        assert not model(**tokens).logits.allclose(before)
    assert model(**tokens).logits.equal(before)
    assert json.loads(file.read_text())["version"] == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--expert-layers", "4"), "there is no layer 4 of experts: the model has layers 0 to 3"),
        (
            ("--expert-layers", "x"),
            "expert_layers: 'x' names no layers; write all, or numbers and ranges",
        ),
        (("--players", "expert"), "use one of sublayers, layers, blocks:K, kinds"),
        (("--players", "experts", "--remove", "MoE 1"), "no layer named 'MoE 1' in this model"),
        (("--players", "experts", "--remove", "Expert 1.6"), "no layer named 'Expert 1.6' in this model"),
    ],
)
def test_what_is_wrong_is_refused_before_anything_is_stored(
    folder: Path, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    done = cornerstone("run", *_common(folder, tmp_path / "s.duckdb"), *options)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "s.duckdb").exists()


def test_a_model_without_experts_is_refused_at_once(tiny_model_folder: Path, tmp_path: Path) -> None:
    done = cornerstone("run", *_common(tiny_model_folder, tmp_path / "s.duckdb"), "--players", "experts")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "no layer of this model has a mixture of experts" in done.stderr


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ("players: experts", "all"),
        ("players: experts\nexpert_layers: 3", "3"),
        ("expert_layers: [7, 3, 5-6]", "3,5-7"),
        ("expert_layers: all", "all"),
        ("players: sublayers", None),
    ],
)
def test_a_file_names_them_too(tmp_path: Path, text: str, layers: str | None) -> None:
    file = tmp_path / "my.yaml"
    file.write_text(f"tasks: agreement\n{text}\n")
    config = load_config(file, {})
    assert (config.expert_layers, config.players) == (layers, "sublayers")
    assert RunConfig.model_validate_json(config.model_dump_json()) == config
    if layers is not None:
        assert f"--expert-layers {layers}" in run_command(config, tmp_path / "s")
        assert config.under("ablation").expert_layers == layers


def test_options_override_the_players_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("tasks: agreement\nplayers: experts\n")
    assert load_config(file, {"players": "layers"}).expert_layers is None
    assert load_config(file, {"expert_layers": "2"}).expert_layers == "2"
