"""`--adapter`: every command that evaluates a model takes one, and keeps its outcomes apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.config.run_config import RunConfig, absolute, load_config
from tests.support.adapters import save_adapter
from tests.support.programs import cornerstone, read
from tui.drawing.command_line import run_command

pytest.importorskip("peft", reason="peft is not installed, so no adapter can be made")
SETTINGS = {"target_modules": ["q_proj", "down_proj"]}


@pytest.fixture(scope="module")
def adapter(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_adapter(tiny_model_folder, tmp_path_factory.mktemp("adapters") / "tuned", **SETTINGS)


@pytest.mark.slow
def test_a_run_a_path_and_proxies_take_it(tiny_model_folder: Path, adapter: Path, tmp_path: Path) -> None:
    common = ("--model", tiny_model_folder, "--task", "agreement", "--limit", "3", "--store", tmp_path / "s.duckdb")
    for options in ((), ("--adapter", adapter)):
        for command in (("run", "--remove", "Attn 0"), ("path", "--steps", "1", "--no-held-out"), ("proxies",)):
            done = cornerstone(*command, *common, *options)
            assert done.returncode == 0, done.stderr
    rows = read(tmp_path / "s.duckdb", "coalitions")
    names = {row["model"] for row in rows}
    assert names == {tiny_model_folder.name, f"{tiny_model_folder.name}+tuned"}
    assert len({row["model_id"] for row in rows}) == 2


def test_an_adapter_as_the_model_is_told_which_option_it_is(adapter: Path, tmp_path: Path) -> None:
    done = cornerstone("run", "--model", adapter, "--task", "agreement", "--store", tmp_path / "s.duckdb")
    assert done.returncode == 2
    assert f"cornerstone: {adapter} holds an adapter" in done.stderr
    assert "give both: --model MODEL --adapter FOLDER" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_missing_adapter_is_told_before_anything_is_loaded(tiny_model_folder: Path, tmp_path: Path) -> None:
    done = cornerstone(
        "run", "--model", tiny_model_folder, "--adapter", tmp_path, "--task", "agreement", "--store", tmp_path / "s"
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "is no adapter: it has no adapter_config.json" in done.stderr


def test_a_file_names_it_beside_itself(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("tasks: agreement\nadapter: tuned\n")
    config = load_config(tmp_path / "my.yaml", {})
    assert config.adapter == tmp_path / "tuned"
    assert absolute(config) == config
    assert f"--adapter {tmp_path}/tuned" in run_command(config, tmp_path / "s")
    assert RunConfig(tasks=("agreement",)).adapter is None
