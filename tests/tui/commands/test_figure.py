"""`cornerstone figure` on a real store: every kind and ending, bad questions as one sentence, matplotlib optional."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner, Result

from core.coalitions.grouping import grouping
from core.coalitions.players import players_of
from core.coalitions.schedules import ablation
from core.errors import CornerstoneError
from tests.support.open_store import open_for_reading
from tests.support.refusals import refusal
from tests.support.screen_host import EVERY_WINDOW, fill
from tests.support.store_records import KINDS, PLAYERS, assignment, documents, keep, keep_all, outcome, task
from tui.commands.app import app

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("store") / "s.duckdb"
    fill(path)
    right = {removed: [float(len(removed) < 2)] * 4 for removed in EVERY_WINDOW}
    keep_all(path, assignment(documents(range(4)), EVERY_WINDOW, of_task=task("opposites")), right, run_id="b")
    keep(path, assignment(documents([0]), [()], of_task=task("lacking")), [outcome("doc-0")], run_id="c")
    with open_for_reading(path):
        yield path


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
    assert "some layers" not in done.stderr
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


@pytest.mark.slow
def test_players_walks_seed_and_tolerance_are_those_asked_for(tmp_path: Path) -> None:
    path, layers = tmp_path / "s.duckdb", grouping("layers", players_of(KINDS))
    sets = [layers.removed(units) for size in range(4) for units in itertools.combinations(range(3), size)]
    acc = {removed: [float(len(removed) < 4), 1.0, float(0 not in removed)] for removed in sets}
    keep_all(path, assignment(documents(range(3)), sets), acc)
    asking = ("--store", path, "--players", "layers", "--estimator")
    walks = ("permutation", "--permutations", "8", "--seed", "3", "--tolerance", "0")
    for kind in ("shapley", "shares"):
        for at, estimator in enumerate((walks, ("exact",))):
            done = asked(kind, *asking, *estimator, "-o", tmp_path / f"{kind}-{at}.svg")
            assert done.exit_code == 0, done.exception
            written = " ".join(words(tmp_path / f"{kind}-{at}.svg"))
            assert "Layer 0" in written
            how = "exact, players layers" if at else "permutation, 8 walks, seed 3, tolerance 0, players layers"
            assert how in written
    refused = asked("shapley", *asking, *walks[:2], "9", "-o", "a.svg").exception
    assert "permutations must be an even number of 8 or more, not 9" in str(refused)


def test_documents_that_differ_within_a_panel_are_told(tmp_path: Path) -> None:
    path, few, more = tmp_path / "s.duckdb", ablation(PLAYERS)[:4], ablation(PLAYERS)
    recorder = keep_all(path, assignment(documents(range(3)), more), {removed: [1.0, 0.0, 1.0] for removed in more})
    rest = assignment(documents(range(3, 5)), few)
    recorder.assign("run1", rest)
    recorder.record("run1", rest, [outcome(one.key, removed) for removed in few for one in rest.documents])
    done = asked("ablation", "--store", path, "-o", tmp_path / "a.svg")
    assert "note: tiny on capitals: some layers are of 3 documents and others of up to 5, so they" in done.stderr
    assert "capitals (n = 3 to 5)" in words(tmp_path / "a.svg")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("ablation", "-o", "a.jpg"), r"let it end in \.svg, \.pdf or \.png"),
        (("ablation", "-o", "a.svg", "--task", "capitols"), "no task 'capitols' in the store; did you mean capitals"),
        (("shapley", "-o", "a.svg", "--estimator", "window"), "no estimator 'window'"),
        (("shares", "-o", "a.svg", "--task", "lacking"), "18 of 19 coalitions are missing"),
        (("interactions", "-o", "a.svg", "--max-removed", "1"), "windows of at least 2 players"),
        (("ablation", "-o", "a.svg", "--players", "layers"), "ablation is of single sublayers; --players is for shap"),
        (("shapley", "-o", "a.svg", "--players", "heads"), "no grouping of players 'heads'"),
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


def test_no_output_takes_the_place_of_the_store_that_is_read(store: Path, tmp_path: Path) -> None:
    drawn = tmp_path / "store.svg"
    shutil.copy(store, drawn)
    content = drawn.read_bytes()
    said = refusal(asked("ablation", "--store", drawn, "-o", drawn, "--force"))
    assert "store.svg is a database or its log, which is not replaced; name another file" in " ".join(said.split())
    assert drawn.read_bytes() == content


def test_a_file_is_kept_without_force(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_text("precious")
    assert "exists; add --force" in refusal(asked("ablation", "--store", store, "-o", path))
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
