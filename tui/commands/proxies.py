"""`cornerstone proxies`: print cheap numbers from one intact pass, and whether they may replace the costly ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NoReturn

import pydantic
from rich import box
from rich.table import Table

from core.config.run_config import RunConfig
from core.proxies.rows import CorrelationRow, ProxyRow
from core.values.derived import named
from tui.commands.destination import TABLE, Destination, put_rows, tell_doubts
from tui.commands.stderr import GETTING_READY, narrate
from tui.commands.stdout import tables_console
from tui.drawing.plain import plain
from tui.worker_process import become

ENOUGH: Final = 0.7
"""The Spearman correlation from which on one ranking may replace another: half of its variance."""

Rows = Literal["players", "correlations"]


class ProxyRequest(pydantic.BaseModel, frozen=True, extra="forbid"):
    """A request for proxies.

    ``value`` is the score of drops and Shapley values, None for each task's own. ``rows`` chooses the data that go
    ``to`` their destination: proxies by player, or correlations.
    """

    value: str | None = None
    rows: Rows = "players"
    to: Destination


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on replacing a target by a proxy: ``yes``, ``no``, or ``open`` if the documents do not decide it."""

    answer: Literal["yes", "no", "open"]
    sentence: str


def proxies(config: RunConfig, request: ProxyRequest, wait: float) -> NoReturn:
    """Become the program that measures the proxies, and waits for ``wait`` seconds while another holds the store."""
    narrate(GETTING_READY)
    become("proxies", config.model_dump_json(), request.model_dump_json(), str(wait))


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
        out.print(_title(mine), soft_wrap=True)
        out.print(proxy_table([row for row in mine if row.players == "sublayers"]))
        if theirs:
            out.print(correlation_table(theirs))
            for sentence in conclusions(theirs):
                out.print(sentence, soft_wrap=True)
            out.print()


def proxy_table(rows: Sequence[ProxyRow]) -> Table:
    """Return a table of one line for each sublayer."""
    table = _table("", "block infl.", "w/o first", "rel. norm", "w/o first", "drop", "phi first", "phi ends")
    for row in rows:
        cheap = (row.block_influence, row.block_influence_later, row.relative_norm, row.relative_norm_later)
        dear = (row.drop, row.phi_window_first, row.phi_window_ends)
        table.add_row(row.label, *(_fixed(value, "{:.3f}") for value in cheap), *(_fixed(v, "{:+.3f}") for v in dear))
    return table


def correlation_table(rows: Sequence[CorrelationRow]) -> Table:
    """Return a table of one line for each proxy and target."""
    table = _table("of", "proxy", "tokens", "target", "Spearman", "95% interval", "Kendall", "top 3")
    for row in rows:
        between = ""
        if row.spearman_low is not None and row.spearman_high is not None:
            between = f"{row.spearman_low:+.2f} to {row.spearman_high:+.2f}"
        numbers = (_fixed(row.spearman, "{:+.2f}"), between, _fixed(row.kendall, "{:+.2f}"), f"{row.top3_found} of 3")
        table.add_row(row.players, row.proxy, row.tokens, row.target, *numbers)
    return table


def conclusions(rows: Sequence[CorrelationRow]) -> list[str]:
    """Return a sentence on the best proxy for each kind of player and target."""
    cases = dict.fromkeys((row.players, row.target) for row in rows)
    return [verdict([row for row in rows if (row.players, row.target) == case]).sentence for case in cases]


def verdict(rows: Sequence[CorrelationRow]) -> Verdict:
    """Return the verdict on replacing the one target of all ``rows`` by a proxy.

    It is yes if the interval of the best is above ``ENOUGH``, and no if those of all are below it. It is open if the
    target's own ranking is not that reliable. The best of several looks better than it is, so the sentence says how
    many there were.
    """
    first = rows[0]
    what = f"{'the drop' if first.target == 'drop' else f'phi ({first.target})'} of {first.players}"
    known = [row for row in rows if row.spearman is not None]
    if not known:
        return Verdict("open", f"{what}: every one has the same on these {first.n} documents, so nothing can be told")
    best = max(known, key=lambda row: row.spearman or 0.0)
    assert best.spearman is not None
    low, high = best.spearman_low or 0.0, max(row.spearman_high or 0.0 for row in known)
    over = "all tokens" if best.tokens == "all" else "all tokens but the first"
    found = (
        f"the best of {len(known)} proxies is {best.proxy} over {over}, Spearman {best.spearman:+.2f} "
        f"({low:+.2f} to {best.spearman_high or 0.0:+.2f}), which finds {best.top3_found} of the top 3"
    )
    if best.reliability is None or best.reliability < ENOUGH:
        own = "cannot be told" if best.reliability is None else f"about {best.reliability:.2f}"
        return Verdict(
            "open",
            f"{what}: these {best.n} documents do not tell whether a proxy can replace it, as its own ranking would "
            f"agree with that of {best.n} others only to {own}; {found}",
        )
    if low >= ENOUGH:
        return Verdict("yes", f"{what}: a proxy can replace its ranking here; {found}")
    if high < ENOUGH:
        return Verdict("no", f"{what}: no proxy can replace it here; {found}")
    return Verdict("open", f"{what}: these {best.n} documents leave open whether a proxy can replace it; {found}")


def _title(rows: Sequence[ProxyRow]) -> str:
    first = rows[0]
    stored = max(row.n_stored for row in rows)
    value = plain(named(first.value))
    against = f"drop and phi ({value}) are of {stored} of them" if stored else "nothing of them is stored"
    return f"Proxies of {plain(first.model)} on {plain(first.task)}: {first.n} documents; {against}"


def _table(*names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    texts = {"", "of", "proxy", "tokens", "target"}
    for name in names:
        table.add_column(name, justify="left" if name in texts else "right", no_wrap=True)
    return table


def _fixed(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)
