"""The single tasks that a run names by a group, a tag, a file or a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.config.run_config import RunConfig, documents_of, load_config
from core.errors import CornerstoneError
from core.records.task_group import groups_in
from core.tasks.expand import Expanded, expand, recorded
from core.tasks.index import lm_eval_tasks

YAML = "task: {0}\noutput_type: multiple_choice\ndoc_to_text: q\ndoc_to_choice: c\ndoc_to_target: g\n"


def config(*tasks: Any, **options: Any) -> RunConfig:
    return load_config(None, {"tasks": list(tasks), **options})


def names(found: Expanded) -> list[str]:
    return [task.name for task in found.config.tasks]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(YAML.format(name))
    (tmp_path / "both.yml").write_text("group: both\ntask: [one, two, agreement]\naggregate_metric_list: {metric: acc}")
    return tmp_path


def test_a_group_is_its_tasks_and_the_groups_within_it_are_kept() -> None:
    found = expand(config("mmlu", "agreement"))
    mmlu = next(entry for entry in lm_eval_tasks() if entry.name == "mmlu")
    assert names(found) == [*mmlu.members, "agreement"]
    assert found.named_by == (*["mmlu"] * 57, None)
    assert [(group.name, len(group.members)) for group in found.groups] == [
        ("mmlu", 57),
        ("mmlu_stem", 19),
        ("mmlu_other", 13),
        ("mmlu_social_sciences", 12),
        ("mmlu_humanities", 13),
    ]
    assert found.groups[0].weights == (("acc", True),)
    assert found.notes == ("the group mmlu has 57 tasks, and a limit on documents holds for each of them",)


def test_a_tag_has_no_weights_and_a_task_that_is_named_twice_is_evaluated_once() -> None:
    found = expand(config("ai2_arc", "arc_easy"))
    assert names(found) == ["arc_challenge", "arc_easy"]
    assert [(group.name, group.weights) for group in found.groups] == [("ai2_arc", ())]


def test_tasks_that_cannot_be_evaluated_are_left_out_of_a_group_and_that_is_said() -> None:
    found = expand(config("chain_of_thought"))
    assert len(names(found)) == 6
    assert "gsm8k_cot" in names(found)
    assert "gsm8k_cot_self_consistency" not in names(found)
    assert "2 of its tasks are left out: gsm8k_cot_self_consistency" in found.notes[0]
    assert "it takes 64 texts of each document" in found.notes[0]


@pytest.mark.parametrize(("asked", "shots"), [({}, 25), ({"num_fewshot": 2}, 2)])
def test_examples_that_a_group_sets_are_its_tasks_own_unless_others_are_asked_for(
    asked: dict[str, int], shots: int
) -> None:
    found = expand(config("openllm", **asked))
    by_name = {task.name: task.num_fewshot for task in found.config.tasks}
    assert (by_name["arc_challenge"], by_name["truthfulqa_mc1"]) == (shots, 0)


def test_data_of_a_group_are_a_folder_with_a_file_for_each_task(tmp_path: Path) -> None:
    for name in ("arc_easy", "arc_challenge"):
        (tmp_path / f"{name}.jsonl").write_text("{}")
    found = expand(config(f"ai2_arc={tmp_path}"))
    assert [task.data for task in found.config.tasks] == [tmp_path / "arc_challenge.jsonl", tmp_path / "arc_easy.jsonl"]
    (tmp_path / "arc_easy.jsonl").unlink()
    with pytest.raises(CornerstoneError, match=r"each of its 2 tasks, and .* has no arc_easy\.jsonl$"):
        expand(config(f"ai2_arc={tmp_path}"))


def test_a_path_names_the_tasks_in_it(folder: Path) -> None:
    one = expand(config(str(folder / "one.yaml")))
    assert (names(one), one.named_by, one.config.include_path) == (["one"], (None,), (folder / "one.yaml",))
    every = expand(config(f"{folder}/"))
    assert (names(every), every.named_by) == (["one", "two"], (f"{folder}/", f"{folder}/"))


def test_an_include_path_makes_names_known_also_of_groups(folder: Path) -> None:
    found = expand(config("both", include_path=[folder]))
    assert (names(found), found.named_by) == (["one", "two", "agreement"], ("both",) * 3)
    assert found.sources["one"].own is not None
    assert found.sources["agreement"].own is None
    with pytest.raises(CornerstoneError, match=r"no task 'onne'; did you mean one\?"):
        expand(config("onne", include_path=[folder]))


def test_what_is_recorded_names_single_tasks_and_groups_and_holds_in_any_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    text = recorded(config("./both.yml", "two", include_path=["one.yaml", "two.yaml"]))
    again = documents_of(text)
    assert [task.name for task in again.tasks] == ["one", "two", "agreement"]
    assert again.include_path == tuple(folder.resolve() / name for name in ("one.yaml", "two.yaml", "both.yml"))
    (group,) = groups_in(text)
    assert (group.name, group.members, group.weights) == ("both", ("one", "two", "agreement"), (("acc", True),))
    assert [task.name for task in expand(again).config.tasks] == ["one", "two", "agreement"]


@pytest.mark.parametrize("text", ["", "[]", '{"groups": 5}', '{"groups": [{"name": 1}]}', '{"groups": "x'])
def test_groups_of_a_damaged_record_are_none(text: str) -> None:
    assert groups_in(text) == ()


def test_paths_of_a_file_are_relative_to_it(folder: Path) -> None:
    (folder / "run.yaml").write_text(json.dumps({"tasks": ["./one.yaml", "two"], "include_path": "two.yaml"}))
    found = expand(load_config(folder / "run.yaml", {}))
    assert names(found) == ["one", "two"]
