"""Write reference.md beside this file from the program itself: `make docs`.

The command line, the tables, estimators, formats and keys describe themselves, and so do the docstrings of the Python
API. A test compares the file with what this module writes.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import typer

from core.config.run_config import RunConfig, run_settings
from core.config.task_config import TaskConfig
from core.estimators.registry import estimators, settings
from core.estimators.setting import settings_of
from core.values.corpus import CORPUS_VALUES
from core.values.derived import derived_values
from store.formats.registry import formats
from store.rows import DocumentRow, GroupRow
from store.tables import tables
from tui.commands.app import app
from tui.explorer.actions import GROUPS

ROOT: Final = Path(__file__).parents[1]
FILE: Final = ROOT / "docs" / "reference.md"

_PYTHON: Final = (
    ("store.study", "store/study.py", ("run_study",)),
    ("core.config.run_config", "core/config/run_config.py", ("load_config",)),
    ("core.study.listener", "core/study/listener.py", ("Listener", "Callbacks")),
    ("core.study.worker_view", "core/study/worker_view.py", ("WorkerView",)),
    ("core.study.events", "core/study/events.py", ("PhaseStarted", "ChunkRecorded", "MemoryShort", "PhaseFinished")),
    ("core.study.events", "core/study/events.py", ("TopLooked", "TopVerdict", "CostLooked", "CostVerdict", "Phase")),
    ("core.study.events", "core/study/events.py", ("WorkersChanged", "DocumentsSkipped")),
    ("store.results", "store/results.py", ("Results",)),
    ("store.rows", "store/rows.py", ("Selection",)),
    ("store.reading.paper", "store/reading/paper.py", ("PaperSelection",)),
    ("store.reading.documents", "store/reading/documents.py", ("Page", "Documents")),
    ("store.reading.answer", "store/reading/answer.py", ("Answer",)),
    ("core.config.gap", "core/config/gap.py", ("Gap",)),
    ("store.export", "store/export.py", ("render", "write")),
    ("core.mask", "core/mask.py", ("apply", "check")),
    ("core.mask", "core/removal_path/mask_file.py", ("read",)),
    ("core.errors", "core/errors.py", ("CornerstoneError", "IncompleteError")),
)
"""The public Python API: the module to import from, the file of the definitions, and the names."""

_OF_TYPER: Final = {"install_completion", "show_completion", "help"}

_INTRODUCTION: Final = """
# Reference

`make docs` writes this file from the program; do not edit it. [The architecture](architecture.md) says how the parts
work together, and [the notebook](example.ipynb) shows the Python API at work.

- [Command line](#command-line)
- [Run configuration](#run-configuration)
- [Values](#values)
- [Estimators](#estimators)
- [Tables](#tables)
- [Formats](#formats)
- [Keys of the explorer](#keys-of-the-explorer)
- [Python](#python)
"""


def reference() -> str:
    """Return the text of reference.md."""
    parts = (_INTRODUCTION.strip(), *_command_line(), *_configuration(), *_values(), *_estimators())
    return "\n\n".join((*parts, *_tables(), *_formats(), *_keys(), *_python())) + "\n"


def _command_line() -> Iterator[str]:
    yield "## Command line"
    yield (
        "Data goes to stdout, narration to stderr. An error is one sentence. The exit code is 2 for what you can mend, "
        "1 for a fault of the program, for a damaged store, for what `doctor` finds and for outcomes that still wait "
        "for the store, 129, 130 and 143 for a run that was stopped, and 141 where nobody reads the output any more."
    )
    yield from _commands("cornerstone", typer.main.get_command(app))


def _commands(name: str, command: Any) -> Iterator[str]:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    usage = [name, *(one.name.upper() if one.required else f"[{one.name.upper()}]" for one in arguments)]
    yield f"### `{' '.join(usage)}`"
    yield from (re.sub(r"^Example: (.*)$", r"Example: `\1`", _plain(part)) for part in _paragraphs(command.help))
    rows = [(_name_of(one), _what(one)) for one in command.params if one.name not in _OF_TYPER]
    if rows:
        yield _table(("option", "meaning"), rows)
    for each, subcommand in getattr(command, "commands", {}).items():
        yield from _commands(f"{name} {each}", subcommand)


def _name_of(option: Any) -> str:
    if option.param_type_name == "argument":
        return f"`{option.name.upper()}`"
    if option.is_flag:
        return ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    word = option.opts[-1].lstrip("-").upper().replace("-", "_")
    return ", ".join(f"`{name} {word}`" for name in option.opts)


def _what(option: Any) -> str:
    default = getattr(option.default, "value", option.default)
    told = option.help or ""
    if default in {None, False, ()} or re.search(r"\bdefault\b", told, re.IGNORECASE):
        return told
    word = option.opts[0] if default is True else default
    return f"{told} Default: {word}."


def _configuration() -> Iterator[str]:
    yield "## Run configuration"
    yield (
        "The keys of a YAML file for `cornerstone run FILE`, or of the mapping for `store.study.run_study`. Paths in a "
        "file are relative to the file."
    )
    options = {one.name: one for one in typer.main.get_command(app).commands["run"].params}  # type: ignore[attr-defined]
    rows = []
    for name, field in RunConfig.model_fields.items():
        option = options.get({"tasks": "task"}.get(name, name))
        if option is not None:
            default = "required" if field.is_required() else _default(field.get_default())
            rows.append((f"`{name}`", default, _in_a_file(option)))
    rows += [(f"`{one.name}`", f"`{one.default:g}`", f"{one.about.help}.") for one in run_settings()]
    yield _table(("key", "default", "meaning"), rows)
    entries = ", ".join(f"`{name}`" for name in TaskConfig.model_fields)
    yield f"A task is a name, `TASK=FILE.jsonl`, or a mapping of {entries}."


def _in_a_file(option: Any) -> str:
    told = re.sub(r" Repeat it for several[^.]*\.", "", option.help)
    told = re.sub(r"--([a-z-]+)", lambda named: f"`{named[1].replace('-', '_')}`", told)
    return f"{told} One, or a list." if option.multiple else told


def _default(value: Any) -> str:
    return "" if value in {None, ()} else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _values() -> Iterator[str]:
    yield "## Values"
    yield (
        "A value is what a task is read by: one of its own metrics that are means over documents, such as `acc` and "
        "`acc_norm`, one of the corpus of a task without choices, or one that follows from the log-probabilities of "
        "the choices. The default is `acc`, else the task's first metric that is a mean, else the first value of this "
        "table that it has. Where lower is better, a drop says how much larger the value becomes."
    )
    rows = [(f"`{one.name}`", "lower is better", one.meaning) for one in CORPUS_VALUES.values()]
    rows += [(f"`{one.name}`", one.unit, _first_paragraph(one.of)) for one in derived_values().values()]
    yield _table(("value", "unit", "meaning"), rows)


def _estimators() -> Iterator[str]:
    yield "## Estimators"
    yield "[How sure, and how far off](estimators.md) has their formulas. Several estimators may share a schedule."
    found = estimators().values()
    rows = [(f"`{one.name}`", f"`{one.schedule}`", one.summary, _settings_of(one)) for one in found]
    yield _table(("estimator", "schedule", "what the schedule evaluates", "settings"), rows)
    told = [(f"`{one.name}`", f"`{one.default:g}`", f"{one.about.help}.") for one in settings()]
    yield _table(("setting", "default", "meaning"), told)


def _settings_of(estimator: Any) -> str:
    return ", ".join(f"`{setting.name}`" for setting in settings_of(estimator))


def _tables() -> Iterator[str]:
    yield "## Tables"
    yield "`cornerstone results TABLE` prints or writes them. The columns are the same in every format."
    for table in tables().values():
        yield from _row(table.name, table.row, _plain(" ".join(table.summary.split())))
    yield from _row("documents", DocumentRow, "Only for `Results.documents` and the explorer's documents.")
    yield from _row("groups", GroupRow, "Only for `Results.groups`.")


def _row(name: str, row: type, summary: str) -> Iterator[str]:
    yield f"### {name}"
    yield summary
    yield from map(_plain, _paragraphs(inspect.getdoc(row)))
    yield ", ".join(f"`{field.name}` ({field.type})" for field in fields(row)) + "."


def _formats() -> Iterator[str]:
    yield "## Formats"
    rows = [
        (f"`{one.name}`", ", ".join(f"`{ending}`" for ending in one.endings), one.summary, "yes" if one.text else "no")
        for one in formats().values()
    ]
    yield _table(("format", "files end in", "what it is", "goes to stdout"), rows)


def _keys() -> Iterator[str]:
    yield "## Keys of the explorer"
    yield (
        "The keys of `app` hold in every screen. `cornerstone keys` prints the file that changes the keys, and says "
        "where that file belongs."
    )
    for group, actions in GROUPS.items():
        yield f"### Keys: {group}"
        rows = [
            (", ".join(f"`{key}`" for key in one.keys.split(",")), f"`{group}.{one.name}`", one.help) for one in actions
        ]
        yield _table(("key", "action", "meaning"), rows)


def _python() -> Iterator[str]:
    yield "## Python"
    yield "All of it is typed. What a caller can mend is a `core.errors.CornerstoneError`."
    for module, file, names in _PYTHON:
        defined = {
            node.name: node
            for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body
            if isinstance(node, ast.ClassDef | ast.FunctionDef)
        }
        for name in names:
            yield from _defined(module, defined[name])


def _defined(module: str, node: ast.ClassDef | ast.FunctionDef) -> Iterator[str]:
    yield f"### `{module}.{node.name}`"
    if isinstance(node, ast.FunctionDef):
        yield from _function(node)
        return
    yield from _docstring(node)
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and not part.name.startswith("_"):
            yield f"#### `{node.name}.{part.name}`"
            yield from _function(part)
    attributes = [_attribute(part) for part in node.body if isinstance(part, ast.AnnAssign)]
    if attributes:
        yield "```python\n" + "\n".join(attributes) + "\n```"


def _attribute(node: ast.AnnAssign) -> str:
    default = "" if node.value is None or _source(node.value).startswith("_") else f" = {_source(node.value)}"
    return f"{_source(node.target)}: {_source(node.annotation)}{default}"


def _function(node: ast.FunctionDef) -> Iterator[str]:
    is_property = any(isinstance(one, ast.Name) and one.id == "property" for one in node.decorator_list)
    returns = "" if node.returns is None else f" -> {_source(node.returns)}"
    arguments = _source(node.args).removeprefix("self").removeprefix(", ")
    spaced = re.sub(r"(?<=[\w\]])=(?=\S)", " = ", arguments)
    yield f"```python\n{node.name}{'' if is_property else f'({spaced})'}{returns}\n```"
    yield from _docstring(node)


def _source(node: ast.AST) -> str:
    """Return a node's source in the style of the formatter, which also looks into Markdown."""
    return ast.unparse(node).replace("'", '"')


def _docstring(node: ast.ClassDef | ast.FunctionDef) -> Iterator[str]:
    """Yield a docstring as Markdown: its paragraphs, then each of its sections as a list."""
    for paragraph in _paragraphs(ast.get_docstring(node)):
        heading, _, rest = paragraph.partition(":\n")
        if heading not in {"Args", "Attributes", "Raises", "Returns", "Yields"}:
            yield _plain(paragraph)
            continue
        entries = re.split(r"\n(?=\S)", textwrap.dedent(rest))
        if heading in {"Returns", "Yields"}:
            yield f"{heading}: {_plain(rest)}"
        else:
            yield f"{heading}:\n\n" + "\n".join(f"- {_entry(entry)}" for entry in entries)


def _entry(entry: str) -> str:
    name, _, meaning = entry.partition(":")
    return f"`{name}`: {_plain(meaning)}"


def _first_paragraph(documented: object) -> str:
    told = _plain(_paragraphs(inspect.getdoc(documented))[0]).removeprefix("Return ")
    return told[:1].upper() + told[1:]


def _paragraphs(text: str | None) -> list[str]:
    return [part for part in re.split(r"\n\s*\n", inspect.cleandoc(text or "")) if part]


def _plain(text: str) -> str:
    """Return text on one line, with code in the quotes of Markdown."""
    return " ".join(text.split()).replace("``", "`")


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


if __name__ == "__main__":
    FILE.write_text(reference(), encoding="utf-8")
