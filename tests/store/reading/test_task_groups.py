"""Results by group of tasks: its tasks by its name, and the whole with lm-eval's weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from core.coalitions.players import Removed
from core.coalitions.schedules import ablation
from core.config.run_config import RunConfig
from core.errors import CornerstoneError
from core.records.records import RunRecord
from core.records.task_group import TaskGroup, with_groups
from core.values.derived import derived_values
from store.recorder import StoreRecorder
from store.results import Results, Selection
from tests.support.store_records import PLAYERS, assignment, data, documents, outcome, task, to_run
from tui.drawing.command_line import run_command

SETS = ablation(PLAYERS)
SIZES = {"large": 6, "small": 2}
ALIKE = TaskGroup("alike", ("large", "small"), (("acc", False),))
SIZED = TaskGroup("sized", ("large", "small"), (("acc", True),))
TAG = TaskGroup("tag", ("large", "small"))


def scores(name: str, removed: Removed) -> list[float]:
    """Return scores of 0 and 1 that differ by task and by removed set."""
    rng = np.random.default_rng([len(name), *removed])
    return (rng.random(SIZES[name]) < 0.6).astype(float).tolist()


def store(
    path: Path,
    *groups: TaskGroup,
    run: str = "run1",
    tasks: Sequence[str] = ("large", "small"),
    sets: Mapping[str, Sequence[Removed]] | None = None,
    others: Sequence[str] = (),
) -> Results:
    """Store a run of some tasks, each under all ablations or those in ``sets``; it named also ``others``."""
    config = to_run(tasks=[{"name": name, "data": f"/rows/{name}.jsonl"} for name in (*tasks, *others)])
    recorder = StoreRecorder(path, patience=5)
    recorder.begin(RunRecord(run, "cornerstone run", with_groups(config.model_dump(mode="json"), groups), "{}", 0))
    for name in tasks:
        docs = documents(range(SIZES[name]), prefix=name)
        asked = assignment(docs, (sets or {}).get(name, SETS), of_task=task(name), of_data=data(name))
        recorder.assign(run, asked)
        found = [
            outcome(document.key, removed, value)
            for removed in asked.coalitions
            for document, value in zip(docs, scores(name, removed), strict=True)
        ]
        recorder.record(run, asked, found)
    recorder.finish(run, "finished")
    return Results(path)


@pytest.mark.parametrize(("group", "by_size"), [(SIZED, True), (ALIKE, False)])
def test_the_whole_is_weighed_by_documents_or_by_tasks(path: Path, group: TaskGroup, by_size: bool) -> None:
    def mean(removed: Removed) -> float:
        each = [scores(name, removed) for name in SIZES]
        return float(np.mean(np.concatenate(each)) if by_size else np.mean([np.mean(one) for one in each]))

    results = store(path, group)
    rows = results.ablation(Selection(task=group.name)).rows
    whole = [row for row in rows if row.task == group.name]
    assert [row.task for row in rows] == [group.name] * PLAYERS + ["large"] * PLAYERS + ["small"] * PLAYERS
    assert [row.acc for row in whole] == pytest.approx([mean((player,)) for player in range(PLAYERS)])
    assert [row.drop for row in whole] == pytest.approx([mean(()) - mean((player,)) for player in range(PLAYERS)])
    assert all(row.drop_low < row.drop < row.drop_high and row.n == 8 and row.chance == 0.25 for row in whole)
    assert [row.p_value is None for row in whole] == [not by_size] * PLAYERS  # scaled scores are not 0 or 1
    coalitions = {
        row.removed: row for row in results.coalitions(Selection(task=group.name)).rows if row.task == group.name
    }
    assert {removed: row.acc for removed, row in coalitions.items()} == pytest.approx(
        {removed: mean(removed) for removed in SETS}
    )
    assert coalitions[()].drop is None


def test_shapley_values_of_the_whole_are_those_of_its_tasks_weighed(path: Path) -> None:
    results = store(path, ALIKE, SIZED)
    for name, weights in (("alike", (0.5, 0.5)), ("sized", (0.75, 0.25))):
        rows = results.shapley(Selection(task=name), estimator="leave-one-out").rows
        phi = {one: [row.phi for row in rows if row.task == one] for one in (name, "large", "small")}
        expected = weights[0] * np.array(phi["large"]) + weights[1] * np.array(phi["small"])
        assert phi[name] == pytest.approx(expected.tolist())


def test_values_that_lm_eval_does_not_weigh_are_weighed_as_its_first_metric(path: Path) -> None:
    results = store(path, ALIKE)
    rows = results.ablation(Selection(task="alike"), "gold_logprob").rows
    assert {row.task for row in rows} == {"alike", "large", "small"}
    answer = results.ablation(Selection(task="alike"), "acc_norm")
    assert {row.task for row in answer.rows} == {"large", "small"}  # lm-eval gives the group no acc_norm
    assert "is not a mean" in answer.gaps[0].what
    assert "gold_logprob" in derived_values()


def test_a_tag_is_its_tasks_and_nothing_of_its_own(path: Path) -> None:
    results = store(path, TAG)
    for rows in (results.ablation(Selection(task="tag")).rows, results.outcomes(Selection(task="tag")).rows):
        assert {row.task for row in rows} == {"large", "small"}
    assert len(results.ablation().rows) == 2 * PLAYERS


def test_without_a_name_the_whole_is_read_too_but_its_documents_count_once(path: Path) -> None:
    results = store(path, SIZED)
    assert {row.task for row in results.ablation().rows} == {"sized", "large", "small"}
    assert len(results.outcomes().rows) == len(SETS) * 8
    assert [row.task for row in results.groups().rows] == ["large", "small"]
    assert {row.task for row in results.ablation(Selection(task="small")).rows} == {"small"}
    (task_id,) = {row.task_id for row in results.ablation().rows if row.task == "sized"}
    assert {row.task for row in results.ablation(Selection(task=f"sized@{task_id}")).rows} == {
        "sized",
        "large",
        "small",
    }


def test_a_group_of_which_a_task_is_missing_has_a_gap_that_its_run_fills(path: Path) -> None:
    results = store(path, SIZED, tasks=["large"], others=["small"])
    answer = results.ablation(Selection(task="sized"))
    assert {row.task for row in answer.rows} == {"large"}
    (gap,) = answer.gaps
    assert isinstance(gap.fill, RunConfig)
    assert "--task sized=/rows" in run_command(gap.fill, path)
    store(path, SIZED, run="run2")
    answer = results.ablation(Selection(task="sized"))
    assert (answer.gaps, {row.task for row in answer.rows}) == ((), {"sized", "large", "small"})


@pytest.mark.parametrize("group", [SIZED, ALIKE])
def test_a_removed_set_counts_once_every_task_has_it(path: Path, group: TaskGroup) -> None:
    results = store(path, group, sets={"small": [(), (0,)]})
    whole = [row for row in results.coalitions(Selection(task=group.name)).rows if row.task == group.name]
    assert [row.removed for row in whole] == [(), (0,)]


def test_a_name_that_is_none_is_told(path: Path) -> None:
    with pytest.raises(CornerstoneError, match="no task 'size' in the store"):
        store(path, SIZED).ablation(Selection(task="size"))
