"""`cornerstone figure` on a real store: every kind and ending, bad questions as one sentence, matplotlib optional."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner, Result

from core.errors import CornerstoneError
from tests.store.records import assignment, documents, keep, keep_all, outcome, task
from tests.tui.screens.host import EVERY_WINDOW, fill
from tui.cli import app

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "s.duckdb"
    fill(path)
    right = {removed: [float(len(removed) < 2)] * 4 for removed in EVERY_WINDOW}
    keep_all(path, assignment(documents(range(4)), EVERY_WINDOW, of_task=task("opposites")), right, run_id="b")
    keep(path, assignment(documents([0]), [()], of_task=task("lacking")), [outcome("doc-0")], run_id="c")
    return path


def asked(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["figure", *map(str, arguments)])


def words(path: Path) -> list[str]:
    return ["".join(one.itertext()) for one in ElementTree.parse(path).iter(f"{SVG}text")]


@pytest.mark.parametrize("kind", ["ablation", "shapley", "shares", "interactions"])
def test_every_kind_draws_what_is_stored_and_says_what_it_left_out(store: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.svg"
    done = asked(kind, "--store", store, "-o", path)
    assert done.exit_code == 0, done.exception
    assert done.stdout == ""
    assert f"wrote {path}" in done.stderr
    assert "left out: tiny on lacking" in done.stderr
    written = " ".join(words(path))
    assert "capitals" in written
    assert "tiny" in written
    assert "opposites" in written
    assert ("window-first" in written) == (kind in {"shapley", "shares"})


def test_tasks_value_estimator_and_width_are_those_asked_for(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    options = ("--store", store, "--task", "capitals", "--value", "acc_norm", "--width", "column", "-o", path)
    assert asked("shapley", *options, "--estimator", "window-ends", "--max-removed", "2").exit_code == 0
    written = " ".join(words(path))
    assert "opposites" not in written
    assert "window-ends, windows of up to 2" in written
    assert "Shapley value (acc_norm)" in written
    assert ElementTree.parse(path).getroot().get("width") == "241.2pt"
    assert asked("ablation", *options[:4], "--task", "opposites", "-o", path, "--force").exit_code == 0
    assert [word for word in words(path) if "n = " in word] == ["capitals (n = 6)", "opposites (n = 4)"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("ablation", "-o", "a.jpg"), r"let it end in \.svg, \.pdf or \.png"),
        (("ablation", "-o", "a.svg", "--task", "capitols"), "no task 'capitols' in the store; did you mean capitals"),
        (("shapley", "-o", "a.svg", "--estimator", "window"), "no estimator 'window'"),
        (("shares", "-o", "a.svg", "--task", "lacking"), "18 of 19 coalitions are missing"),
        (("interactions", "-o", "a.svg", "--max-removed", "1"), "windows of at least 2 players"),
    ],
)
def test_bad_questions_are_one_sentence(
    store: Path, tmp_path: Path, arguments: tuple[str, ...], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = asked(*arguments, "--store", store)
    assert isinstance(done.exception, CornerstoneError)
    assert done.exit_code == 1  # main() makes it 2, and the sentence
    with pytest.raises(CornerstoneError, match=sentence):
        raise done.exception
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_kept_without_force(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_text("precious")
    assert "exists; add --force" in str(asked("ablation", "--store", store, "-o", path).exception)
    assert path.read_text() == "precious"
    assert asked("ablation", "--store", store, "-o", path, "--force").exit_code == 0
    assert path.read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_it_says_what_to_install_and_the_rest_works(store: Path, tmp_path: Path) -> None:
    without = "import sys; sys.modules['matplotlib'] = None; from tui.cli import main; main()"
    figure = [sys.executable, "-c", without, "figure", "ablation", "--store", str(store), "-o", str(tmp_path / "a.svg")]
    done = subprocess.run(figure, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "cornerstone: figures need matplotlib, which is not installed: pip install 'cornerstone[figures]'\n"
    )
    table = [sys.executable, "-c", without, "results", "interactions", "--store", str(store), "--task", "capitals"]
    assert "FFN 2" in subprocess.run(table, capture_output=True, text=True, check=True).stdout
