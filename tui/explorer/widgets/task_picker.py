"""The field for tasks, and the list of those that there are, each ticked or not."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from textual import on, work

from core.config.task_config import is_path
from core.errors import CornerstoneError
from core.machine.paths import at_home
from core.machine.regular_file import kind_at
from core.models.choices import choices_in
from core.tasks.choices import TaskChoice, lm_eval_choices, shipped_choices, task_facts
from core.tasks.index import kept_tasks
from tui.explorer.find import Finder
from tui.explorer.in_thread import in_thread
from tui.explorer.widgets.choice_rows import task_line, task_row
from tui.explorer.widgets.picker import MOST_ROWS, Picker, Row

_DATA = (".jsonl",)
_TASKS = (".yaml", ".yml")


class TaskPicker(Picker):
    """Lists the tasks that ship and lm-eval's; below a path, what is in its folder."""

    HELP = (
        "Type a part of a name, or several: the list shows the tasks that fit. Enter ticks the first, or the one that "
        "the arrow keys have gone to; there enter takes the tick away too. NAME=FILE.jsonl gives a task other data; a "
        "path ending in .yaml, or a folder, names a task of yours."
    )

    def __init__(self, ticked: Sequence[str]) -> None:
        super().__init__("tasks", "", "a part of a name, NAME=FILE.jsonl, a .yaml", name="task")
        self._ticked = dict.fromkeys(ticked)
        self._read = False
        self._know(shipped_choices())

    def on_mount(self) -> None:
        self._list(best=False)
        self._say_ticked()

    async def look(self) -> None:
        """List lm-eval's tasks too.

        Raises:
            CornerstoneError: they cannot be read.
        """
        if await in_thread(lambda: kept_tasks() is None):
            self.say("reading which tasks lm-eval has (about 15 s, once)")
        self._know(await in_thread(_all_tasks))
        self._read = True
        self._list(best=bool(self.text) and not self.moved)
        self._say_ticked()

    @property
    def ticked(self) -> list[str]:
        """The tasks that are ticked, as they are written in a run."""
        return list(self._ticked)

    def take(self) -> None:
        """Tick what is written or highlighted."""
        text, row = self.text, self.row
        if self.moved and row is not None:
            self._toggle(row.key)
        elif "=" in text or is_path(text):
            self._take_file(text, row)
        elif text in self._tasks or (text and row is None and not self._read):
            self._tick(text)
        elif text and row is not None:
            self._tick(row.key)
        elif text:
            self._refuse(text)

    def is_whole(self) -> bool:
        """Tick what is written, if it is a whole name, and return whether nothing is left over."""
        text = self.text
        if not text or self.moved:
            return True
        if text in self._tasks or not self._read or "=" in text or is_path(text):
            return self._tick(text)
        self._refuse(text)
        return False

    @on(Picker.Changed)
    @on(Picker.Moved)
    def _follow(self, event: Picker.Changed) -> None:
        if not self.moved:
            self._list(best=bool(self.text))
        row = self.row
        task = None if row is None else self._tasks.get(row.key)
        if task is None and self.text and not self._read:
            self.say("lm-eval's tasks are still being read")
        elif task is None:
            self._say_ticked()
        else:
            self.say(task_line(task, None))
            self._look_at(task)

    @on(Picker.Taken)
    def _take_it(self, event: Picker.Taken) -> None:
        self._toggle(event.key)

    @work(exclusive=True, group="facts")
    async def _look_at(self, task: TaskChoice) -> None:
        facts = await in_thread(partial(task_facts, task))
        row = self.row
        if row is not None and row.key == task.name and facts is not None and self.moved | bool(self.text):
            self.say(task_line(task, facts))

    def _know(self, tasks: Sequence[TaskChoice]) -> None:
        self._tasks = {task.name: task for task in tasks}
        self._finder = Finder(tasks, lambda one: one.name, lambda one: one.description, _weight)

    def _list(self, *, best: bool) -> None:
        text = self.text
        if "=" in text or is_path(text):
            rows = self._files(text)
        else:
            found = self._finder.matching(text)
            if not text:
                own = [self._tasks.get(name, TaskChoice(name, description="yours")) for name in self._ticked]
                found = [*own, *(one for one in found if one.name not in self._ticked)]
            rows = [task_row(one, self._ticked) for one in found[:MOST_ROWS]]
            self.more = len(found) - len(rows)
        self.show(rows, best=best)

    def _files(self, text: str) -> list[Row]:
        """Return rows for the files whose path begins with what is written."""
        name, equals, part = text.partition("=")
        self.more = 0
        found = choices_in(part if equals else text, _DATA if equals else _TASKS)
        return [Row(f"{name}={one.name}" if equals else one.name, one.shown) for one in found]

    def _take_file(self, text: str, row: Row | None) -> None:
        """Tick a file, if it is there; otherwise write the path of the first that it may become."""
        _, equals, part = text.partition("=")
        try:
            there = kind_at(Path(at_home(part if equals else text))) is not None
        except CornerstoneError as error:
            self.say(str(error), fault=True)
            return
        if there and not (text.endswith("/") and row is not None):
            self._tick(text)
        elif row is not None:
            self.write(row.key)
        else:
            self.say(f"there is no {part if equals else text}", fault=True)

    def _tick(self, name: str) -> bool:
        """Tick a task and empty the field; return whether that was possible."""
        task = self._tasks.get(name)
        if task is not None and task.refused is not None:
            self.say(f"{name} is not evaluated: {task.refused}", fault=True)
            return False
        self._ticked[name] = None
        if self.text:
            self.write("")
        self._list(best=False)
        self._say_ticked()
        return True

    def _toggle(self, name: str) -> None:
        if name.endswith("/") or (("=" in name or is_path(name)) and name not in self._ticked):
            self.write(name)  # a folder is looked into, a file is ticked with enter
        elif name in self._ticked:
            del self._ticked[name]
            self._list(best=False)
            self._say_ticked()
        elif (task := self._tasks.get(name)) is not None and task.refused is not None:
            self.say(f"{name} is not evaluated: {task.refused}", fault=True)
        else:
            self._ticked[name] = None
            self._list(best=False)
            self._say_ticked()

    def _refuse(self, text: str) -> None:
        """Say that no task has a name, and which may be meant."""
        row = self.row
        close = [row.key] if row is not None else get_close_matches(text, self._tasks, n=1)
        hint = f"; enter ticks {row.key}" if row is not None else f"; did you mean {close[0]}?" if close else ""
        self.say(f"no task is called {text}{hint}", fault=True)

    def _say_ticked(self) -> None:
        count = len(self._ticked)
        self.say(f"{count} ticked: {', '.join(self._ticked)}" if count else "none is ticked")


def known_tasks() -> tuple[TaskChoice, ...]:
    """Return the tasks that ship, and lm-eval's if these were read before."""
    try:
        return shipped_choices() if kept_tasks() is None else _all_tasks()
    except CornerstoneError:
        return shipped_choices()


def _all_tasks() -> tuple[TaskChoice, ...]:
    """Return the tasks that ship, then lm-eval's, those of packaged studies first.

    Raises:
        CornerstoneError: lm-eval's cannot be read.
    """
    own = shipped_choices()
    names = {task.name for task in own}
    return (*own, *sorted((one for one in lm_eval_choices() if one.name not in names), key=_rank))


def _rank(task: TaskChoice) -> tuple[int, str]:
    return _weight(task), task.name


def _weight(task: TaskChoice) -> int:
    """Return the place of a task among others that match alike: those of packaged studies first, refused ones last."""
    return 2 if task.refused is not None else 0 if task.known or task.ships else 1
