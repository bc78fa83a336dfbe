"""`cornerstone run` for a person: its report, its progress bars on a terminal, its end when it is stopped."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from core.errors import CornerstoneError
from store.results import Results
from tests.support.other_values import BIASES, PAGES, VALUELESS, biases, pages, valueless
from tests.support.programs import MAIN, PROGRAM, Program, cornerstone

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def store(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "s.duckdb"
    done = cornerstone("run", "--model", tiny_model_folder, "--task", "agreement", "--limit", "12", "--store", path)
    assert done.returncode == 0, done.stderr
    return path


@pytest.mark.slow
def test_a_run_reports_what_it_was_asked_whatever_else_is_stored(store: Path, tiny_model_folder: Path) -> None:
    done = cornerstone("run", "--model", tiny_model_folder, "--task", "agreement", "--limit", "4", "--store", store)
    assert "n=4" in done.stdout
    run = Results(store).runs().rows[0].run
    assert f"`cornerstone results ablation --run {run} --store {store} --format csv`" in done.stderr


@pytest.mark.slow
def test_a_run_says_first_what_it_costs(store: Path, tiny_model_folder: Path) -> None:
    asked = ("--model", tiny_model_folder, "--task", "agreement", "--limit", "3", "--schedule", "windows")
    done = cornerstone("run", *asked, "--store", store)
    assert done.returncode == 0, done.stderr
    cost = json.loads(cornerstone("plan", *asked, "--gflops", "1", "--json").stdout)
    counts = f"{cost['coalitions']} coalitions x 3 documents x agreement: {cost['outcomes']} outcomes"
    lines = done.stderr.splitlines()
    (told,) = [number for number, line in enumerate(lines) if line.startswith(counts)]
    (begun,) = [number for number, line in enumerate(lines) if line.startswith("windows of")][:1]
    assert told < begun
    assert " more in the store, about " in lines[told]
    assert lines[told].endswith("what is stored already is not evaluated again")


def test_hand_picked_sets_are_a_table_with_labels_and_drops(store: Path, tiny_model_folder: Path) -> None:
    done = cornerstone(
        "run", "--model", tiny_model_folder, "--task", "agreement", "--limit", "6", "--remove", "FFN 1, Attn 2",
        "--store", store,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert re.match(r" removed +n +acc +se +drop +95% interval", next(line for line in lines if "drop" in line))
    (intact,) = [line for line in lines if "intact" in line]
    (picked,) = [line for line in lines if "FFN 1, Attn 2" in line]
    assert re.search(r"intact +6 +0\.\d{3} +0\.\d{3} *$", intact)
    assert re.search(r" 6 +0\.\d{3} +0\.\d{3} +[+-]0\.\d{3} +[+-]\d\.\d{3} to [+-]\d\.\d{3} *$", picked)
    assert len([line for line in lines if re.search(r"\d\.\d{3}", line)]) == 2
    assert "`cornerstone results coalitions --run" in done.stderr


@pytest.mark.slow
def test_a_task_without_accuracy_is_reported_by_its_first_mean(tiny_model_folder: Path, tmp_path: Path) -> None:
    done = cornerstone(
        "run", "--model", tiny_model_folder, "--task", f"{BIASES}={biases(tmp_path)}", "--schedule", "ablation",
        "--schedule", "windows", "--max-removed", "1", "--store", tmp_path / "s.duckdb",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.search(rf"on {BIASES} \(likelihood_diff\): intact \d", done.stdout)
    assert "(likelihood_diff, window-first" in done.stdout
    command = re.search(r"`cornerstone (results shapley .*)`", done.stderr)
    assert command is not None
    assert "--value likelihood_diff" in command[1]
    exported = cornerstone(*command[1].split())
    assert exported.returncode == 0, exported.stderr
    assert len(exported.stdout.splitlines()) == 1 + 2 * 8  # both readings of windows


@pytest.mark.slow
def test_a_task_without_any_value_says_so_and_where_its_outcomes_are(tiny_model_folder: Path, tmp_path: Path) -> None:
    done = cornerstone(
        "run", "--model", tiny_model_folder, "--task", VALUELESS, "--include-path", valueless(tmp_path),
        "--remove", "Attn 0", "--store", tmp_path / "s.duckdb",
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "surprise has no score to show; `cornerstone results outcomes` has every document" in done.stderr
    assert "`cornerstone results outcomes --run" in done.stderr


@pytest.mark.slow
def test_a_rolling_task_is_shown_by_its_bits_per_byte(tiny_model_folder: Path, tmp_path: Path) -> None:
    store = tmp_path / "s.duckdb"
    asked = ("--model", tiny_model_folder, "--task", f"{PAGES}={pages(tmp_path)}", "--store", store)
    done = cornerstone("run", *asked, "--schedule", "windows", "--schedule", "ablation")
    assert done.returncode == 0, done.stderr
    assert "(bits_per_byte, lower is better): intact" in done.stdout
    for table in ("scores", "ablation", "coalitions", "shapley", "interactions"):
        read = cornerstone("results", table, "--store", store)
        assert read.returncode == 0, read.stderr
        assert "lower is better" in read.stdout + read.stderr, table
    stopped = cornerstone("run", *asked, "--schedule", "windows", "--until-top", "2")
    assert (stopped.returncode, "Traceback" in stopped.stderr) == (2, False)
    assert "bits_per_byte is a ratio of sums" in stopped.stderr


@pytest.mark.slow
def test_on_a_terminal_no_bar_stays_and_no_result_is_erased(store: Path, tiny_model_folder: Path) -> None:
    shown = on_terminal(
        "run", "--model", tiny_model_folder, "--task", "agreement", "--limit", "14", "--schedule", "ablation",
        "--schedule", "windows", "--store", store,
    )  # fmt: skip
    bars = list(re.finditer(r"\x1b\[\?25l.*?\x1b\[\?25h", shown, re.DOTALL))
    assert len(bars) == 2
    assert all(shown[bar.end() :].startswith("\r\x1b[1A\x1b[2K") for bar in bars)
    for result in ("(acc): intact", "FFN 3", "Top 3 by Shapley share"):
        assert result in re.sub(r"\x1b\[\?25l.*?\x1b\[\?25h", "", shown, flags=re.DOTALL)
        assert not any(result in bar[0] for bar in bars)
    assert "-:--:--" not in shown


def on_terminal(*arguments: str | Path) -> str:
    """Everything that the program writes to a terminal of 100 columns."""
    pid, terminal = pty.fork()
    if pid == 0:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100"}
        os.execve(sys.executable, [*PROGRAM, *map(str, arguments)], environment)
    shown = b""
    try:
        while part := os.read(terminal, 65536):
            shown += part
    except OSError:  # how Linux says that the other end is closed
        pass
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, shown
    return shown.decode()


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGTERM, 143),
        pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, 129, marks=pytest.mark.slow),
    ],
)
def test_stopped_from_outside_it_says_so_and_notes_it(
    number: signal.Signals, code: int, tiny_model_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "s.duckdb"
    # Every window of every shipped task: work enough that the signal comes in its middle.
    tasks = [part for name in ("capitals", "agreement", "categories", "opposites") for part in ("--task", name)]
    schedule = ["--schedule", "windows", "--max-removed", "8"]
    program = Program([*MAIN, "run", "--model", str(tiny_model_folder), *tasks, *schedule, "--store", str(path)])
    try:
        while not (path.exists() and Results(path).runs().rows):
            assert program.runs(), program.wait()
            time.sleep(0.02)
        program.signal(number)
        done = program.wait(240)
    finally:
        program.end()
    said = done.stderr
    assert done.returncode == code, said
    by = rf"stopped by [^,]*{number.name}[^.]*, "
    end = by + r"(before anything|with [\d ]+ of [\d ]+ outcomes of windows of 1 to 8 on \w+ kept for .*same command)"
    assert re.match(end, said.strip().splitlines()[-1])
    assert "Traceback" not in said
    (run,) = Results(path).runs().rows
    assert run.state == "stopped"


@pytest.mark.slow
def test_when_the_terminal_goes_a_run_ends_and_notes_it(tiny_model_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    pid, terminal = pty.fork()
    if pid == 0:
        arguments = ["run", "--model", tiny_model_folder, "--task", "capitals", "--task", "agreement"]
        arguments += ["--schedule", "windows", "--max-removed", "8", "--store", path]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
        os.execve(sys.executable, [*PROGRAM, *map(str, arguments)], environment)
    while not (path.exists() and Results(path).runs().rows):
        os.read(terminal, 65536)
    os.close(terminal)
    os.waitpid(pid, 0)
    (run,) = Results(path).runs().rows
    assert run.state == "stopped"
    assert run.finished is not None


@pytest.mark.slow
def test_a_run_that_was_killed_is_no_longer_running(tiny_model_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    asked = ["run", "--model", str(tiny_model_folder), "--task", "capitals", "--task", "agreement"]
    asked += ["--schedule", "windows"]
    program = Program([*MAIN, *asked, "--max-removed", "8", "--store", str(path)])
    try:
        while not (path.exists() and _has_results(path)):
            assert program.runs(), program.wait()
        (run,) = Results(path).runs().rows
        assert run.state == "running"
        program.signal(signal.SIGKILL)
        program.wait(240)
    finally:
        program.end()
    (run,) = Results(path).runs().rows
    assert run.state == "stopped"
    assert run.finished is None
    assert not any("writing" in str(gap) for gap in Results(path).shapley().gaps)


def _has_results(path: Path) -> bool:
    with suppress(CornerstoneError):
        return bool(Results(path).coalitions().rows)
    return False


@pytest.mark.slow
def test_a_group_is_a_line_for_each_task_and_the_whole(tiny_model_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "words.yaml"
    path.write_text("group: words\ntask: [agreement, capitals]\naggregate_metric_list: [{metric: acc}]\n")
    done = cornerstone(
        "run", "--model", tiny_model_folder, "--task", path, "--limit", "4", "--schedule", "ablation",
        "--schedule", "windows", "--max-removed", "2", "--remove", "FFN 0,FFN 1", "--store", tmp_path / "s.duckdb",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "the group words has 2 tasks, and a limit on documents holds for each of them" in done.stderr
    assert len(re.findall(r"on the tasks of words, ", done.stdout)) == 3
    for name in ("agreement", "capitals"):
        assert re.search(rf"^ *{name} +4 +\d\.\d{{3}} +\d\.\d{{3}} +\w+ \d +[+-]", done.stdout, re.MULTILINE)
        assert re.search(rf"^ *{name} +FFN 0, FFN 1 +4 ", done.stdout, re.MULTILINE)
    assert re.search(r"on words \(acc\): intact \d\.\d{3}, chance 0\.375, n=8", done.stdout)
    assert re.search(r"by Shapley share of tiny-llama on words", done.stdout)
    exported = cornerstone(
        "results", "ablation", "--task", "words", "--store", tmp_path / "s.duckdb", "--format", "csv"
    )
    assert len(exported.stdout.splitlines()) == 1 + 3 * 8


@pytest.mark.slow
def test_code_of_a_task_is_refused_at_once_unless_it_is_trusted(tiny_model_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("def text(doc):\n    return doc['text']\n")
    task = tmp_path / "mine.yaml"
    task.write_text(
        "task: mine\noutput_type: multiple_choice\ndoc_to_text: !function code.text\n"
        "doc_to_choice: choices\ndoc_to_target: gold\n"
    )
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"text": "a", "choices": ["b", "c"], "gold": 0}\n')
    asked = ("run", "--model", tiny_model_folder, "--task", f"{task}={rows}", "--remove", "FFN 0")
    asked = (*asked, "--store", tmp_path / "s.duckdb")
    refused = cornerstone(*asked)
    assert refused.returncode == 2
    assert "mine runs code of its own (!function code.text)" in refused.stderr
    assert "read it, then add --trust-task-code" in refused.stderr
    assert not (tmp_path / "s.duckdb").exists()
    done = cornerstone(*asked, "--trust-task-code")
    assert done.returncode == 0, done.stderr
