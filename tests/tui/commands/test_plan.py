"""`cornerstone plan`: what a study costs, in lines and as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from core.cost.gpus import GPUS, gpu_named
from core.cost.report import StudyCost, TaskCost
from core.errors import CornerstoneError
from tests.support.programs import cornerstone
from tui.commands.plan import print_plan

KEYS = (
    "players", "coalitions", "documents", "tokens", "flops", "weight_bytes_per_chunk", "memory_bytes", "store_bytes",
    "seconds", "lm_eval_seconds",
)  # fmt: skip


@pytest.mark.slow
def test_a_study_is_planned_in_lines_and_as_json(tiny_model_folder: Path) -> None:
    asked = ("--model", tiny_model_folder, "--task", "agreement", "--limit", "8", "--schedule", "windows")
    done = cornerstone("plan", *asked, "--gflops", "100")
    assert done.returncode == 0, done.stderr
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    told = json.loads(cornerstone("plan", *asked, "--json").stdout)
    assert all(told[key] > 0 for key in KEYS)
    assert told["measured"]
    assert lines["evaluates"].startswith(f"{told['coalitions']} coalitions x 8 documents")
    assert "100 GFLOPS of products (not measured); the sweep is taken to reach .80 of that" in lines["on"]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "players", "coalitions"), [("llama-3-70b", 160, 635), ("mixtral-8x7b", 64, 251)])
def test_packaged_studies_of_the_paper_are_planned_offline(name: str, players: int, coalitions: int) -> None:
    done = cornerstone("plan", f"paper/{name}", "--offline", "--gpu", "h200", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["players"], told["coalitions"], told["machine"]) == (players, coalitions, "H200")


def task_cost(name: str) -> TaskCost:
    return TaskCost(name, 1000, 145_400, 150_000, 1e15, 9_000_000, 480.0, 900.0, exact=False)


def study_cost(*names: str) -> StudyCost:
    return StudyCost(
        model="llama-3-8b", dtype="bfloat16", players=64, coalitions=251, documents=5500, tokens=318_000,
        padded_tokens=521_800, outcomes=1_380_500, flops=5.52e17, lm_eval_flops=1.9e18, chunks=632,
        weight_bytes=16_100_000_000, weight_bytes_per_chunk=14_000_000_000, memory_bytes=23_300_000_000,
        store_bytes=91_000_000, seconds=100.0, start_seconds=16.0, lm_eval_seconds=50.0, machine="H100-SXM",
        product_flops=989e12, sweep_part=0.5, measured=False, beside_others=False, offloaded=True, at_most=False,
        sure=True, tasks=tuple(map(task_cost, names)),
    )  # fmt: skip


def test_names_of_tasks_never_run_into_their_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    long = "mmlu_high_school_government_and_politics"
    print_plan(study_cost("arc_challenge", long), as_json=False)
    printed = capsys.readouterr().out
    assert f"  {long}  1 000 documents" in printed
    assert f"  {'arc_challenge':<{len(long)}}  1 000 documents" in printed
    assert "989 000 GFLOPS of products (not measured); the sweep is taken to reach .50 of that" in printed
    assert ", .5 times as long" in printed
    assert "about 2 min, 16 s of it to start and to load; a loop over lm-eval " in printed
    assert "another tokenizer cuts the texts" in printed


def test_a_plan_fits_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    print_plan(study_cost("arc_challenge", "piqa"), as_json=False)
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 60
    assert "1 000 documents" in printed


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--gpu", "abacus"), "no GPU 'abacus' is known here"),
        (("--gpu", "A1"), "'A1' may be any of A10, A100-40GB, A100-80GB: give the whole name of one"),
        (("--gpu", "H200", "--gflops", "3"), "not both"),
        (("--gflops", "0"), "--gflops must be more than 0"),
        (("--gflops", "nan"), "--gflops must be more than 0"),
        (("--schedule", "tides"), "tides"),
    ],
)
def test_wrong_options_are_refused_at_once(options: tuple[str, ...], said: str) -> None:
    done = cornerstone("plan", "--task", "agreement", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


@pytest.mark.parametrize("name", ["H100", "h", "", "RTX"])
def test_a_name_that_means_no_gpu_or_several_lists_them(name: str) -> None:
    with pytest.raises(CornerstoneError) as error:
        gpu_named(name)
    asked = name.lower()
    meant = [gpu.name for gpu in GPUS if gpu.name.lower().startswith(asked)]
    assert ", ".join(meant) in str(error.value)


def test_a_gpu_is_found_however_it_is_written() -> None:
    assert gpu_named("NVIDIA H100 SXM").name == gpu_named("h100-s").name == "H100-SXM"
    assert gpu_named("a10").name == "A10"  # and not one of those that begin so
    assert gpu_named("L4").name == "L4"
    assert gpu_named("rtx 4090").flops == next(gpu.flops for gpu in GPUS if gpu.name == "RTX-4090")
