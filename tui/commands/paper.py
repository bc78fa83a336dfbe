"""`cornerstone paper`: stored results as the paper's tables and figures, beside the paper's own numbers."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import CornerstoneError
from core.estimators.registry import checked, compared
from core.estimators.windows import WindowFirst
from core.machine.atomic_file import refuse_target, whole_file
from core.machine.paths import at_home
from tui.commands.options import (
    EstimatorSettings,
    ForceOption,
    PaperTasksOption,
    PaperValueOption,
    StoredModelsOption,
    StoredOption,
    WindowEstimatorOption,
    store_file,
)
from tui.commands.stderr import narrate
from tui.commands.stdout import print_data, print_text
from tui.commands.uneven import uneven
from tui.drawing.plain import plain, plain_lines

if TYPE_CHECKING:
    from core.paper.report import ModelReport
    from store.reading.paper import PaperSelection
    from tui.paper.agreement import Agreement
    from tui.paper.figures import FigureRows
    from tui.paper.layout import PaperTable


class Format(StrEnum):
    """The format of the report."""

    TABLE = "table"
    MARKDOWN = "markdown"
    LATEX = "latex"
    JSON = "json"
    CSV = "csv"
    SVG = "svg"
    PNG = "png"
    PDF = "pdf"


_FIGURES = (Format.SVG, Format.PNG, Format.PDF)
_ENDINGS = {
    ".txt": Format.TABLE,
    ".md": Format.MARKDOWN,
    ".tex": Format.LATEX,
    ".json": Format.JSON,
    ".csv": Format.CSV,
}
_FILE_WIDTH = 100


def paper(
    store: StoredOption = None,
    model: StoredModelsOption = None,
    task: PaperTasksOption = None,
    value: PaperValueOption = None,
    estimator: WindowEstimatorOption = WindowFirst.name,
    settings: EstimatorSettings = MappingProxyType({}),
    figures: Annotated[bool, typer.Option(help="Draw the figures too, as text.")] = True,
    form: Annotated[
        Format | None,
        typer.Option(
            "--format",
            help="How it is written: table (default), markdown, latex, json or csv; svg, png or pdf for the figures.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="Write to this file instead of stdout. For svg, png and pdf it is a folder."
        ),
    ] = None,
    force: ForceOption = False,
) -> None:
    """Print the paper's Tables 1 to 4 and Figures 2 to 6 from the store, beside the paper's own numbers.

    Example: cornerstone paper --format latex -o tables.tex
    """
    from core.paper.report import report
    from store.reading.paper import PaperSelection, read_paper
    from store.results import Results
    from tui.drawing.gap_text import gap_texts
    from tui.paper.agreement import agreements
    from tui.paper.figure_files import write_figures
    from tui.paper.figures import figure_rows
    from tui.paper.tables import names_of

    output = None if output is None else at_home(output)
    form = _format(form, output)
    chosen = checked(settings)
    windows = WindowFirst.of(chosen)
    if output is not None and form not in _FIGURES:
        refuse_target(output, force=force)  # so that the work is not done in vain
    path = store_file(store)
    selection = PaperSelection(tuple(model or ()), tuple(task or ()), value, estimator, windows.max_removed)
    results = Results(path, on_wait=narrate)
    read = read_paper(path, selection, on_wait=narrate)
    gaps = gap_texts((*read.gaps, *read.missing), results.path)
    models = tuple(report(values) for values in read.models)
    names = names_of(models)
    named = () if form in _FIGURES else agreements(results, models, compared(chosen))
    rows: tuple[FigureRows, ...] = ()
    if form in _FIGURES or (form is Format.TABLE and figures):
        rows = figure_rows(results, models, names, selection)
    if form in _FIGURES:
        assert output is not None
        for written in write_figures(rows, form.value, output, force=force):
            typer.echo(f"wrote {plain(str(written))}", err=True)
    else:
        found = _Found(selection, models, names, named, rows)
        text = _text(form, found, gaps, to_screen=output is None)
        _emit(text, output, for_people=form is Format.TABLE, force=force)
    for gap in gaps:
        typer.echo(f"missing: {plain(gap)}", err=True)
    for note in (*map(plain, read.notes), *uneven([row for one in rows for row in one.ablation])):
        typer.echo(f"note: {note}", err=True)


def _format(form: Format | None, output: Path | None) -> Format:
    """Return the requested format, else the one of the file's ending."""
    ending = _ENDINGS.get(output.suffix.lower()) if output else None
    if form is None and output is not None and ending is None:
        raise CornerstoneError(
            f"-o {output.name}: let the file's name end in {', '.join(_ENDINGS)}, or choose with --format"
        )
    form = form or ending or Format.TABLE
    if form in _FIGURES and output is None:
        raise CornerstoneError(f"{form} is no text; name a folder for the figures with -o FOLDER")
    return form


@dataclass(frozen=True, slots=True)
class _Found:
    """The content of the report: models with their names, the players of each estimator, and the rows of figures."""

    selection: PaperSelection
    models: Sequence[ModelReport]
    names: dict[str, str]
    compared: tuple[Agreement, ...]
    rows: Sequence[FigureRows]

    @property
    def agreement(self) -> tuple[PaperTable, ...]:
        from tui.paper.agreement import agreement_table

        return agreement_table(self.compared, self.names)

    @property
    def tables(self) -> tuple[PaperTable, ...]:
        from tui.paper.tables import paper_tables

        return (*paper_tables(self.models, self.names), *self.agreement)


def _text(form: Format, found: _Found, gaps: Sequence[str], *, to_screen: bool) -> str:
    from store.export import render
    from tui.paper.latex import to_latex
    from tui.paper.markdown import to_markdown
    from tui.paper.preface import preface
    from tui.paper.rows import PaperRow, paper_rows

    opening = preface(found.selection)
    match form:
        case Format.MARKDOWN:
            return to_markdown(found.tables, [*opening, *(f"Missing: {gap}" for gap in gaps)])
        case Format.LATEX:
            return to_latex(found.tables, [*opening, *(f"missing: {gap}" for gap in gaps)])
        case Format.CSV:
            return render(paper_rows(found.models, found.compared, found.selection), PaperRow, "csv")
        case Format.JSON:
            numbers = {
                "statement": opening,
                "numbers": [asdict(row) for row in paper_rows(found.models, found.compared, found.selection)],
                "missing": gaps,
            }
            return json.dumps(numbers, indent=1, allow_nan=False) + "\n"
        case _:
            width = _width() if to_screen else _FILE_WIDTH
            return _screen(found, opening, width, colour=to_screen and sys.stdout.isatty())


def _screen(found: _Found, opening: Sequence[str], width: int, *, colour: bool) -> str:
    from tui.paper.text import figures_text, tables_text

    tables = tables_text(found.models, found.names, found.agreement, opening, width, colour=colour)
    return tables + (figures_text(found.rows, width, colour=colour) if found.rows else "")


def _width() -> int:
    return shutil.get_terminal_size((_FILE_WIDTH, 24)).columns


def _emit(text: str, output: Path | None, *, for_people: bool, force: bool) -> None:
    if output is None:
        if not for_people:
            print_data(text)
        else:
            print_text(text if sys.stdout.isatty() else plain_lines(text))
        return
    with whole_file(output, force=force) as fresh:
        fresh.write_text(text, encoding="utf-8")
    typer.echo(f"wrote {plain(str(output))}", err=True)
