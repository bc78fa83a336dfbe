"""Reading the paper's tables from a real store: which tasks, which metric, what is missing and what fills it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from core.coalitions.players import Removed
from core.coalitions.schedules import ablation, windows
from core.config.gap import Gap, PackagedStudy
from core.config.run_config import RunConfig
from core.errors import CornerstoneError, Mend
from core.estimators.registry import estimator_named
from core.paper.report import report
from store.reading.paper import PaperSelection, read_paper
from store.results import Results
from tests.support.store_records import (
    PLAYERS,
    assignment,
    data,
    documents,
    drawn_scores,
    keep,
    keep_all,
    model,
    outcome,
    task,
    to_run,
)

WINDOWS = windows(PLAYERS, 4)

scores = partial(drawn_scores, intact=0.8, lost=0.1)


def fill(
    path: Path,
    name: str,
    coalitions: Sequence[Removed] = WINDOWS,
    n: int = 6,
    config: RunConfig | None = None,
    **task_settings: object,
) -> None:
    asked = assignment(documents(range(n), prefix=name), coalitions, of_task=task(name, **task_settings))  # type: ignore[arg-type]
    keep_all(path, asked, scores(coalitions, n), run_id=f"run-{name}", config=config)


def test_the_value_is_acc_norm_where_the_task_has_it_else_acc(path: Path) -> None:
    fill(path, "piqa")
    fill(path, "boolq", means=("acc",))
    (read,) = read_paper(path).models
    assert [(each.task, each.value) for each in read.tasks] == [("boolq", "acc"), ("piqa", "acc_norm")]
    (asked,) = read_paper(path, PaperSelection(value="acc")).models
    assert {each.value for each in asked.tasks} == {"acc"}


def test_what_is_read_is_what_is_stored(path: Path) -> None:
    fill(path, "boolq")
    (read,) = read_paper(path, PaperSelection(value="acc", estimator="window-ends")).models
    (found,) = read.tasks
    stored = {removed: np.array(values) for removed, values in scores(WINDOWS, 6).items()}
    assert found.intact is not None
    assert found.ablated is not None
    assert found.contributions is not None
    assert found.intact.tolist() == stored[()].tolist()
    assert found.ablated.tolist() == [stored[(player,)].tolist() for player in range(PLAYERS)]
    expected = estimator_named("window-ends").contributions(stored, PLAYERS)
    assert np.allclose(found.contributions, expected)
    assert (found.chance, found.size) == (0.25, 100)


def test_tables_and_results_agree(path: Path) -> None:
    fill(path, "boolq")
    tables = report(read_paper(path, PaperSelection(value="acc")).models[0])
    drops = [row.drop for row in Results(path).ablation().rows]
    shares = sorted((row.share or 0.0 for row in Results(path).shapley(estimator="window-first").rows), reverse=True)
    assert tables.chosen is not None
    assert tables.cornerstone_drop is not None
    assert tables.other_drop is not None
    assert tables.top3 is not None
    assert tables.top3.clipped is not None
    assert tables.top3.clipped.estimate == pytest.approx(sum(shares[:3]))
    named = tables.chosen.players
    assert tables.cornerstone_drop.unclipped.estimate == pytest.approx(np.mean([drops[at] for at in named]))
    others = [drop for at, drop in enumerate(drops) if at not in named]
    assert tables.other_drop.clipped.estimate == pytest.approx(np.mean(np.maximum(others, 0)))


def test_only_the_papers_tasks_count_unless_others_are_named_or_all_there_is(path: Path) -> None:
    fill(path, "capitals")
    read = read_paper(path)
    assert [each.task for each in read.models[0].tasks] == ["capitals"]
    assert any("none of the paper's tasks is stored" in note for note in read.notes)
    fill(path, "boolq")
    read = read_paper(path)
    assert [each.task for each in read.models[0].tasks] == ["boolq"]
    assert any("capitals is none of the paper's tasks" in gap.what for gap in read.gaps)
    named = read_paper(path, PaperSelection(tasks=("capitals", "boolq")))
    assert [each.task for each in named.models[0].tasks] == ["boolq", "capitals"]


def test_ablations_alone_fill_what_they_can_and_the_rest_is_missing(path: Path) -> None:
    fill(path, "boolq", ablation(PLAYERS))
    read = read_paper(path)
    tables = report(read.models[0])
    assert (tables.top3, tables.pooled) == (None, None)
    assert tables.chosen is not None
    assert tables.chosen.by == "drop"
    assert tables.other_drop is not None
    (gap,) = read.gaps
    assert "12 of 19 coalitions are missing" in gap.what
    assert gap.fill == to_run(tasks="boolq", schedule="windows")


def test_half_an_ablation_is_partial_and_left_out(path: Path) -> None:
    asked = assignment(documents(range(3)), [(), (0,)], of_task=task("boolq"))
    keep_all(path, asked, scores([(), (0,)], 3))
    read = read_paper(path)
    assert read.models[0].tasks[0].ablated is None
    assert any("partial: no document has all 6 players removed alone (1 of them" in gap.what for gap in read.gaps)
    tables = report(read.models[0])
    assert (tables.chosen, tables.other_drop) == (None, None)


def test_without_the_intact_model_that_is_what_lacks(path: Path) -> None:
    fill(path, "boolq", ablation(PLAYERS)[1:])
    gaps = read_paper(path).gaps
    assert any("the intact model, which every removal is measured against, is not stored" in gap.what for gap in gaps)
    assert not any("removed alone" in gap.what for gap in gaps)


def test_chance_is_of_the_documents_that_are_counted(path: Path) -> None:
    of = task("boolq")
    everywhere, elsewhere = documents(range(4), prefix="a"), documents(range(4, 12), prefix="b", choices=2)
    keep_all(path, assignment(everywhere, ablation(PLAYERS), of_task=of), scores(ablation(PLAYERS), 4))
    keep_all(path, assignment(elsewhere, [(), (0, 1)], of_task=of), scores([(), (0, 1)], 8), run_id="run2")
    (found,) = read_paper(path).models[0].tasks
    assert found.intact is not None
    assert (len(found.intact), found.chance) == (4, 0.25)


def test_a_task_that_one_of_the_models_lacks_is_said_and_the_rest_shown(path: Path) -> None:
    fill(path, "boolq")
    fill(path, "piqa")
    of_other = assignment(documents(range(6), prefix="boolq"), WINDOWS, of_task=task("boolq"), of_model=model("other"))
    keep_all(path, of_other, scores(WINDOWS, 6), run_id="run-other")
    read = read_paper(path, PaperSelection(models=("other", "tiny"), tasks=("boolq", "piqa")))
    assert [(each.model, [one.task for one in each.tasks]) for each in read.models] == [
        ("other", ["boolq"]),
        ("tiny", ["boolq", "piqa"]),
    ]
    assert Gap("other: piqa is not stored") in read.gaps
    with pytest.raises(CornerstoneError, match="no task 'piqa'"):
        read_paper(path, PaperSelection(models=("other",), tasks=("piqa",)))


def test_it_says_what_the_paper_has_and_the_store_has_not(path: Path) -> None:
    fill(path, "boolq")
    schedules = ["ablation", "windows"]
    (few,) = (gap for gap in read_paper(path).missing if "fewer documents" in gap.what)
    # The data set holds 100.
    assert "fewer documents than the paper's 1000 (boolq 6)" in few.what
    assert few.fill == to_run(tasks="boolq", limit=1000, schedule=schedules)
    (tasks,) = (gap for gap in read_paper(path).missing if "of the paper's tasks" in gap.what)
    absent = ["piqa", "winogrande", "arc_easy", "arc_challenge", "openbookqa"]
    assert f"{', '.join(absent)} are not stored" in tasks.what
    assert tasks.fill == to_run(tasks=absent, limit=1000, num_fewshot=0, schedule=schedules)
    models = {gap.what: gap.fill for gap in read_paper(path).missing if "nothing is stored" in gap.what}
    assert models["nothing is stored of the paper's Mixtral-8x7B"] == PackagedStudy("paper/mixtral-8x7b")
    assert len(models) == 3
    alone = read_paper(path, PaperSelection(models=("tiny",))).missing
    assert not any("nothing is stored" in gap.what for gap in alone)


@pytest.mark.parametrize("name", ["tiny", "llama-3-8b"])
def test_a_model_in_another_dtype_is_filled_in_that_dtype(path: Path, name: str) -> None:
    for dtype in ("auto", "bfloat16"):
        asked = assignment(
            documents(range(6), prefix="boolq"), WINDOWS, of_model=model(name, dtype), of_task=task("boolq")
        )
        config = to_run(model=name, tasks="boolq", dtype=dtype)
        keep_all(path, asked, scores(WINDOWS, 6), run_id=f"run-{dtype}", config=config)
    fills = [gap.fill for gap in read_paper(path).missing if "of the paper's tasks" in gap.what]
    dtypes = [fill.dtype for fill in fills if isinstance(fill, RunConfig)]
    assert (len(fills), sorted(dtypes)) == (2, ["auto", "bfloat16"] if name == "tiny" else ["bfloat16"])
    assert (PackagedStudy(f"paper/{name}") in fills) == (name != "tiny")


def test_tasks_of_other_settings_are_filled_by_runs_of_their_own(path: Path) -> None:
    for name, shots, seed in (("boolq", 0, 1), ("piqa", 5, 2)):
        fill(path, name, config=to_run(tasks=name, num_fewshot=shots, seed=seed), shots=shots)
    first, second = (gap for gap in read_paper(path).missing if "fewer documents" in gap.what)
    assert ("(boolq 6)" in first.what, "(piqa 6)" in second.what) == (True, True)
    asked = {"limit": 1000, "schedule": ["ablation", "windows"]}
    assert first.fill == to_run(tasks="boolq", num_fewshot=0, seed=1, **asked)
    assert second.fill == to_run(tasks="piqa", num_fewshot=5, seed=2, **asked)


def test_what_fills_it_is_a_study_of_players_whatever_was_asked_of_groups(path: Path) -> None:
    config = to_run(tasks="boolq", schedule="windows", players="layers", max_removed=2, until_top=1)
    fill(path, "boolq", config=config)
    (few,) = (gap for gap in read_paper(path).missing if "fewer documents" in gap.what)
    assert few.fill == to_run(tasks="boolq", limit=1000, schedule=["ablation", "windows"])


def test_of_a_task_stored_in_several_ways_the_one_of_the_most_documents_is_read(path: Path) -> None:
    fill(path, "boolq", n=3)
    more = assignment(documents(range(7), prefix="other"), WINDOWS, of_task=task("boolq"), of_data=data("other"))
    keep_all(path, more, scores(WINDOWS, 7), run_id="more")
    read = read_paper(path)
    (found,) = read.models[0].tasks
    assert found.intact is not None
    assert len(found.intact) == 7
    assert any(f"boolq@{found.task_id} has the most documents" in gap.what for gap in read.gaps)


def test_models_of_one_name_stay_apart(path: Path) -> None:
    fill(path, "boolq")
    half = assignment(
        documents(range(6), prefix="boolq"), WINDOWS, of_model=model(dtype="float16"), of_task=task("boolq")
    )
    keep_all(path, half, scores(WINDOWS, 6, seed=1), run_id="half")
    found = read_paper(path).models
    assert [each.model for each in found] == ["tiny", "tiny"]
    assert len({each.model_id for each in found}) == 2


def test_one_document_is_answered_without_anything_undefined(path: Path) -> None:
    fill(path, "boolq", n=1)
    tables = report(read_paper(path).models[0])
    rows = Results(path).cornerstones().rows
    assert len(rows) == PLAYERS
    assert {row.cornerstone for row in rows} <= {"open", "no"}
    numbers = [number for row in rows for number in (row.collapse, row.share, row.share_low, row.collapse_high)]
    assert all(number is None or np.isfinite(number) for number in numbers)
    assert tables.tasks[0].shapley_documents == 1


def test_a_task_without_an_accuracy_is_left_out_and_alone_refused(path: Path) -> None:
    keep(path, assignment(documents(range(2)), [()], of_task=task("wiki", means=("bleu",))), [outcome("doc-0")])
    with pytest.raises(CornerstoneError, match="wiki has no acc that is a mean"):
        read_paper(path)


def test_what_fits_nothing_is_one_sentence(path: Path) -> None:
    with pytest.raises(CornerstoneError, match=r"no results at .* yet") as refused:
        read_paper(path)
    assert refused.value.mend == Mend.MAKE_RESULTS
    fill(path, "boolq")
    with pytest.raises(CornerstoneError, match="no task 'bolq' in the store; did you mean boolq"):
        read_paper(path, PaperSelection(tasks=("bolq",)))
    with pytest.raises(CornerstoneError, match="window-first or window-ends"):
        read_paper(path, PaperSelection(estimator="exact"))
