from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
from textual import on

from tests.support import example_state as example
from tests.support.mounted_widget import HOSTILE, Mounted, mounted, text_of
from tui.drawing.plain import plain
from tui.explorer.state import State
from tui.explorer.widgets.tasks_panel import TasksPanel


def with_tasks(*names: str, **changes: object) -> State:
    """Return a state with some tasks, of which the first is the one that has charts."""
    state = example.state()
    assert state.bench is not None
    tasks = tuple(example.bench_task(name) for name in (example.TASK, *names))
    return replace(state, bench=state.bench.model_copy(update={"tasks": tasks}), **changes)  # type: ignore[arg-type]


def text(state: State, width: int = 90) -> str:
    panel = TasksPanel()
    return text_of(panel, lambda: panel.show(state), width=width)


def test_each_task_has_its_score_and_the_shown_one_what_is_removed() -> None:
    lines = text(with_tasks("capitals")).split("\n")
    assert "▸ agreement" in lines[1]
    assert "acc .89 ±.06  chance .50  n = 120" in lines[1]
    bar = lines[1].split("agreement")[1].split("acc")[0]
    assert bar.index("│") < bar.index("◆") < bar.index("├") < bar.index("┤")
    assert "capitals   not evaluated yet" in lines[2]


def test_what_is_removed_is_as_far_from_the_bar_as_its_drop_whatever_its_documents() -> None:
    state = with_tasks()
    score = state.shown_score
    assert score is not None
    drop = score.point.drop

    def marked(acc: float, n: int) -> int:
        point = replace(score.point, acc=acc, intact_acc=acc + (drop or 0.0), n=n)
        return text(replace(state, scored=score.model_copy(update={"point": point}))).index("◆")

    assert marked(score.point.acc, score.point.n) == marked(0.05, 12)


@pytest.mark.parametrize("width", [20, 40, 60])
def test_narrow_panels_leave_out_the_bar(width: int) -> None:
    assert "agreement" in text(with_tasks("capitals"), width)


def test_a_value_that_is_no_accuracy_has_no_bar() -> None:
    charts = example.charts()
    assert charts.intact is not None
    intact = replace(charts.intact, acc=-12.5, acc_low=-13.0, acc_high=-12.0)
    nats = charts.model_copy(update={"intact": intact})
    line = text(with_tasks(charts=MappingProxyType({example.TASK: nats}))).split("\n")[1]
    assert "-12.5 ±.50" in line
    assert "━" not in line


def test_a_click_asks_for_a_task() -> None:
    class Followed(TasksPanel):
        told: list[str] = []  # noqa: RUF012 one panel a test

        @on(TasksPanel.Picked)
        def _keep(self, message: TasksPanel.Picked) -> None:
            self.told.append(message.task)

    panel = Followed()

    async def flow(app: Mounted) -> None:
        assert app.pilot is not None
        panel.show(with_tasks("capitals"))
        await app.pilot.pause()
        await app.pilot.click(Followed, offset=(5, 2))
        await app.pilot.click(Followed, offset=(5, 3))
        assert panel.told == ["capitals"]

    mounted(panel, flow)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(name: str) -> None:
    assert plain(name)[:20] in text(with_tasks(name))
