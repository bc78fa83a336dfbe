"""A run's configuration: settings of estimators are keys of it, and a run can ask another question of the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.config.run_config import RunConfig, documents_of, load_config, run_settings
from core.errors import CornerstoneError
from core.estimators.exact import Exact
from core.estimators.permutation import Permutation
from core.estimators.question import Question
from core.estimators.windows import WindowEnds, WindowFirst


def config(**options: object) -> RunConfig:
    return load_config(None, {"tasks": ["agreement"], **options})


def test_settings_are_keys_in_a_file_and_options_override_them(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("tasks: agreement\nmax_removed: 3\ntolerance: 0.5\n")
    assert load_config(file, {}).settings == {"max_removed": 3, "tolerance": 0.5}
    assert load_config(file, {"max_removed": 2}).settings == {"max_removed": 2, "tolerance": 0.5}
    file.write_text("tasks: agreement\nsettings: {max_removed: 3}\n")
    assert load_config(file, {}).settings == {"max_removed": 3}


def test_equal_runs_are_equal_however_their_settings_were_given() -> None:
    assert config(max_removed=4, tolerance=0.02) == config()
    assert config(max_removed="3") == config(settings={"max_removed": 3})
    assert RunConfig.model_validate_json(config(max_removed=3).model_dump_json()) == config(max_removed=3)


def test_a_run_that_an_older_version_stored_is_read() -> None:
    old = {**json.loads(config().model_dump_json()), "max_removed": 3, "permutations": 20, "tolerance": 0.02}
    del old["settings"]
    assert RunConfig.model_validate(old) == config(max_removed=3)


def test_a_run_has_no_second_key_for_the_seed() -> None:
    assert [setting.name for setting in run_settings()] == ["max_removed", "permutations", "tolerance"]
    assert config(seed=3).question("permutation").estimator == Permutation(seed=3)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"max_removed": 9}, "max_removed must be a whole number from 1 to 8, not 9"),
        ({"max_removed": "few"}, "max_removed must be a whole number from 1 to 8, not 'few'"),
        ({"settings": {"reach": 3}}, "no estimator has a setting 'reach'; there is max_removed, permutations"),
        ({"settings": 5}, "settings should be a mapping, such as {max_removed: 3}, not 5"),
        ({"max_remove": 3}, "unknown key 'max_remove', did you mean 'max_removed'"),
        ({"schedule": ["windows", "exakt"]}, "schedule: no schedule 'exakt'; .*did you mean exact"),
    ],
)
def test_what_is_wrong_with_a_setting_is_one_sentence(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(CornerstoneError, match=sentence):
        config(**options)


def test_a_schedule_asks_a_question_with_the_runs_settings_and_players() -> None:
    asked = config(max_removed=2, players="layers")
    assert asked.question("windows") == Question(WindowFirst(2), "layers")
    assert asked.question("window-ends") == Question(WindowEnds(2), "layers")
    assert (asked.in_rounds, config(schedule="permutation").in_rounds) == (False, True)


def test_another_question_is_asked_of_the_same_documents() -> None:
    run = config(limit=8, seed=5, remove=["Attn 0"], value="margin", until_top=2, schedule="windows", max_removed=2)
    asked = run.asking(Question(Permutation(8, 7, 0.5), "layers"), "brier")
    assert (asked.limit, asked.tasks) == (run.limit, run.tasks)
    assert (asked.schedule, asked.players, asked.value, asked.until_top) == (("permutation",), "layers", "brier", None)
    assert (asked.settings, asked.seed, asked.remove) == ({"permutations": 8, "tolerance": 0.5}, 7, ())
    exact = run.asking(Question(Exact(), "kinds"))
    assert (exact.schedule, exact.settings, exact.seed, exact.value) == (("exact",), {}, 5, None)
    assert run.under("ablation", "windows").settings == {}


def test_a_stored_run_of_a_plugin_that_is_gone_still_names_its_documents() -> None:
    run = config(limit=8, seed=5, schedule="windows", max_removed=3, until_top=2)
    stored = {**json.loads(run.model_dump_json()), "schedule": ["mine"], "settings": {"reach": 3}}
    found = documents_of(json.dumps(stored))
    assert (found.limit, found.seed, found.tasks, found.model) == (8, 5, run.tasks, run.model)
    assert (found.schedule, found.settings, found.until_top) == ((), {}, None)
