"""Print what a model writes for a prompt, as it is and without some of its layers."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from core.coalitions.players import Removed
from core.errors import CornerstoneError
from core.machine.plain_text import short_repr
from core.say.said import MOST_PROMPT, Ask, Dialogue, Voice
from tui.commands.say import SayForm
from tui.commands.signals import cause_of, exit_code, terminable
from tui.commands.stderr import narrate
from tui.commands.stdout import on_terminal, print_data, tables_console
from tui.drawing.coalition_name import coalition_name
from tui.drawing.plain import plain, plain_lines
from tui.drawing.voices import end_text, manner_text, top_lines

_TIMES_A_SECOND: Final = 8
_NARROW: Final = 60
_QUIET: Final = "dim"


@dataclass(frozen=True, slots=True)
class Heading:
    """Of which model something is said, and the names of what is removed from it."""

    model: str
    removed: Removed
    labels: tuple[str, ...]

    @property
    def masked(self) -> str:
        """Return a name for the model without what is removed."""
        return f"without {coalition_name(self.removed, self.labels)}" if self.labels else "nothing is removed"


def read_prompt() -> str:
    """Read a prompt from stdin; a line end at its end does not count.

    Raises:
        CornerstoneError: it is not UTF-8.
    """
    taken = sys.stdin.buffer.read(4 * MOST_PROMPT + 2)
    try:
        text = taken.decode()
    except UnicodeDecodeError as error:
        where = short_repr(taken[max(error.start - 10, 0) : error.start + 10])
        raise CornerstoneError(f"the prompt on stdin is not UTF-8 ({where}); convert it first") from error
    return text.removesuffix("\n").removesuffix("\r")


def show(heading: Heading, ask: Ask, said: Callable[[Ask], Iterator[Dialogue]], form: SayForm) -> None:
    """Print what is said: on a terminal as it comes, else in the end. What is stopped is printed as far as it came."""
    last = Dialogue()
    stop: KeyboardInterrupt | None = None
    out = tables_console()
    streamed = form == SayForm.TEXT and on_terminal()
    with terminable() as check:
        try:
            with (
                Live(console=out, transient=True, refresh_per_second=_TIMES_A_SECOND) if streamed else _Unseen() as live
            ):
                for last in said(ask):
                    live.update(_page(heading, ask, last, out))
                    check()
        except KeyboardInterrupt as stopped:
            stop = stopped
    if form == SayForm.JSON:
        print_data(json.dumps(_record(heading, ask, last), ensure_ascii=False, indent=2) + "\n")
    else:
        out.print(_page(heading, ask, last, out))
    if stop is not None:
        narrate(f"stopped by {cause_of(stop)}; this is as far as it came")
        sys.exit(exit_code(stop))


class _Unseen:
    """Stands for a live display where there is no terminal."""

    def __enter__(self) -> _Unseen:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def update(self, _page: RenderableType) -> None:
        pass


def _record(heading: Heading, ask: Ask, said: Dialogue) -> dict[str, Any]:
    return {
        "prompt": ask.prompt,
        "model": heading.model,
        "removed": list(heading.labels),
        "seed": ask.seed,
        "temperature": None if ask.seed is None else ask.temperature,
        "tokens": ask.tokens,
        "chat": said.chat,
        "intact": said.intact.model_dump(),
        "masked": said.masked.model_dump(),
    }


def _page(heading: Heading, ask: Ask, said: Dialogue, out: Console) -> Group:
    """Return both texts side by side, below each other on a narrow terminal, with the candidates below each."""
    form = "in the chat template" if said.chat else "no chat template"
    voices = [("intact", said.intact), (heading.masked, said.masked)][: 2 if heading.labels else 1]
    columns = 1 if out.width < _NARROW else len(voices)
    table = Table.grid(padding=(0, 4, 0, 0), expand=True)
    for _ in range(columns):
        table.add_column(ratio=1, overflow="fold")
    width = max(out.width // columns - 4, 1)
    cells = [_voice(title, voice, width) for title, voice in voices]
    for start in range(0, len(cells), columns):
        table.add_row(*cells[start : start + columns])
    return Group(
        Text(f"{plain(heading.model)}: {manner_text(ask)}, at most {ask.tokens} tokens, {form}", _QUIET),
        Text(plain_lines(ask.prompt)),
        Text(),
        table,
    )


def _voice(title: str, voice: Voice, width: int) -> Group:
    return Group(
        Text(title, "bold"),
        Text(plain_lines(voice.text).strip("\n"), overflow="fold"),
        Text(f"({end_text(voice)})", _QUIET),
        Text(),
        Text("the next token after the prompt", _QUIET),
        *top_lines(voice.top, width),
        Text(),
    )
