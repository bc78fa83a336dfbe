"""The limit of a run's documents: a number of them, or a part, as lm-eval reads it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lm_eval.evaluator_utils import get_sample_size

from core.config.limit import Limit, documents_in, larger_limit
from core.config.run_config import RunConfig, load_config
from core.errors import CornerstoneError
from core.study.workbench import open_workbench
from tests.support.byte_model import byte_model
from tui.drawing.command_line import run_command


def limited(limit: Any) -> RunConfig:
    return load_config(None, {"tasks": ["agreement"], "limit": limit})


@pytest.mark.parametrize("limit", [0.001, 0.1, 0.5, 0.34, 0.999, 1.0, 3, 7.0])
@pytest.mark.parametrize("size", [1, 7, 120, 1267])
def test_a_limit_takes_as_many_documents_as_in_lm_eval(limit: float, size: int) -> None:
    theirs = get_sample_size(SimpleNamespace(eval_docs=range(size)), limit)
    assert documents_in(limited(limit).limit, size) == min(theirs, size)


@pytest.mark.parametrize(
    ("given", "kept"), [(None, None), (10, 10), (10.0, 10), ("10", 10), (1.0, 1), (0.1, 0.1), ("0.25", 0.25)]
)
def test_a_whole_number_is_kept_as_one(given: object, kept: object) -> None:
    config = limited(given)
    assert (config.limit, type(config.limit)) == (kept, type(kept))
    assert RunConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize("given", [0, -1, -0.5, 2.5, True, "few", "", "nan", float("nan"), float("inf"), [8], "1e999"])
def test_anything_else_is_refused(given: object) -> None:
    with pytest.raises(CornerstoneError, match=r"^limit: should be a whole number of documents, .* or a part of them"):
        limited(given)


def test_a_run_and_its_command_have_the_part(tmp_path: Path) -> None:
    config = load_config(None, {"model": str(byte_model(tmp_path)), "tasks": ["agreement"], "limit": 0.05})
    assert len(open_workbench(config).tasks[0].documents) == 6  # of 120
    assert "--limit 0.05" in run_command(config, tmp_path / "s.duckdb")


@pytest.mark.parametrize(
    ("one", "other", "larger"),
    [(8, 32, 32), (32, 8, 32), (None, 8, None), (8, None, None), (0.1, 0.5, 0.5), (8, 0.1, 8), (0.1, 8, 0.1)],
)
def test_of_two_limits_the_one_that_takes_more_documents_is_larger(one: Limit, other: Limit, larger: Limit) -> None:
    assert larger_limit(one, other) == larger
