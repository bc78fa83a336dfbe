"""The run dialog by keyboard: its first choice, every other one, and refusals in a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from core.config.run_config import RunConfig
from core.cost.rates import Rate
from core.cost.run_time import Known
from core.evaluator.bench_task import BenchTask
from core.evaluator.protocol import Opened
from core.study.plan import schedules_of
from core.values.derived import derived_values
from store.file.location import default_path
from tests.support import example_state as example
from tests.support.screen_host import Host, drawn, hosted, settled, squashed
from tui.drawing.command_line import run_command
from tui.explorer.screens import run
from tui.explorer.screens.run import RunDialog

pytestmark = pytest.mark.asyncio

VALUES = ("acc", "acc_norm", *derived_values())


def opened(
    layers: int = 30, limit: int | None = 64, tasks: dict[str, tuple[str, ...]] | None = None, **more: Any
) -> Opened:
    """Return an opened workbench; ``tasks`` names the values of each task, the first of which is charted."""
    found = [
        BenchTask(
            key=name,
            name=name,
            task_id=name,
            documents=limit or 120,
            size=120,
            value=values[0],
            chance=0.5,
            values=values,
        )
        for name, values in (tasks or {"agreement": VALUES, "capitals": VALUES}).items()
    ]
    config = RunConfig.model_validate({"tasks": [task.name for task in found], "limit": limit, **more})
    return example.opened(layers).model_copy(update={"tasks": tuple(found), "config": config})


def chosen(pilot: Pilot[None]) -> RunConfig:
    assert isinstance(pilot.app, Host)
    (result,) = pilot.app.results
    assert result is not None
    return result  # type: ignore[no-any-return]


def cost(pilot: Pilot[None]) -> str:
    return " ".join(str(pilot.app.screen.query_one("#cost", Static).visual).split())


async def test_where_the_model_writes_the_cost_is_told_in_tokens_too() -> None:
    bench = opened(tasks={"gsm8k": ("exact_match",), "agreement": VALUES})
    writing = bench.tasks[0].model_copy(update={"most_new": 256})
    bench = bench.model_copy(update={"tasks": (writing, bench.tasks[1])})
    async with hosted(lambda: RunDialog(bench), (80, 24)) as pilot:
        assert cost(pilot).startswith("235 coalitions x 64 documents x gsm8k, agreement: 30 080 outcomes;")
        assert "the model writes up to 256 tokens an answer, at most 3 850 240 in all;" in cost(pilot)
        assert cost(pilot).endswith("what is stored already is not evaluated again")
        assert pilot.app.screen.query_one("#start").region.bottom <= 24


async def test_without_a_choice_it_runs_the_windows_of_sublayers() -> None:
    async with hosted(lambda: RunDialog(opened()), (80, 24)) as pilot:
        assert cost(pilot).startswith("235 coalitions x 64 documents x agreement, capitals: 30 080 outcomes;")
        await settled(pilot, "enter")
        config = chosen(pilot)
    assert config == opened().config.model_copy(update={"schedule": ("windows",)})
    assert run_command(config, default_path()).endswith(
        "--task agreement --task capitals --schedule windows --limit 64"
    )


async def test_exact_is_refused_for_sublayers_and_runs_for_blocks() -> None:
    async with hosted(lambda: RunDialog(opened()), (80, 24)) as pilot:
        await settled(pilot, "right", "right", "right")
        assert "all 2^60 =" in cost(pilot)
        assert "use fewer, larger units or permutation" in cost(pilot)
        assert "fewer,largerunitsorpermutation" in squashed(drawn(pilot))
        await settled(pilot, "ctrl+s")
        assert isinstance(pilot.app.screen, RunDialog)
        await settled(pilot, "down", "right", "right")
        assert cost(pilot).startswith("1 024 coalitions x 64 documents")
        await settled(pilot, "enter")
        config = chosen(pilot)
    assert (config.schedule, config.players) == (("exact",), "blocks:3")
    assert "--schedule exact --limit 64 --players blocks:3" in run_command(config, default_path())


async def test_a_permutation_costs_at_most_so_much_and_cannot_stop_among_documents() -> None:
    async with hosted(lambda: RunDialog(opened()), (80, 24)) as pilot:
        await settled(pilot, "left")
        assert cost(pilot).startswith("at most 1 182 coalitions x 64 documents")
        pilot.app.screen.query_one("#setting-permutations", Input).value = "7"
        await settled(pilot)
        assert cost(pilot) == "walks: should be an even number of 8 or more, not 7"
        pilot.app.screen.query_one("#setting-permutations", Input).value = "8"
        await settled(pilot, "down", "down", "down", "right")
        assert "every round needs all documents" in cost(pilot)
        await settled(pilot, "left", "enter")
        config = chosen(pilot)
    assert (config.schedule, config.settings["permutations"], config.until_top) == (("permutation",), 8, None)


async def test_it_stops_once_the_top_is_decided_by_the_value_looked_at() -> None:
    async with hosted(lambda: RunDialog(opened()), (80, 24)) as pilot:
        await settled(pilot, "down", "down", "left", "down", "right")
        assert "a unit that is decided costs no more, and a task ends once its top 3 is decided" in cost(pilot)
        await settled(pilot, "enter")
        config = chosen(pilot)
    assert (config.value, config.until_top, config.schedule) == ("margin_norm", 3, ("windows",))
    assert "--value margin_norm --until-top 3" in run_command(config, default_path())


async def test_it_stops_once_it_is_decided_what_costs_more_than_was_asked() -> None:
    async with hosted(lambda: RunDialog(opened()), (80, 24)) as pilot:
        box = pilot.app.screen.query_one("#until-cost", Input)
        await settled(pilot, "down", "down", "down", "right")
        assert box.parent is not None
        assert box.parent.disabled
        await settled(pilot, "right")
        assert cost(pilot) == "stop: does not work with windows: a cost is what is lost without one unit alone"
        assert not box.parent.disabled
        assert "costs above" in drawn(pilot)
        await settled(pilot, "up", "up", "up", "right")
        assert "a unit that is decided costs no more, and a task ends once all are" in cost(pilot)
        box.value = "much"
        await settled(pilot)
        assert cost(pilot) == "costs above: should be a number, such as .05, not 'much'"
        box.value = ".025"
        await settled(pilot, "enter")
        config = chosen(pilot)
    assert (config.until_cost, config.until_top, config.schedule) == (0.025, None, ("ablation",))
    assert "--until-cost 0.025" in run_command(config, default_path())


async def test_what_is_charted_is_looked_at_unless_another_value_is_chosen() -> None:
    async with hosted(lambda: RunDialog(opened(value="margin")), (80, 24)) as pilot:
        await settled(pilot, "enter")
        assert chosen(pilot).value == "margin"


async def test_only_what_all_tasks_have_is_offered() -> None:
    tasks = {"agreement": VALUES, "lambada": ("pct", "acc", "margin")}
    async with hosted(lambda: RunDialog(opened(tasks=tasks)), (80, 24)) as pilot:
        text = drawn(pilot)
        assert "each its own" in text
        assert "acc_norm" not in text
        await settled(pilot, "down", "down", "right", "right", "enter")
        assert chosen(pilot).value == "margin"


async def test_each_looks_at_its_own_where_nothing_was_chosen() -> None:
    tasks = {"agreement": VALUES, "lambada": ("pct", "acc", "margin")}
    async with hosted(lambda: RunDialog(opened(tasks=tasks)), (80, 24)) as pilot:
        await settled(pilot, "enter")
        assert chosen(pilot).value is None


async def test_numbers_that_are_none_are_refused_where_they_matter() -> None:
    async with hosted(lambda: RunDialog(opened()), (80, 24)) as pilot:
        pilot.app.screen.query_one("#setting-max_removed", Input).value = "9"
        await settled(pilot, "enter")
        assert cost(pilot) == "longest window k: should be a whole number from 1 to 8, not 9"
        assert isinstance(pilot.app.screen, RunDialog)
        assert pilot.app.screen.focused is pilot.app.screen.query_one("#setting-max_removed")
        assert not pilot.app._notifications, "said once, where it is"
        pilot.app.screen.query_one("#schedule").focus()
        await settled(pilot, "right", "enter")
        assert chosen(pilot).schedule == ("ablation",)


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("setting-max_removed", "", "longest window k: should be a whole number from 1 to 8, not ''"),
        ("limit", "0", "documents a task: should be a whole number of documents, greater than or equal to 1"),
        ("limit", "-", "documents a task: should be a whole number of documents"),
        ("layers", "", "layers a block: should be a whole number of 1 or more, not ''"),
        ("layers", "0", "layers a block: should be a whole number of 1 or more, not '0'"),
    ],
)
async def test_what_is_wrong_is_said_in_the_words_of_the_form_at_its_field(field: str, text: str, said: str) -> None:
    async with hosted(lambda: RunDialog(opened()), (80, 24)) as pilot:
        screen = pilot.app.screen
        if field == "layers":
            await settled(pilot, "down", "right", "right")
        screen.query_one(f"#{field}", Input).value = text
        await settled(pilot)
        assert cost(pilot).startswith(said)
        row = "limit-number" if field == "limit" else f"{field}-number"
        assert [each.id for each in screen.query(".-wrong")] == [row]
        await settled(pilot, "ctrl+s")
        assert screen.focused is screen.query_one(f"#{field}")
        screen.query_one(f"#{field}", Input).value = "4"
        await settled(pilot)
        assert not screen.query(".-wrong")
        await settled(pilot, "ctrl+s")
        assert isinstance(chosen(pilot), RunConfig)


@pytest.mark.parametrize("field", ["limit", "layers", "setting-max_removed"])
async def test_letters_that_are_typed_stay_and_are_refused(field: str) -> None:
    """An empty limit means all documents, so letters must not vanish from the field."""
    async with hosted(lambda: RunDialog(opened()), (80, 24)) as pilot:
        screen = pilot.app.screen
        if field == "layers":
            await settled(pilot, "down", "right", "right")
        screen.query_one(f"#{field}", Input).focus()
        await settled(pilot, "ctrl+u", "a", "b", "c", "ctrl+s")
        assert screen.query_one(f"#{field}", Input).value == "abc"
        assert isinstance(pilot.app.screen, RunDialog)
        assert "abc" in cost(pilot)


async def test_the_tasks_of_the_run_are_those_that_are_ticked() -> None:
    async with hosted(lambda: RunDialog(opened()), (80, 24)) as pilot:
        assert "[x] agreement" in drawn(pilot)
        await settled(pilot, "up", "right", "space")
        assert "[ ] capitals" in drawn(pilot)
        assert cost(pilot).startswith("235 coalitions x 64 documents x agreement: 15 040 outcomes;")
        await settled(pilot, "left", "space")
        assert cost(pilot) == "tasks: tick at least one"
        await settled(pilot, "enter")
        assert isinstance(pilot.app.screen, RunDialog)
        await settled(pilot, "right", "space", "enter")
        assert [task.name for task in chosen(pilot).tasks] == ["capitals"]


async def test_a_task_that_is_open_alone_or_by_a_group_is_not_ticked() -> None:
    bench = opened()
    group = bench.model_copy(update={"config": RunConfig.model_validate({"tasks": ["mmlu"], "limit": 64})})
    for one in (group, opened(tasks={"agreement": VALUES})):
        async with hosted(lambda shown=one: RunDialog(shown), (80, 24)) as pilot:  # type: ignore[misc]
            assert not pilot.app.screen.query("#tasks")
            count = 235 * 64 * len(one.tasks)
            assert f"{count // 1000} {count % 1000:03} outcomes" in cost(pilot)


async def test_a_number_and_its_unit_stay_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "cost_of", lambda *_: f"{34 * 'a '}0.2 MB in the store")
    async with hosted(lambda: RunDialog(opened()), (80, 24)) as pilot:
        assert "0.2 MB in the store" in drawn(pilot)


async def test_the_time_is_told_as_fields_change() -> None:
    rates = [Rate(task_id=name, schedule="windows up to 4", per_second=20) for name in ("agreement", "capitals")]
    titles = [schedule.name for schedule in schedules_of(opened().config.under("windows"), opened().model.players)]
    rates = [rate.model_copy(update={"schedule": titles[0]}) for rate in rates]
    async with hosted(lambda: RunDialog(opened(), Known(rates)), (80, 24)) as pilot:
        assert "about 25 min, at 20 outcomes a second as measured here" in cost(pilot)
        pilot.app.screen.query_one("#limit", Input).value = "8"
        await settled(pilot)
        assert "about 3 min" in cost(pilot)
        await settled(pilot, "up", "space")
        assert "about 94 s" in cost(pilot)
        await settled(pilot, "down", "right")
        assert "roughly 24 s, at 20 outcomes a second as measured here with other tasks or schedules" in cost(pilot)
        await settled(pilot, "right")
        assert "roughly 94 s" in cost(pilot), "both: the ablation is a part of the windows"


async def test_without_a_rate_the_time_is_not_known() -> None:
    async with hosted(lambda: RunDialog(opened()), (80, 24)) as pilot:
        assert "nothing was measured with this model here yet" in cost(pilot)


async def test_the_last_of_a_run_is_no_part_of_the_next() -> None:
    last = opened(schedule="exact", players="blocks:5", until_top=2, confidence=0.9, remove="Attn 0")
    async with hosted(lambda: RunDialog(last), (80, 24)) as pilot:
        assert "top 2 at 90%" in drawn(pilot)
        assert pilot.app.screen.query_one("#layers", Input).value == "5"
        await settled(pilot, "enter")
        config = chosen(pilot)
    assert (config.schedule, config.players, config.until_top, config.remove) == (("windows",), "sublayers", None, ())


@pytest.mark.parametrize(
    ("limit", "said"),
    [("", "120 documents x agreement: 28 200 outcomes;"), ("500", "120 documents x agreement: 28 200 outcomes;"),
     ("100", "100 documents x agreement: 23 500 outcomes;")],
)  # fmt: skip
async def test_documents_are_as_many_as_the_task_has_at_most(limit: str, said: str) -> None:
    bench = opened(limit=64, tasks={"agreement": VALUES})
    async with hosted(lambda: RunDialog(bench), (80, 24)) as pilot:
        pilot.app.screen.query_one("#limit", Input).value = limit
        await settled(pilot)
        assert f"235 coalitions x {said}" in cost(pilot)


async def test_escape_starts_nothing() -> None:
    async with hosted(lambda: RunDialog(opened()), (80, 24)) as pilot:
        await settled(pilot, "escape")
        assert isinstance(pilot.app, Host)
        assert pilot.app.results == [None]


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_everything_is_in_sight(size: tuple[int, int]) -> None:
    async with hosted(lambda: RunDialog(opened()), size) as pilot:
        text = squashed(drawn(pilot))
    for said in (
        "[x]agreement",
        "windows",
        "permutation",
        "kinds",
        "gold_logprob",
        "brier",
        "top3at95%",
        "costsabove",
        "walks",
        "(empty:all)",
    ):
        assert said in text
    assert "startcancel" in text
