"""Early checks refuse in the very words of the work itself, and pass everything that the work can do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from core.config.run_config import RunConfig, load_config
from core.errors import CornerstoneError
from core.study.early_checks import refuse_at_once
from core.study.workbench import open_workbench
from core.tasks import index
from core.tasks.index import lm_eval_tasks

WRONG: dict[str, dict[str, Any]] = {
    "no task 'agrement'; did you mean agreement": {"tasks": ["agrement"]},
    "fda cannot be evaluated: it is a class in Python": {"tasks": ["fda"]},
    "the group t0_eval cannot be evaluated as in lm-eval": {"tasks": ["t0_eval"]},
    "humaneval cannot be evaluated: it runs the code that the model writes": {"tasks": ["agreement", "humaneval"]},
    "no task of the group code2text can be evaluated .*it sets num_beams": {"tasks": ["code2text"]},
    "the group mmlu needs a folder with a file NAME.jsonl for each of its 57 tasks": {"tasks": ["mmlu=latin.jsonl"]},
    "no tasks in '.*/nowhere.yaml': there is no such file": {"tasks": ["./nowhere.yaml"]},
    r"cannot read .*missing\.jsonl as data for arc_easy: No such file": {"tasks": ["arc_easy=missing.jsonl"]},
    "cannot read .* as data for agreement: it is a folder": {"tasks": ["agreement=."]},
    "cannot read .* as data for piqa: it is not UTF-8": {"tasks": ["piqa=latin.jsonl"]},
    "no model './nowhere': there is no such folder": {"model": "./nowhere"},
    "is not a model folder: it has no config.json": {"model": "."},
    "the model 'nobody/nothing' is not in the hub cache and cannot be fetched offline": {
        "model": "nobody/nothing",
        "offline": True,
    },
    "revision main only fits a hub id": {"revision": "main"},
    "no layer named 'Attn 4' in this model, whose players are Attn 0 to FFN 3": {"remove": ["FFN 3", "Attn 4"]},
    "exact needs all 2\\^18 = 262 144 coalitions of 18 units": {"model": "./deep", "schedule": "exact"},
}


def asked(tiny_model_folder: Path, **options: Any) -> RunConfig:
    return load_config(None, {"model": str(tiny_model_folder), "tasks": ["agreement"], "limit": 2, **options})


@pytest.fixture(scope="module")
def _index() -> None:
    """lm-eval's tasks have been read."""
    lm_eval_tasks()


@pytest.fixture
def folder(tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _index: None) -> Path:
    """The working directory, with a model of nine layers in it that has a config alone."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "latin.jsonl").write_bytes(b'{"goal": "caf\xe9"}')
    deep = shutil.copytree(tiny_model_folder, tmp_path / "deep")
    config = json.loads((deep / "config.json").read_text())
    (deep / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 9}))
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("sentence", WRONG)
def test_it_says_what_the_work_would_say(sentence: str, tiny_model_folder: Path) -> None:
    config = asked(tiny_model_folder, **WRONG[sentence])
    with pytest.raises(CornerstoneError, match=sentence) as early:
        refuse_at_once(config)
    with pytest.raises(CornerstoneError) as late:
        open_workbench(config)
    assert (str(early.value), early.value.mend) == (str(late.value), late.value.mend)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "options",
    [
        {"schedule": ["ablation", "windows", "exact", "permutation"]},
        {"schedule": "exact", "players": "layers", "model": "./deep"},
        {"remove": ["attn0", "FFN 3, Attn 2"]},
        {"model": "smollm2-135m-instruct", "remove": "FFN 29"},
        {"model": "nobody/nothing", "remove": "MoE 1000", "schedule": "exact"},
    ],
    ids=", ".join,
)
def test_what_may_be_done_passes(options: dict[str, Any], tiny_model_folder: Path) -> None:
    refuse_at_once(asked(tiny_model_folder, **options))


@pytest.mark.slow
def test_of_a_model_that_is_not_here_only_the_names_are_known(tiny_model_folder: Path) -> None:
    for remove in ("Atn 7", "FFN", "FFN 1, head 3", "FFN -1"):
        wrong = remove.rpartition(", ")[2]
        with pytest.raises(CornerstoneError, match=f"no layer of any model is named '{wrong}'"):
            refuse_at_once(asked(tiny_model_folder, model="nobody/nothing", remove=remove))


def test_the_index_of_tasks_is_not_made_for_it(
    tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "index_file", lambda: tmp_path / "none.json")
    refuse_at_once(asked(tiny_model_folder, tasks=["agrement"]))
