"""`cornerstone proxies`: print cheap numbers from one intact pass, and whether they may replace the costly ones."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NoReturn, TypeVar

import pydantic
from rich import box
from rich.table import Table

from core.config.run_config import RunConfig
from core.proxies.rows import CorrelationRow, ProxyRow
from core.study.listener import Listener
from tui.commands.console_listener import ConsoleListener
from tui.commands.destination import TABLE, Destination, put_rows, tell_doubts
from tui.commands.document_progress import DocumentProgress
from tui.commands.signals import cause_of, exit_code, terminable
from tui.commands.stderr import GETTING_READY, narrate
from tui.commands.stdout import tables_console
from tui.drawing.proxy_text import (
    CORRELATION_HEADER,
    PROXY_HEADER,
    conclusions,
    correlation_cells,
    proxy_cells,
    proxy_title,
)
from tui.worker_process import become

Found = TypeVar("Found")
Rows = Literal["players", "correlations"]


class ProxyRequest(pydantic.BaseModel, frozen=True, extra="forbid"):
    """A request for proxies.

    ``value`` is the score of drops and Shapley values, None for each task's own. ``rows`` chooses the data that go
    ``to`` their destination: proxies by player, or correlations.
    """

    value: str | None = None
    rows: Rows = "players"
    to: Destination


def proxies(config: RunConfig, request: ProxyRequest, wait: float) -> NoReturn:
    """Become the program that measures the proxies, and waits for ``wait`` seconds while another holds the store."""
    narrate(GETTING_READY)
    become("proxies", config.model_dump_json(), request.model_dump_json(), str(wait))


def followed(measure: Callable[[Listener], Found]) -> Found:
    """Measure proxies, and narrate it. If that is stopped from outside, its workers end, and so does the program."""
    listener = ConsoleListener(DocumentProgress)
    try:
        with terminable() as listener.check:
            return measure(listener)
    except KeyboardInterrupt as stop:
        listener.close()
        listener.narrate(f"stopped by {cause_of(stop)}; of tasks that were measured to the end the proxies are kept")
        sys.exit(exit_code(stop))
    finally:
        listener.close()


def put_proxies(
    found: Sequence[ProxyRow], correlations: Sequence[CorrelationRow], gaps: Iterable[str], request: ProxyRequest
) -> None:
    """Write tables and conclusions, or rows as data. ``gaps`` say what was left out."""
    tell_doubts(gaps, ())
    if request.to.form != TABLE:
        rows: Sequence[ProxyRow] | Sequence[CorrelationRow] = found if request.rows == "players" else correlations
        row_type = ProxyRow if request.rows == "players" else CorrelationRow
        put_rows(rows, row_type, request.to)
        return
    out = tables_console()
    for task_id in dict.fromkeys(row.task_id for row in found):
        mine = [row for row in found if row.task_id == task_id]
        theirs = [row for row in correlations if row.task_id == task_id]
        out.print(proxy_title(mine), soft_wrap=True)
        out.print(proxy_table([row for row in mine if row.players == "sublayers"]))
        if theirs:
            out.print(correlation_table(theirs))
            for sentence in conclusions(theirs):
                out.print(sentence, soft_wrap=True)
            out.print()


def proxy_table(rows: Sequence[ProxyRow]) -> Table:
    """Return a table of one line for each sublayer."""
    table = _table(*PROXY_HEADER)
    for row in rows:
        table.add_row(*proxy_cells(row))
    return table


def correlation_table(rows: Sequence[CorrelationRow]) -> Table:
    """Return a table of one line for each proxy and target."""
    table = _table(*CORRELATION_HEADER)
    for row in rows:
        table.add_row(*correlation_cells(row))
    return table


def _table(*names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    texts = {"", "of", "proxy", "tokens", "target"}
    for name in names:
        table.add_column(name, justify="left" if name in texts else "right", no_wrap=True)
    return table
