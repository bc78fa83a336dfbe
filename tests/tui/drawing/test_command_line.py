"""The command line of a run names every option that differs from the default, and no other."""

from __future__ import annotations

from pathlib import Path

from core.config.gap import PackagedStudy
from core.config.run_config import load_config
from core.say.said import Ask
from store.file.location import default_path
from tests.support.store_records import to_run
from tui.drawing.command_line import run_command, say_command


def test_a_command_says_what_a_configuration_asks_for() -> None:
    config = load_config(
        None,
        {"tasks": ["agreement"], "schedule": "permutation", "players": "layers", "tolerance": 0.5, "value": "margin"},
    )
    said = run_command(config, default_path())
    assert said.endswith("--schedule permutation --players layers --value margin --tolerance 0.5")
    assert "--confidence" not in said
    assert run_command(config, Path("my results.duckdb")) == f"{said} --store 'my results.duckdb'"


def test_the_store_is_the_one_that_was_asked_whatever_the_run_had() -> None:
    config = to_run(store="elsewhere.duckdb")
    assert run_command(config, default_path()) == "cornerstone run --model tiny --task capitals"
    assert run_command(config, Path("s.duckdb")) == "cornerstone run --model tiny --task capitals --store s.duckdb"


def test_a_packaged_study_goes_by_its_name() -> None:
    study = PackagedStudy("paper/llama-3-8b")
    assert run_command(study, default_path()) == "cornerstone run paper/llama-3-8b"
    assert run_command(study, Path("s.duckdb")) == "cornerstone run paper/llama-3-8b --store s.duckdb"


def test_hand_picked_sets_data_files_and_prompts_are_named() -> None:
    config = to_run(tasks=["piqa=my rows.jsonl"], remove=["Attn 0,FFN 3", "FFN 1"], apply_chat_template=True, limit=8)
    assert run_command(config, default_path()) == (
        "cornerstone run --model tiny --task 'piqa=my rows.jsonl' --remove 'Attn 0,FFN 3' --remove 'FFN 1' --limit 8 "
        "--apply-chat-template"
    )


def test_what_is_said_is_named_with_what_differs_from_the_defaults() -> None:
    config = to_run(dtype="bfloat16")
    assert say_command(config, Ask(prompt="The capital of"), "") == (
        "cornerstone say --model tiny --dtype bfloat16 'The capital of'"
    )
    asked = Ask(prompt="-1 is", tokens=8, seed=3, chat=False)
    assert say_command(to_run(), asked, "FFN 0, Attn 3") == (
        "cornerstone say --remove 'FFN 0, Attn 3' --model tiny --tokens 8 --seed 3 --no-chat -- '-1 is'"
    )
