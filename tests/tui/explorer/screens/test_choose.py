"""The dialog that chooses: found by typing, refused at the field, and open until the evaluator has agreed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.config.model_config import DEFAULT_MODEL
from core.config.run_config import RunConfig
from core.models.choices import ModelChoice
from core.tasks.choices import TaskChoice
from tests.support import example_state as example
from tests.support.choosing import choosing, rows, said, there_is, written
from tests.support.screen_host import drawn, settled
from tests.tui.explorer.test_bursts import burst
from tui.explorer.look_before import Verdict
from tui.explorer.screens import choose
from tui.explorer.screens.choose import ChooseDialog
from tui.explorer.state import State

pytestmark = pytest.mark.asyncio

AGREEMENT = RunConfig.model_validate({"tasks": "agreement"})
HERE = ModelChoice("someone/here", "hub", "someone/here", architecture="llama", layers=4, bytes=9 * 10**8, cached=True)
MANY = tuple(TaskChoice(f"subject_{number:04}_exam") for number in range(5000))
TASKS = (
    TaskChoice("arc_ar"),
    TaskChoice("arc_challenge", known=True),
    TaskChoice("arc_easy", known=True),
    TaskChoice("hellaswag"),
    TaskChoice("mmlu", "group", "a group of 57 tasks"),
    TaskChoice("humaneval", refused="it runs the code that the model writes"),
)


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with one more model, and with few tasks; nothing is wrong with what is chosen."""
    monkeypatch.chdir(tmp_path)
    there_is(monkeypatch, [HERE], TASKS)
    monkeypatch.setattr(choose, "look_before", lambda _: Verdict())


def dialog(config: RunConfig = AGREEMENT, **more: str) -> Callable[[], ChooseDialog]:
    return lambda: ChooseDialog(config, **more)


@pytest.mark.parametrize("model", [DEFAULT_MODEL, "gpt2"])
async def test_an_adapter_goes_with_its_model(model: str, tmp_path: Path) -> None:
    config = RunConfig.model_validate({"tasks": "agreement", "adapter": tmp_path, "revision": "main"})
    async with choosing(dialog(config), (80, 24)) as (app, pilot):
        await burst(pilot, "ctrl+a", "ctrl+k", f"={model}", "ctrl+s")
        (chosen,) = app.results
    assert chosen.model == model
    kept = (tmp_path, "main") if model == DEFAULT_MODEL else (None, None)
    assert (chosen.adapter, chosen.revision) == kept


@pytest.mark.parametrize(
    ("model", "layers_written", "layers"),
    [(DEFAULT_MODEL, "3", "3"), (DEFAULT_MODEL, "", None), ("gpt2", "3", None), ("gpt2", "all", "all")],
)
async def test_layers_of_experts_go_with_their_model(model: str, layers_written: str, layers: str | None) -> None:
    config = RunConfig.model_validate({"tasks": "agreement", "expert_layers": 3})
    async with choosing(dialog(config)) as (app, pilot):
        await burst(pilot, "ctrl+a", "ctrl+k", f"={model}", "tab", "tab", "tab", "tab")
        await burst(pilot, "ctrl+a", "ctrl+k", f"={layers_written}", "ctrl+s")
        (chosen,) = app.results
    assert (chosen.model, chosen.expert_layers, chosen.players) == (model, layers, "sublayers")


async def test_a_model_is_found_by_a_part_of_its_name() -> None:
    async with choosing(dialog()) as (app, pilot):
        assert rows(pilot, "model")[0].startswith("● smollm2-135m-instruct")
        assert any(row.split()[:4] == ["someone/here", "here", "900", "MB"] for row in rows(pilot, "model"))
        await burst(pilot, "=ere", "enter")
        assert written(pilot, "model") == "someone/here"
        assert "llama, 4 layers, 900 MB on this machine" in said(pilot, "model-said")
        assert not app.asked, "enter takes it, and once more opens it"
        await burst(pilot, "enter")
        assert app.results[0].model == "someone/here"


async def test_what_is_typed_on_a_list_or_a_button_goes_to_a_field() -> None:
    async with choosing(dialog()) as (app, pilot):
        await burst(pilot, "tab", "=qwen3")
        assert written(pilot, "model") == "qwen3"
        await burst(pilot, "tab", "tab", "tab", "=hell a")
        assert (written(pilot, "model"), written(pilot, "task")) == ("qwen3", "hell a")
        pilot.app.screen.query_one("#cancel").focus()
        await settled(pilot)
        await burst(pilot, "=arc_easy", "enter")
        assert "[x] arc_easy" in "\n".join(rows(pilot, "task"))
        assert not app.asked


async def test_space_on_a_list_still_ticks() -> None:
    async with choosing(dialog()) as (_, pilot):
        await burst(pilot, "tab", "tab", "tab", "space")
        assert rows(pilot, "task")[0].startswith("[ ] agreement")
        assert written(pilot, "task") == ""


async def test_the_arrow_keys_work_while_one_types() -> None:
    async with choosing(dialog()) as (app, pilot):
        await burst(pilot, "=qwen3", "down", "down", "ctrl+s")
        assert app.results[0].model == rows_named("qwen3")[2]


def rows_named(part: str) -> list[str]:
    from core.models.aliases import aliases

    return [alias.name for alias in aliases() if part in alias.name]


async def test_a_part_of_a_name_is_not_taken_for_a_model() -> None:
    async with choosing(dialog()) as (app, pilot):
        await burst(pilot, "=qwen", "ctrl+s")
        assert "no model is called qwen; enter takes qwen" in said(pilot, "model-said")
        assert not app.asked


async def test_a_path_is_completed_and_shown_whole(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "[red]x[" / "] b"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (tmp_path / "models" / "x.gguf").write_bytes(b"GGUF")
    (tmp_path / "models" / "notes.txt").write_text("")
    async with choosing(dialog(), (160, 40)) as (app, pilot):
        await burst(pilot, "=./mo", "enter")
        assert [row.split()[0] for row in rows(pilot, "model")] == ["./models/[red]x[/", "./models/x.gguf"]
        await burst(pilot, "enter")
        assert "./models/[red]x[/] b" in drawn(pilot)
        assert "llama" in rows(pilot, "model")[0]
        await burst(pilot, "enter", "enter")
        assert app.results[0].model == str(folder)


@pytest.mark.slow
async def test_a_task_is_found_among_thousands(monkeypatch: pytest.MonkeyPatch) -> None:
    there_is(monkeypatch, [], [*MANY, *TASKS])
    async with choosing(dialog()) as (app, pilot):
        await burst(pilot, "tab", "tab", "=arc")
        assert [row.strip() for row in rows(pilot, "task")[:3]] == ["[ ] arc_easy", "[ ] arc_challenge", "[ ] arc_ar"]
        await burst(pilot, "enter", "=exam 4321", "enter", "=hlsw", "enter", "ctrl+s")
        names = [task.name for task in app.results[0].tasks]
        assert names == ["agreement", "arc_easy", "subject_4321_exam", "hellaswag"]


async def test_ticks_are_seen_without_colour_and_taken_away() -> None:
    async with choosing(dialog()) as (app, pilot):
        assert rows(pilot, "task")[0].startswith("[x] agreement")
        await burst(pilot, "tab", "tab", "down", "enter")
        assert said(pilot, "task-said") == "none is ticked"
        await burst(pilot, "ctrl+s")
        assert "no task is named" in said(pilot, "fault")
        await burst(pilot, "=capitals", "ctrl+s")
        assert [task.name for task in app.results[0].tasks] == ["capitals"]


@pytest.mark.parametrize("key", ["enter", "ctrl+s"])
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("agrement_", "no task is called agrement_; did you mean agreement?"),
        ("humaneval", "humaneval is not evaluated: it runs the code"),
        ("[red]x", "no task is called [red]x"),
        ("agreement=nowhere.jsonl", "nowhere.jsonl"),
    ],
)
async def test_what_is_no_task_is_refused_at_its_field(
    key: str, text: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui.explorer.look_before import look_before

    monkeypatch.setattr(choose, "look_before", look_before)
    async with choosing(dialog()) as (app, pilot):
        await burst(pilot, "tab", "tab", f"={text}", key)
        assert sentence in said(pilot, "task-said")
        assert not app.asked
        if "=" not in text:
            assert written(pilot, "task") == text


async def test_own_data_and_own_tasks_are_typed(tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text("{}")
    (tmp_path / "own.yaml").write_text("task: own")
    async with choosing(dialog()) as (app, pilot):
        await burst(pilot, "tab", "tab", "=capitals=mi", "enter")
        assert written(pilot, "task") == "capitals=mine.jsonl"
        await burst(pilot, "enter", "=./o", "enter", "enter", "ctrl+s")
        (config,) = app.results
    assert [(task.name, task.data) for task in config.tasks] == [
        ("agreement", None),
        ("capitals", tmp_path / "mine.jsonl"),
        (str(tmp_path / "own.yaml"), None),
    ]


async def test_what_is_refused_is_kept_with_the_sentence() -> None:
    async with choosing(dialog(), said="gpt2 is [red]odd[/]") as (app, pilot):
        await burst(pilot, "ctrl+a", "ctrl+k", "=gpt2", "tab", "tab", "=capitals", "enter", "ctrl+s")
        assert said(pilot, "fault") == "gpt2 is [red]odd[/]"
        assert written(pilot, "model") == "gpt2"
        assert not app.results
        app.said = None
        await burst(pilot, "ctrl+s")
        assert [task.name for task in app.results[0].tasks] == ["agreement", "capitals"]


@pytest.mark.parametrize(
    ("tabs", "sentence"),
    [(4, "single experts in layers: 'x' names no layers"), (5, "documents a task: should be a whole number")],
)
async def test_what_a_field_cannot_have_is_said_in_the_words_of_the_form(tabs: int, sentence: str) -> None:
    async with choosing(dialog(), (80, 24)) as (app, pilot):
        await burst(pilot, *["tab"] * tabs, "ctrl+a", "ctrl+k", "=x" if tabs == 4 else "=0", "ctrl+s")
        assert said(pilot, "fault").startswith(sentence)
        assert not app.asked


@pytest.mark.slow
async def test_a_download_is_announced_and_agreed_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "look_before", lambda _: Verdict(download="gpt2 must be downloaded: 550 MB"))
    async with choosing(dialog()) as (app, pilot):
        await burst(pilot, "ctrl+a", "ctrl+k", "=gpt2", "ctrl+s")
        assert said(pilot, "fault") == "gpt2 must be downloaded: 550 MB; ctrl+s once more fetches it"
        assert not app.asked
        await burst(pilot, "ctrl+s")
        assert app.results[0].model == "gpt2"


async def test_while_it_opens_the_dialog_says_how_far_and_can_give_up() -> None:
    async with choosing(dialog(), answers=False) as (app, pilot):
        await pilot.press("ctrl+s")
        while not app.asked:
            await pilot.pause(0.02)
        app.state = State(narration="loading [b]gpt2[/b], 4.1 of 16.1 GB")
        await pilot.pause()
        assert said(pilot, "fault") == "loading [b]gpt2[/b], 4.1 of 16.1 GB"
        assert "ctrl+x gives it up" in drawn(pilot)
        await pilot.press("ctrl+x")
        await settled(pilot)
        assert (app.gave_up, said(pilot, "fault")) == (1, "given up")
        assert not app.results
        await pilot.press("ctrl+x")  # cuts, as there is nothing to give up
        assert app.gave_up == 1


async def test_a_sweep_is_told_before_one_fills_the_form() -> None:
    async with choosing(dialog(), state=example.state(jobs=(example.job(job=3),))) as (_, pilot):
        assert "job 3 sweeps smollm2-135m-instruct: other tasks can be opened now" in said(pilot, "fault")


async def test_nothing_is_highlighted_before_one_types() -> None:
    async with choosing(dialog()) as (_, pilot):
        from textual.widgets import OptionList

        assert [one.highlighted for one in pilot.app.screen.query(OptionList)] == [None, None]
        await burst(pilot, "=gpt2")
        assert pilot.app.screen.query_one("#model-list", OptionList).highlighted == 0


async def test_what_was_refused_before_is_told_again() -> None:
    async with choosing(dialog(said="it was odd")) as (_, pilot):
        assert said(pilot, "fault") == "it was odd"
