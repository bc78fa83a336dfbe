"""Which models there are to choose from."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.models.choices import alias_choices, all_choices, choice_at, choices_in
from core.models.converted import converted_folder, declare_complete
from core.models.lookup import unknown
from tests.support.model_folders import hub_cache, plain_folder


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose caches are empty."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def test_aliases_are_listed_whether_or_not_they_are_here(machine: Path) -> None:
    assert all(choice.cached is None for choice in alias_choices())
    assert [choice.name for choice in all_choices()] == [choice.name for choice in alias_choices()]
    assert not any(choice.cached for choice in all_choices())
    hub_cache(machine / "hub", "openai-community/gpt2", plain_folder(machine / "model"))
    (here,) = [choice for choice in all_choices() if choice.cached]
    assert (here.name, here.architecture, here.layers) == ("gpt2", "gpt2", 12)
    assert here.bytes is not None


def test_what_is_cached_and_converted_is_listed(machine: Path) -> None:
    model = plain_folder(machine / "model")
    hub_cache(machine / "hub", "someone/a-b", model)
    hub_cache(machine / "hub", "someone/half", model).joinpath("model.safetensors").unlink()
    target = converted_folder("tiny.Q4-0123456789ab")
    plain_folder(target)
    declare_complete(target)
    plain_folder(converted_folder("half-0123456789ab")).joinpath("model.safetensors").unlink()
    found = {choice.shown: choice for choice in all_choices() if choice.kind != "alias"}
    assert {shown: choice.kind for shown, choice in found.items()} == {"someone/a-b": "hub", "tiny.Q4": "converted"}
    assert found["tiny.Q4"].name == str(target)
    assert found["tiny.Q4"].architecture == "llama"


def test_a_path_lists_folders_models_and_files(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain_folder(machine / "one")
    (machine / "other").mkdir()
    (machine / "odd.gguf").write_bytes(b"GGUF")
    (machine / "odd.txt").write_text("")
    (machine / ".hidden").mkdir()
    (machine / "O [red]x").mkdir()
    monkeypatch.chdir(machine)
    monkeypatch.setenv("HOME", str(machine))
    names = [("O [red]x/", "place"), ("odd.gguf", "gguf"), ("one", "folder"), ("other/", "place")]
    for start in ("", "./", "~/", f"{machine}/"):
        found = choices_in(f"{start}o")
        assert [(choice.name, choice.kind) for choice in found] == [(f"{start}{name}", kind) for name, kind in names]
    assert [choice.name for choice in choices_in("./.")] == ["./.hidden/"]
    assert [choice.name for choice in choices_in("./odd", (".txt",))] == ["./odd.txt"]
    assert found[2].architecture == "llama"


@pytest.mark.parametrize("text", ["/nowhere/", "a\0b/", "x" * 5000 + "/", "odd.txt/"])
def test_what_is_no_folder_lists_nothing(text: str) -> None:
    assert choices_in(text) == ()
    assert choice_at(text) is None


def test_a_model_whose_alias_is_known_is_not_taken_for_a_misspelt_one() -> None:
    assert str(unknown("gpt2", "the hub could not be reached")) == "the hub could not be reached"
    assert "did you mean gpt2?" in str(unknown("gpt22", "the hub could not be reached"))


def test_a_model_is_found_at_its_path(machine: Path) -> None:
    plain_folder(machine / "one")
    (machine / "x.gguf").write_bytes(b"GGUF")
    found = choice_at(str(machine / "one")), choice_at(str(machine / "x.gguf")), choice_at(str(machine))
    assert [one and one.kind for one in found] == ["folder", "gguf", None]
