"""A plan counts what the study then evaluates, from a configuration alone."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

import pytest
import torch

from core.config.model_config import ModelConfig
from core.config.run_config import RunConfig
from core.cost.outline import named_layout, outline_of
from core.cost.plan import cost_of, study_of
from core.cost.report import StudyCost
from core.cost.speed import Speed, dtype_for, speed_of
from core.engine.packing import packed_length
from core.errors import CornerstoneError
from core.models.aliases import aliases
from core.study.listener import SILENT
from core.study.workbench import open_workbench, run_config
from store.recorder import StoreRecorder
from store.results import Results
from tests.support.swept import layout_in_use
from tests.support.tiny_models import SETTINGS, tiny_model

CPU = Speed("here", "cpu", 1e11, 8e9, measured=False)


def planned(speed: Speed = CPU, **keys: object) -> StudyCost:
    config = RunConfig.model_validate({"device": "cpu", **keys})
    return cost_of(study_of(config, "float32", SILENT), speed, ready=0.0)


def only_config(model: Path, folder: Path) -> Path:
    """Return a folder that holds a model's config.json and nothing else."""
    folder.mkdir()
    shutil.copy(model / "config.json", folder)
    return folder


@pytest.mark.parametrize("schedule", [["windows"], ["ablation", "windows"], ["exact"]])
def test_it_counts_what_is_then_evaluated(tiny_model_folder: Path, tmp_path: Path, schedule: list[str]) -> None:
    keys = {"model": str(tiny_model_folder), "tasks": ["agreement", "capitals"], "limit": 6, "schedule": schedule}
    players = "layers" if schedule == ["exact"] else "sublayers"
    cost = planned(**keys, players=players)
    bench = open_workbench(RunConfig.model_validate({"device": "cpu", **keys, "players": players}))
    store = tmp_path / "own.duckdb"
    list(run_config(bench.config, "test", StoreRecorder(store)))
    assert cost.outcomes == len(Results(store).outcomes().rows)
    assert (cost.players, cost.documents) == (len(bench.model.players), 12)
    documents = [document for task in bench.tasks for document in task.documents]
    assert cost.tokens == sum(packed_length(one.continuations, bench.encoder.max_length) for one in documents)
    assert cost.weight_bytes == sum(weight.numel() * weight.element_size() for weight in bench.model.model.parameters())
    assert 0 < cost.weight_bytes_per_chunk < cost.weight_bytes
    assert all(task.exact for task in cost.tasks)


def test_a_folder_with_a_configuration_alone_will_do(tiny_model_folder: Path, tmp_path: Path) -> None:
    bare = only_config(tiny_model_folder, tmp_path / "bare")
    whole, alone = (
        planned(model=str(folder), tasks=["agreement"], limit=8, schedule=["windows"])
        for folder in (tiny_model_folder, bare)
    )
    named = planned(model=str(bare / "config.json"), tasks=["agreement"], limit=8, schedule=["windows"])
    assert (alone.players, alone.coalitions, alone.outcomes) == (whole.players, whole.coalitions, whole.outcomes)
    assert alone.weight_bytes == whole.weight_bytes
    assert not any(task.exact for task in alone.tasks)  # another tokenizer cuts the texts
    assert named.tokens == alone.tokens


@pytest.mark.parametrize(
    ("config", "players", "coalitions"),
    [("llama-3-8b", 64, 251), ("llama-3-70b", 160, 635), ("mixtral-8x7b", 64, 251)],
)
def test_the_papers_models_are_planned_without_files(config: str, players: int, coalitions: int) -> None:
    keys = {
        "model": config, "offline": True, "schedule": ["ablation", "windows"], "limit": 1000,
        "tasks": ["boolq", "piqa", "winogrande", "arc_easy", "arc_challenge", "openbookqa"],
    }  # fmt: skip
    run = RunConfig.model_validate(keys)
    study = study_of(run, "bfloat16", SILENT)
    cost = cost_of(study, speed_of(study.outline, run, "H200", None), ready=0.0)
    assert (cost.players, cost.coalitions, cost.documents) == (players, coalitions, 5500)
    assert cost.outcomes == coalitions * 5500
    alias = next(alias for alias in aliases() if alias.name == config)
    assert alias.download_mb is not None
    assert cost.weight_bytes == pytest.approx(alias.download_mb * 1e6, rel=0.01)
    assert cost.flops < cost.lm_eval_flops
    assert cost.offloaded == (config == "llama-3-70b")


def test_the_facts_of_aliases_fit_their_downloads() -> None:
    told = [alias for alias in aliases() if alias.config]
    assert len(told) > 15
    for alias in told:
        model = outline_of(ModelConfig(model=alias.name, offline=True), "bfloat16").model
        size = sum(weight.numel() * weight.element_size() for weight in model.parameters()) / 1e6
        if alias.download_mb is not None and alias.package is None:  # that one is quantized
            # Some downloads have a tied head twice, old buffers, or weights in float32.
            assert size <= 1.01 * alias.download_mb <= 2.3 * size, alias.name


def test_a_rounds_schedule_is_a_bound(tiny_model_folder: Path) -> None:
    cost = planned(model=str(tiny_model_folder), tasks=["agreement"], limit=4, schedule=["permutation"])
    assert cost.at_most
    assert cost.flops > 0


# The layers of OPT call the parts of their FFN themselves, so that no module is called so.
@pytest.mark.parametrize("family", sorted(set(SETTINGS) - {"opt"}))
def test_players_are_named_as_they_are_found(family: str) -> None:
    model = tiny_model(family)
    assert named_layout(model).kinds == layout_in_use(model).kinds


def test_a_larger_model_than_the_memory_is_offloaded(tiny_model_folder: Path) -> None:
    small = Speed("small", "cuda", 1e12, 1e4, measured=False)
    cost = planned(small, model=str(tiny_model_folder), tasks=["agreement"], limit=4, schedule=["windows"])
    assert cost.offloaded
    assert cost.seconds > 0


def test_what_cannot_be_planned_is_said(tmp_path: Path, tiny_model_folder: Path) -> None:
    bare = only_config(tiny_model_folder, tmp_path / "encoder")
    text = (bare / "config.json").read_text().replace('"llama"', '"t5"')
    (bare / "config.json").write_text(text)
    with pytest.raises(CornerstoneError, match="encoder"):
        planned(model=str(bare), tasks=["agreement"], schedule=["windows"])
    with pytest.raises(CornerstoneError, match="no layer of this model has a mixture"):
        planned(model=str(tiny_model_folder), tasks=["agreement"], expert_layers="all")


def test_a_repeated_document_counts_as_in_the_results_and_is_read_once(tiny_model_folder: Path, tmp_path: Path) -> None:
    rows = resources.files("configs.tasks").joinpath("agreement.jsonl").read_text().splitlines(keepends=True)[:5]
    data = tmp_path / "repeated.jsonl"
    data.write_text("".join(rows * 3))
    keys = {"model": str(tiny_model_folder), "tasks": [f"agreement={data}"], "schedule": ["ablation"]}
    cost = planned(**keys)
    store = tmp_path / "own.duckdb"
    list(run_config(RunConfig.model_validate({"device": "cpu", **keys}), "test", StoreRecorder(store)))
    assert cost.documents == 15
    assert cost.outcomes == len(Results(store).outcomes().rows)
    data.write_text("".join(rows))
    once = planned(**keys)
    assert (once.documents, once.flops, once.tokens) == (5, cost.flops, cost.tokens)


@pytest.mark.parametrize("keys", [{"num_fewshot": 5}, {"apply_chat_template": True}])
def test_known_sizes_of_a_task_are_those_of_zero_shot_prompts(keys: dict[str, object]) -> None:
    asked = {"model": "llama-3-8b", "tasks": ["boolq"], "schedule": ["ablation"], "offline": True}
    if planned(**asked).tasks[0].exact:
        pytest.skip("the task's data are on this machine")
    with pytest.raises(CornerstoneError, match="not cached"):
        planned(**asked, **keys)


def test_a_loop_over_lm_eval_starts_and_loads_the_model_too(tiny_model_folder: Path) -> None:
    keys = {"model": str(tiny_model_folder), "tasks": ["agreement"], "limit": 4, "schedule": ["windows"]}
    study = study_of(RunConfig.model_validate({"device": "cpu", **keys}), "float32", SILENT)
    soon, late = (cost_of(study, CPU, ready) for ready in (0.0, 10.0))
    assert late.seconds - soon.seconds == pytest.approx(10)
    assert late.lm_eval_seconds - soon.lm_eval_seconds == pytest.approx(10)


def test_memory_that_a_run_may_take_bounds_the_plan(tiny_model_folder: Path) -> None:
    keys = {"model": str(tiny_model_folder), "tasks": ["agreement"], "schedule": ["windows"]}
    less, more = (planned(**keys, memory=gib) for gib in (0.0001, 1))
    assert less.chunks > more.chunks


def test_a_larger_model_than_a_cpus_memory_comes_from_the_disk() -> None:
    keys = {"model": "llama-3-8b", "offline": True, "tasks": ["agreement"], "limit": 4, "schedule": ["windows"]}
    fast, small = (planned(Speed("here", "cpu", 1e15, free, measured=False), **keys) for free in (64e9, 8e9))
    assert (fast.offloaded, small.offloaded) == (False, True)
    assert small.memory_bytes < 9.5e9 < fast.memory_bytes
    traffic = small.chunks * (small.weight_bytes_per_chunk - 0.85 * 8e9) / 1e9
    assert small.seconds == pytest.approx(small.weight_bytes / 1e9 + traffic)


@pytest.mark.parametrize("device", ["cuda:9", "mps"])
def test_a_device_that_is_not_here_is_refused(device: str, tiny_model_folder: Path) -> None:
    if device == "mps" and torch.backends.mps.is_available():
        pytest.skip("this machine has such a device")
    run = RunConfig.model_validate({"model": str(tiny_model_folder), "tasks": ["agreement"], "device": device})
    outline = outline_of(run, "float32")
    for gflops in (None, 100.0):
        with pytest.raises(CornerstoneError, match="has no device"):
            speed_of(outline, run, None, gflops)
    assert dtype_for(run, "H200") == "bfloat16"


def test_the_speed_of_a_gpu_is_that_of_half_precision(tiny_model_folder: Path) -> None:
    run = RunConfig.model_validate({"model": str(tiny_model_folder), "tasks": ["agreement"], "dtype": "float32"})
    with pytest.raises(CornerstoneError, match="H200 is known for bfloat16 and float16 alone"):
        speed_of(outline_of(run, "float32"), run, "H200", None)


def test_a_model_without_layers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "llama", "num_hidden_layers": 0}')
    with pytest.raises(CornerstoneError, match="has no layers"):
        outline_of(ModelConfig(model=str(tmp_path)), "float32")


def test_broken_json_names_the_folder_once(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_')
    with pytest.raises(CornerstoneError, match=f"cannot load {tmp_path.name} from {tmp_path}"):
        outline_of(ModelConfig(model=str(tmp_path)), "float32")
