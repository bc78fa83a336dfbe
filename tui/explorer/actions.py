"""The actions of the explorer, each declared once for the footer, the palette, the help and the user's keymap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True, slots=True)
class Action:
    """An action that keys start. ``name`` is that of the method ``action_<name>`` of the screen or app.

    ``label`` stands in the footer. ``help`` is a sentence for help, palette and tooltip.
    """

    name: str
    keys: str
    label: str
    help: str
    footer: bool = True
    priority: bool = False


APP = (
    Action("help", "f1", "help", "Explain the keys of this screen and the widget that has the focus."),
    Action("command_palette", "ctrl+p", "palette", "Find any action by name.", footer=False),
    Action("restart_evaluator", "ctrl+r", "restart", "Start the evaluator again if it is gone.", footer=False),
    Action("stop_evaluator", "ctrl+e", "stop evaluator", "End the background process that holds the model.", False),
    Action("quit", "q", "quit", "Leave. The evaluator goes on with its jobs; `cornerstone` comes back to them."),
)

EXPLORE = (
    Action("toggle_layer", "space", "toggle", "Remove the layer under the cursor (or put it back) and evaluate."),
    Action("clear", "c", "clear", "Put every removed layer back.", footer=False),
    Action("run", "r", "run", "Run a schedule on the open tasks, such as windows or ablation."),
    Action("choose", "m", "model", "Choose the model, the tasks and how many documents."),
    Action("next_task", "t", "task", "Show the next task."),
    Action("pause", "p", "pause", "Pause the running job, or let it go on.", footer=False),
    Action("jobs", "j", "jobs", "Show the jobs, with their errors in full, and who else writes to the store."),
    Action("results", "b", "results", "Browse what is stored."),
    Action("export", "e", "export", "Write a table to a file."),
    Action("reload", "f5", "reload", "Read the store again: chart what a run elsewhere has written.", footer=False),
)

RESULTS = (
    Action("filter", "slash", "filter", "Show only the rows that contain a text."),
    Action("sort", "s", "sort", "Sort by the column under the cursor; once more turns the order round."),
    Action("next_table", "t", "table", "Show the next of the tables that stand above."),
    Action("open", "enter", "documents", "Show the documents of the coalition under the cursor."),
    Action("everything", "a", "all", "Show every model and task, or only those that the explorer shows."),
    Action("export", "e", "export", "Write this table to a file."),
    Action("reload", "f5", "reload", "Read the store again.", footer=False),
    Action("back", "escape,b,q", "back", "Return to the explorer."),
)

DOCUMENTS = (
    Action("only_changed", "o", "only changed", "Show only the documents whose answer changed."),
    Action("next_page", "n", "next page", "Show the documents after these."),
    Action("previous_page", "p", "page before", "Show the documents before these."),
    Action("export", "e", "export", "Write every outcome of this model and task to a file."),
    Action("reload", "f5", "reload", "Read the store again.", footer=False),
    Action("back", "escape,b,q", "back", "Return to the results."),
)

JOBS = (
    Action("pause", "p", "pause", "Pause the job under the cursor, or let it go on."),
    Action("cancel", "x", "cancel", "End the job under the cursor; what it has recorded stays."),
    Action("back", "escape,j,q", "back", "Return to the explorer."),
)

CHOOSE = (
    Action("open", "ctrl+s", "open", "Open this model and the tasks that are ticked.", priority=True),
    Action("cancel", "escape", "cancel", "Close the dialog; nothing changes."),
)

RUN = (
    Action("start", "ctrl+s", "start", "Start the schedule as a job.", priority=True),
    Action("cancel", "escape", "cancel", "Close the dialog; nothing changes."),
)

EXPORT = (
    Action("write", "ctrl+s", "write", "Write the table to the file.", priority=True),
    Action("close", "escape", "close", "Close the dialog."),
)

GROUPS: Mapping[str, tuple[Action, ...]] = {
    "app": APP,
    "explore": EXPLORE,
    "results": RESULTS,
    "documents": DOCUMENTS,
    "jobs": JOBS,
    "choose": CHOOSE,
    "run": RUN,
    "export": EXPORT,
}

_DIALOGS = frozenset({"choose", "run", "export"})


def bindings(group: str, actions: Iterable[Action]) -> list[Binding]:
    """Return Textual's bindings for actions. A keymap changes a key by the id ``group.name``.

    In a dialog the app's keys have no effect, except help.
    """
    more = [Binding("f1", "app.help", "help", id="app.help", tooltip=APP[0].help)] if group in _DIALOGS else []
    return more + [
        Binding(
            action.keys,
            action.name,
            action.label,
            show=action.footer,
            tooltip=action.help,
            priority=action.priority,
            id=f"{group}.{action.name}",
        )
        for action in actions
    ]
