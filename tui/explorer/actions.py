"""The actions of the explorer, each declared once for the footer, the palette, the help and the user's keymap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True, slots=True)
class Action:
    """An action that keys start. ``name`` is that of the method ``action_<name>`` of the screen or app.

    ``label`` stands in the footer, which leaves out the highest ``rank`` first where it is narrow. ``help`` is a
    sentence for help, palette and tooltip.
    """

    name: str
    keys: str
    label: str
    help: str
    rank: int = 1
    priority: bool = False


# Actions that several screens have.
_COPY = Action(
    "copy", "y", "copy", "Copy the cell under the cursor: to the terminal, which puts it on the clipboard.", rank=2
)
_COPY_ROW = Action("copy_row", "Y", "copy row", "Copy the row under the cursor, with tabs between its cells.", rank=3)
_COPY_COMMAND = Action(
    "copy_command", "c", "copy command", "Copy the command that prints this without the explorer.", rank=3
)
_SQL = Action("sql", "colon", "SQL", "Ask the store a question in SQL.", rank=2)
_RELOAD = Action("reload", "f5", "reload", "Read the store again.", rank=3)
_CANCEL = Action("cancel", "escape", "cancel", "Close the dialog; nothing changes.")

TEXT = (
    Action("find", "slash", "find", "Find something in this text. n and N then go on from one place to the next."),
    Action("next_match", "n", "next", "Go to the next place of what was found."),
    Action("previous_match", "N", "before", "Go to the place before, of what was found.", rank=3),
    Action("copy", "y", "copy", "Copy this text: to the terminal, which puts it on the clipboard.", rank=2),
)
"""The actions of a text that scrolls, wherever it stands."""

FILTER = (
    Action("leave", "enter,down", "to the rows", "Go to the rows that the filter leaves."),
    Action("drop", "escape", "drop the filter", "Show all rows again, and go to them."),
)
"""The actions of the line in which a filter is written."""

APP = (
    Action("help", "question_mark,f1", "help", "Explain the keys of this screen and the widget that has the focus."),
    Action("command_palette", "ctrl+p", "palette", "Find any action, model or task by name.", rank=3),
    Action("settings", "comma", "settings", "Choose theme, characters, redraws, bell and default store.", rank=3),
    Action("restart_evaluator", "ctrl+r", "restart", "Start the evaluator again if it is gone.", rank=4),
    Action("stop_evaluator", "ctrl+e", "stop evaluator", "End the background process that holds the model.", 4),
    Action(
        "quit", "q", "quit", "Leave. The evaluator goes on with its jobs; `cornerstone` comes back to them.", rank=2
    ),
)

EXPLORE = (
    Action("toggle_layer", "space", "toggle", "Remove the layer under the cursor (or put it back) and evaluate."),
    Action("toggle_whole", "l", "whole layer", "Remove all sublayers of the layer (or put them back).", rank=3),
    Action("clear", "c", "clear", "Put every removed layer back, and select nothing.", rank=3),
    Action("presets", "s", "sets", "Remove a set: the largest shares, the last layers, a mask file …", rank=3),
    Action("undo", "u", "undo", "Undo the last change of what is removed.", rank=3),
    Action("redo", "ctrl+y,U", "redo", "Do again what was undone.", rank=3),
    Action("go_to", "g,slash", "go to", "Go to a layer by its name, such as FFN 11.", rank=3),
    Action("open", "enter", "documents", "Show what the documents say with the removed layers.", rank=3),
    Action("run", "r", "run", "Run a schedule on the open tasks, such as windows or ablation."),
    Action("say", "w", "say", "Read what the model writes for a prompt, as it is and without the removed layers."),
    Action("choose", "m", "model", "Choose the model, the tasks and how many documents."),
    Action("next_task", "t", "task", "Show the next task.", rank=2),
    Action("pause", "p", "pause", "Pause the running job, or let it go on.", rank=3),
    Action("jobs", "j", "jobs", "Show the jobs, with their errors in full, and who else writes to the store.", rank=2),
    Action("results", "b", "results", "Browse what is stored."),
    Action("compare", "v", "compare", "Compare models and tasks: the paper's tables, shares, pairs, a path."),
    _SQL,
    Action("export", "e", "export", "Write a table to a file.", rank=2),
    Action("reload", "f5", "reload", "Read the store again: chart what a run elsewhere has written.", rank=3),
)

RESULTS = (
    Action("filter", "slash", "filter", 'Show only some rows: those with a text, or drop > .2 and player = "FFN 0".'),
    Action("sort", "s", "sort", "Sort by the column under the cursor; once more turns the order round.", rank=2),
    Action("next_table", "t", "table", "Show the next of the tables that stand above."),
    Action("open", "enter", "documents", "Show the documents of the coalition under the cursor."),
    Action("everything", "a", "all", "Show every model and task, or only those that the explorer shows.", rank=2),
    Action("export", "e", "export", "Write this table to a file, as it is shown or whole.", rank=2),
    _COPY,
    _COPY_ROW,
    _COPY_COMMAND,
    _SQL,
    _RELOAD,
    Action("back", "escape,b,q", "back", "Return to the explorer."),
)

DOCUMENTS = (
    Action("filter", "slash", "find", "Show only the documents whose prompt, choices or texts contain a text."),
    Action("only_changed", "o", "only changed", "Show only the documents whose answer changed."),
    Action("next_page", "right_square_bracket", "next page", "Show the documents after these."),
    Action("previous_page", "left_square_bracket", "page before", "Show the documents before these."),
    Action("next_match", "n", "next", "Go to where the document has next what was found.", rank=3),
    Action("previous_match", "N", "before", "Go to where the document has before what was found.", rank=3),
    Action("say", "w", "say", "Read what the model writes for this prompt, as it is and without these layers.", rank=2),
    Action("export", "e", "export", "Write these documents to a file, or all outcomes of this model and task.", rank=2),
    Action("copy", "y", "copy", "Copy the prompt of the document under the cursor.", rank=3),
    _COPY_ROW,
    _RELOAD,
    Action("back", "escape,b,q", "back", "Return to the results."),
)

JOBS = (
    Action("pause", "p", "pause", "Pause the job under the cursor, or let it go on."),
    Action("cancel", "x", "cancel", "End the job under the cursor; what it has recorded stays."),
    Action("earlier", "u,shift+up", "earlier", "Run the waiting job under the cursor before the one above it.", rank=3),
    Action("later", "d,shift+down", "later", "Run the waiting job under the cursor after the one below it.", rank=3),
    Action("again", "a", "again", "Start the job under the cursor, which has ended, again.", rank=2),
    Action("log", "o", "log", "Show what the evaluator has put out, its log, or hide it."),
    Action("filter", "slash", "filter", "Show only some jobs: those with a text, or state = failed."),
    Action("sort", "s", "sort", "Sort by the column under the cursor; once more turns the order round.", rank=3),
    _COPY,
    _COPY_ROW,
    Action("copy_command", "c", "command", "Copy the command that does this job without the explorer.", rank=2),
    Action("back", "escape,q", "back", "Return to the explorer."),
)

SAY = (
    Action(
        "say", "enter", "say", "Let the model continue the prompt, as it is and without these layers.", priority=True
    ),
    Action("chat", "ctrl+t", "chat template", "Put the prompt into the model's chat template, or take it as it is.", 2),
    Action("copy_command", "c", "copy command", "Copy the command that says this without the explorer.", rank=2),
    Action("back", "escape,q", "stop, back", "Stop what is being said; return where nothing is."),
)

PRESETS = (Action("cancel", "escape", "cancel", "Close the list; nothing changes."),)

SQL = (
    Action("run", "ctrl+s", "run", "Run the query, as enter does; while one runs, end it.", priority=True),
    Action("write", "colon,i", "query", "Go back to the query."),
    Action("filter", "slash", "filter", "Show only some rows of the result: those with a text, or acc > .2."),
    Action("sort", "s", "sort", "Sort by the column under the cursor; once more turns the order round."),
    Action("export", "e", "export", "Write the result to a file, as it is shown or whole."),
    _COPY,
    _COPY_ROW,
    _COPY_COMMAND,
    Action("back", "escape,q", "back", "Go from the query to the rows, and from the rows to where you came from."),
)

COMPARE = (
    Action("next_view", "t", "view", "Show the next of the views that stand above."),
    Action("open", "enter", "open", "Go on from here: to the documents, or to the table behind the number."),
    Action("first", "x", "choose", "Choose what is compared: the x axis, or one of several findings."),
    Action("second", "o", "other", "Choose what it is compared with: the y axis."),
    Action("work", "r", "run", "Run what this view needs of the model, as a job."),
    Action("zoom", "z", "zoom", "Show the rows and the drawing, the drawing alone, or the rows alone."),
    Action("filter", "slash", "filter", "Show only some rows: those with a text, or share > .1."),
    Action("sort", "s", "sort", "Sort by the column under the cursor; once more turns the order round.", rank=3),
    Action("export", "e", "export", "Write the rows of this view to a file, as they are shown or all."),
    Action("copy", "y", "copy", "Copy the cell under the cursor to the terminal.", rank=3),
    _COPY_ROW,
    _RELOAD,
    Action("back", "escape,v,q", "back", "Return to the explorer."),
)

PICK = (
    Action("mark_above", "up", "up", "Mark the one above.", rank=3),
    Action("mark_below", "down", "down", "Mark the one below.", rank=3),
    Action("choose", "ctrl+s", "choose", "Choose the one that is marked, as enter does.", priority=True),
    _CANCEL,
)

PATH = (
    Action("start", "ctrl+s", "start", "Start the search as a job.", priority=True),
    _CANCEL,
)

CHOOSE = (
    Action("open", "ctrl+s", "open", "Open this model and the tasks that are ticked.", priority=True),
    Action("give_up", "ctrl+x", "give up", "Give up opening a model: end its download or its loading.", priority=True),
    Action("cancel", "escape", "cancel", "Close the dialog. What is being opened goes on being opened."),
)

RUN = (
    Action("start", "ctrl+s", "start", "Start the schedule as a job.", priority=True),
    _CANCEL,
)

SETTINGS = (
    Action("start", "ctrl+s", "keep", "Keep these settings.", priority=True),
    _CANCEL,
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
    "compare": COMPARE,
    "pick": PICK,
    "path": PATH,
    "jobs": JOBS,
    "say": SAY,
    "presets": PRESETS,
    "sql": SQL,
    "choose": CHOOSE,
    "run": RUN,
    "export": EXPORT,
    "settings": SETTINGS,
    "text": TEXT,
    "filter": FILTER,
}

RANKS: Mapping[str, int] = {
    f"{group}.{action.name}": action.rank for group, actions in GROUPS.items() for action in actions
}
"""The rank of every action by its id."""

_DIALOGS = frozenset({"presets", "choose", "run", "export", "settings", "pick", "path"})


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
            tooltip=action.help,
            priority=action.priority,
            id=f"{group}.{action.name}",
        )
        for action in actions
    ]
