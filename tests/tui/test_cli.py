"""The program in a process of its own, on a tiny real model: streams, exit codes, resuming, tables."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pyarrow import ipc

from core.config.run_config import load_config
from store.results import Results
from tests.support.programs import MAIN, Program, cornerstone, read


@pytest.fixture(scope="module")
def store(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "s.duckdb"
    done = cornerstone(
        "run", "--model", tiny_model_folder, "--task", "agreement", "--limit", "10", "--schedule", "ablation",
        "--schedule", "windows", "--store", path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "on agreement (acc): intact 0." in done.stdout
    assert "Top 3 by Shapley share" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 100
    assert "270 outcomes" in done.stderr
    return path


@pytest.mark.slow
def test_a_run_fills_every_table(store: Path) -> None:
    assert [row["label"] for row in read(store, "ablation")][:3] == ["Attn 0", "FFN 0", "Attn 1"]
    assert len(read(store, "coalitions")) == 27
    assert len(read(store, "outcomes")) == 270
    assert len(read(store, "shapley")) == 16
    (run,) = read(store, "runs")
    assert (run["state"], run["tasks"], run["outcomes"]) == ("finished", ["agreement"], 270)


@pytest.mark.slow
def test_what_is_stored_is_not_evaluated_again(store: Path, tiny_model_folder: Path) -> None:
    done = cornerstone(
        "run", "--model", tiny_model_folder, "--task", "agreement", "--limit", "10", "--remove", "Attn 0",
        "--store", store,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "20 outcomes, 20 already stored" in done.stderr
    assert len(read(store, "outcomes")) == 270


@pytest.mark.slow
def test_order_and_seed_choose_documents(tiny_model_folder: Path, tmp_path: Path) -> None:
    common = ("run", "--model", tiny_model_folder, "--task", "opposites", "--limit", "5", "--remove", "FFN 1")
    for name, options in {"file": ("--order", "file"), "one": ("--seed", "1"), "two": ("--seed", "2")}.items():
        assert cornerstone(*common, *options, "--store", tmp_path / name).returncode == 0
    chosen = {name: {row["doc_id"] for row in read(tmp_path / name, "outcomes")} for name in ("file", "one", "two")}
    assert chosen["file"] == set(range(5))
    assert chosen["one"] != chosen["two"]


@pytest.mark.slow
def test_killed_and_started_again_it_goes_on(tiny_model_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    tasks = [part for name in ("agreement", "capitals", "categories", "opposites") for part in ("--task", name)]
    command = ["run", "--model", str(tiny_model_folder), *tasks, "--schedule", "windows", "--store", str(path)]
    program = Program([*MAIN, *command])
    try:
        while not (path.exists() and _stored(path)):
            assert program.runs(), program.wait()
            time.sleep(0.05)
        program.signal(signal.SIGKILL)
        program.wait(240)
    finally:
        program.end()
    before = _stored(path)
    assert 0 < before < 4 * 120 * 27
    done = cornerstone(*command)
    assert done.returncode == 0, done.stderr
    assert "already stored" in done.stderr
    rows = read(path, "outcomes")
    assert len(rows) == len({(row["task"], row["doc_id"], tuple(row["removed"])) for row in rows}) == 4 * 120 * 27


def _stored(path: Path) -> int:
    return sum(run.outcomes for run in Results(path).runs().rows)


BAD = {
    "no task 'agrement'; did you mean agreement": ("--task", "agrement"),
    "no model './nowhere'": ("--task", "agreement", "--model", "./nowhere"),
    "no layer named 'Attn 77'": ("--task", "agreement", "--remove", "Attn 77"),
    "cannot read .*missing.jsonl": ("--task", "arc_easy=missing.jsonl"),
    "line 2: not JSON": ("--task", "arc_easy=broken.jsonl"),
    "line 1: arc_easy needs 'answerKey'": ("--task", "arc_easy=lacking.jsonl"),
    "line 2: the gold answer 7 is none of its 2": ("--task", "piqa=gold.jsonl"),
    "humaneval cannot be evaluated: it runs the code that the model writes": ("--task", "humaneval"),
    "unknown key 'modle', did you mean 'model'": ("bad.yaml",),
    "unknown key 'task', did you mean 'tasks'": ("task.yaml",),
    "num_fewshot of task 'agreement': should be a whole number, not 'many'": ("shots.yaml",),
    "schedule: no schedule 'windws'; .*did you mean windows": (
        "--task",
        "agreement",
        "--schedule",
        "windws",
    ),
    "device: should be auto, cpu, mps, spread, cuda, .*not 'gpu'": ("--task", "agreement", "--device", "gpu"),
    "no run configuration 'quikstart'; did you mean quickstart": ("quikstart",),
    "remove: '' names no layer": ("--task", "agreement", "--remove", ""),
    "tasks: 'agreement' is named twice": ("--task", "agreement", "--task", "agreement"),
    "no file after = in 'agreement='": ("--task", "agreement="),
    "yaml, line 2: not valid YAML": ("syntax.yaml",),
    "yaml, line 3: not valid YAML \\('limit' appears twice": ("twice.yaml",),
    "no run configuration 'nothing.yaml'": ("nothing.yaml",),
    "no task is named": (),
    "limit: .*greater than or equal to 1": ("--task", "agreement", "--limit", "0"),
    "no device 'cuda:9'": ("--task", "agreement", "--device", "cuda:9"),
    "no grouping of players 'blocks:x'; use one of": ("--task", "agreement", "--players", "blocks:x"),
    "exact needs all 2\\^60 = .* 16 units": (
        "--task",
        "agreement",
        "--model",
        "smollm2-135m-instruct",
        "--schedule",
        "exact",
    ),
    "permutations must be an even number of 8 or more, not 9": ("--task", "agreement", "--permutations", "9"),
    "agreement has no value 'f1'; it has acc": ("--task", "agreement", "--value", "f1"),
    "cannot be fetched offline.*; give a local file: --task NAME=FILE": ("--task", "hellaswag", "--offline"),
}


@pytest.mark.parametrize("sentence", BAD)
def test_what_is_wrong_is_one_sentence_and_leaves_no_store(
    sentence: str, tiny_model_folder: Path, tmp_path: Path
) -> None:
    question = {"question": "q", "choices": {"text": ["a"], "label": ["A"]}, "answerKey": "A"}
    (tmp_path / "broken.jsonl").write_text(json.dumps(question) + "\n{")
    (tmp_path / "lacking.jsonl").write_text(json.dumps({**question, "answerKey": None}) + "\n")
    rows = [{"goal": "g", "sol1": "a", "sol2": "b", "label": label} for label in (0, 7)]
    (tmp_path / "gold.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "bad.yaml").write_text("modle: x\ntasks: [agreement]\n")
    (tmp_path / "task.yaml").write_text("task: [agreement]\n")
    (tmp_path / "shots.yaml").write_text("tasks: [{name: agreement, num_fewshot: many}]\n")
    (tmp_path / "twice.yaml").write_text("tasks: [agreement]\nlimit: 2\nlimit: 3\n")
    (tmp_path / "syntax.yaml").write_text("tasks: [agreement\nmodel: x\n")
    arguments = BAD[sentence]
    model = () if "--model" in arguments else ("--model", tiny_model_folder)
    done = cornerstone("run", *arguments, *model, "--store", tmp_path / "s.duckdb", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("cornerstone: ")
    assert re.search(sentence, last)
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "s.duckdb").exists()


@pytest.mark.parametrize("command", ["run", "path", "proxies", "bench"])
def test_a_wrong_name_is_refused_before_anything_heavy_is_loaded(command: str) -> None:
    program = "import sys; from tui.cli import main\ntry: main()\nfinally: print('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    started = [sys.executable, "-c", program, command, "--task", "agrement"]
    done = subprocess.run(started, capture_output=True, text=True, check=False, env=environment)
    # Another program in its place, as the work is, would not come back to print.
    assert (done.returncode, done.stdout) == (2, "False\n")
    assert done.stderr == "cornerstone: no task 'agrement'; did you mean agreement?\n"


def test_debug_shows_the_traceback() -> None:
    done = cornerstone("run", "--task", "agrement", "--debug")
    assert "Traceback" in done.stderr


def test_unknown_options_exit_with_2() -> None:
    assert cornerstone("run", "--bogus").returncode == 2
    assert cornerstone("results", "ablation", "--format", "xml").returncode == 2


def test_results_without_a_store_say_so(tmp_path: Path) -> None:
    done = cornerstone("results", "ablation", "--store", tmp_path / "none")
    assert (done.returncode, done.stdout) == (2, "")
    assert "cornerstone run" in done.stderr


def test_tables_are_not_cut_when_piped(store: Path) -> None:
    done = cornerstone("results", "outcomes", "--store", store)
    assert "…" not in done.stdout
    assert done.stdout.count("agreement") == 270


@pytest.mark.parametrize("command", [("models",), ("tasks",), ("tasks", "arc_easy"), ("--version",), ("run", "--help")])
def test_what_can_be_named_is_listed(command: tuple[str, ...]) -> None:
    done = cornerstone(*command)
    assert done.returncode == 0, done.stderr
    wanted = {"models": "smollm2-135m-instruct", "tasks": "agreement" if len(command) == 1 else "arc_easy"}
    assert wanted.get(command[0], "cornerstone") in done.stdout


@pytest.mark.slow
def test_doctor_finds_this_installation(tmp_path: Path) -> None:
    done = cornerstone("doctor", "--store", tmp_path / "none")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "torch" in done.stdout


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    heavy = "torch transformers lm_eval datasets scipy pandas"
    code = f"import sys, tui.commands.app, store.results; print([m for m in '{heavy}'.split() if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_configuration_in_the_help_loads(tmp_path: Path) -> None:
    shown = cornerstone("run", "--help").stdout
    path = tmp_path / "my.yaml"
    path.write_text(re.sub(r"(?m)^ ", "", shown[shown.index(" model: ") :]))
    assert [task.name for task in load_config(path, {}).tasks] == ["agreement", "arc_easy"]


def test_a_task_that_is_not_there_is_a_sentence() -> None:
    done = cornerstone("tasks", "agrement")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "cornerstone: no task fits 'agrement'; did you mean agreement?\n"


def test_names_of_tasks_are_whole() -> None:
    done = cornerstone("tasks", "persona_willingness-to-intentionally-make")
    assert "persona_willingness-to-intentionally-make-mistakes-to-achieve-higher-final-performance\n" in done.stdout


def test_a_file_has_the_format_of_its_ending(store: Path, tmp_path: Path) -> None:
    arguments = ("results", "ablation", "--store", store, "-o")
    assert cornerstone(*arguments, tmp_path / "out.json").returncode == 0
    assert len(json.loads((tmp_path / "out.json").read_text())) == 8
    assert cornerstone(*arguments, tmp_path / "out.md").returncode == 0
    assert len((tmp_path / "out.md").read_text().splitlines()) == 2 + 8
    assert cornerstone(*arguments, tmp_path / "out.arrow").returncode == 0
    with ipc.open_file(tmp_path / "out.arrow") as file:
        assert file.read_all()["label"].to_pylist()[:3] == ["Attn 0", "FFN 0", "Attn 1"]
    for target, said in {
        tmp_path: "is a folder; name a file in it",
        tmp_path / "out.txt": "-o writes csv, json, latex, markdown, arrow or parquet: let the file's name end in .csv",
    }.items():
        done = cornerstone(*arguments, target)
        assert done.returncode == 2
        assert said in done.stderr


def test_a_text_format_goes_to_stdout_as_to_a_file(store: Path, tmp_path: Path) -> None:
    for form, ending in (("latex", ".tex"), ("markdown", ".md")):
        path = tmp_path / f"out{ending}"
        assert cornerstone("results", "ablation", "--store", store, "-o", path).returncode == 0
        done = cornerstone("results", "ablation", "--store", store, "--format", form)
        assert (done.returncode, done.stdout) == (0, path.read_text())


def test_an_output_name_that_no_file_can_have_is_one_sentence(store: Path) -> None:
    done = cornerstone("results", "runs", "--store", store, "-o", "a" * 300 + ".csv")
    assert done.returncode == 2
    assert done.stderr.endswith("File name too long\n")
    assert "Traceback" not in done.stderr


def test_workers_of_the_explorer_are_refused_before_it_opens_where_they_cannot_be(tmp_path: Path) -> None:
    asked = ("--task", "agreement", "--workers", "2", "--device", "spread")
    done = cornerstone("explore", *asked, "--store", tmp_path / "s.duckdb")
    assert (done.returncode, done.stdout) == (2, "")
    assert "a model that is spread over several has no workers" in done.stderr


def test_the_explorer_without_a_terminal_is_one_sentence(tmp_path: Path) -> None:
    done = cornerstone("explore", "--store", tmp_path / "s.duckdb")
    assert (done.returncode, done.stdout) == (2, "")
    assert "needs a terminal" in done.stderr
