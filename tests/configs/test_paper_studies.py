"""The packaged studies of the paper are whole, and are found by their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.config.run_config import load_config
from core.errors import CornerstoneError
from core.models.aliases import aliases
from core.paper.published import MODELS, TASKS
from core.tasks.index import lm_eval_task_names
from store.reading.paper_gaps import STUDIES

LIMITS = {model.alias: model.documents for model in MODELS}


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_is_the_papers(name: str) -> None:
    config = load_config(Path(f"paper/{name}"), {})
    assert config.model == name
    assert name in {alias.name for alias in aliases()}
    assert [task.name for task in config.tasks] == list(TASKS)
    assert config.limit == LIMITS.get(name, 1000)
    assert (config.num_fewshot, config.settings, config.schedule) == (0, {}, ("ablation", "windows"))


def test_the_papers_tasks_are_lm_evals() -> None:
    assert set(TASKS) <= set(lm_eval_task_names())


def test_options_override_it_and_a_wrong_name_is_corrected() -> None:
    assert load_config(Path("configs/paper/llama-3-8b.yaml"), {"limit": 8}).limit == 8
    with pytest.raises(CornerstoneError, match="did you mean paper/llama-3-8b"):
        load_config(Path("paper/llama-3-8"), {})
