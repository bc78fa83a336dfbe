"""One document under a coalition: its choices with the log-probabilities of both models, and its whole prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.style import Style
from rich.table import Table
from rich.text import Text

from core.values.of_task import PREFERRED
from tui.drawing import colours
from tui.drawing.numbers import NONE, whole
from tui.drawing.plain import plain, visible
from tui.explorer.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from store.rows import DocumentRow

RIGHT = Style(color=colours.INTACT.hex)
WRONG = Style(color=colours.WRONG.hex)
QUIET = colours.QUIET.rich_style
_LONGEST = 20_000

INTACT_AND_NOW = ("intact", "now")
"""The names of the two sides, unless two models are compared."""


class DocumentDetail(TextPane):
    """Shows the document under a list's cursor."""

    DEFAULT_CSS = """
    DocumentDetail { padding: 0 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._drawn: tuple[DocumentRow | None, tuple[str, str], str] | None = None

    def show(self, row: DocumentRow | None, names: tuple[str, str] = INTACT_AND_NOW, wanted: str = "") -> None:
        """Draw a document; another one from its top. ``names`` are those of both sides, ``wanted`` is marked in it."""
        same, self._drawn = (row, names, wanted) == self._drawn, (row, names, wanted)
        parts: list[RenderableType] = []
        if row is not None:
            answers = _choices(row, names) if row.written is None else _written(row, names)
            parts = [_head(row, names), Text(), answers, Text(), _prompt(row)]
        self.draw(Group(*parts))
        if not same:
            self.mark(wanted)
            self.scroll_home(animate=False)


def _head(row: DocumentRow, names: tuple[str, str]) -> Text:
    head = Text()
    head.append(f"document {row.doc_id}", "bold")
    head.append(f"   {names[0]} ", QUIET)
    head.append_text(_verdict(row.acc_intact if row.written is None else row.score_intact))
    head.append(f"   {names[1]} ", QUIET)
    head.append_text(_verdict(row.acc if row.written is None else row.score))
    if row.value != PREFERRED:
        head.append(f"   {plain(row.value)} ", QUIET)
        head.append(f"{_number(row.score_intact)} → {_number(row.score)}")
    return head


def _number(score: float | None) -> str:
    return NONE if score is None else f"{score:.3f}"


def _verdict(acc: float | None) -> Text:
    if acc is None:
        return Text("not evaluated", QUIET)
    if acc in {0, 1}:
        return Text("right", RIGHT) if acc else Text("wrong", WRONG)
    return Text(f"{acc:.3f}")


def _choices(row: DocumentRow, names: tuple[str, str]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style=QUIET, expand=True)
    table.add_column("")
    table.add_column("choice", ratio=1, overflow="fold")
    for title in names:
        table.add_column(Text(title), justify="right", no_wrap=True)
    for at, choice in enumerate(row.choices):
        gold = at in row.gold
        table.add_row(
            Text("✓" if gold else " ", RIGHT),
            Text(visible(choice).strip(), "bold" if gold else ""),
            _logprob(row.logprobs_intact, at, row.pick_intact, gold=gold),
            _logprob(row.logprobs, at, row.pick, gold=gold),
        )
    return table


def _written(row: DocumentRow, names: tuple[str, str]) -> Text:
    """Return the right text, and those that both models wrote."""
    shown = Text()
    right = row.choices[0] if row.choices else None
    for title, text in (("right", right), (names[0], row.written_intact), (names[1], row.written)):
        shown.append(f"{title}\n", QUIET)
        shown.append(f"{NONE if text is None else visible(text).strip()}\n")
    return shown


def _logprob(logprobs: Sequence[float] | None, at: int, pick: int | None, *, gold: bool) -> Text:
    """Return a log-probability; the model's choice has a mark, in the colour of right or wrong."""
    if logprobs is None or at >= len(logprobs):
        return Text(NONE, QUIET)
    number = f"{logprobs[at]:.2f}"
    return Text(f"▸ {number}", Style(bold=True) + (RIGHT if gold else WRONG)) if at == pick else Text(number)


def _prompt(row: DocumentRow) -> Text:
    prompt = Text()
    prompt.append("prompt\n", QUIET)
    text = visible(row.prompt)
    if len(text) > _LONGEST:
        # The end is kept, because the model continues from it.
        prompt.append(f"(the first {whole(len(text) - _LONGEST)} characters are left out here)\n", QUIET)
        text = text[-_LONGEST:]
    prompt.append(text)
    return prompt
