"""Proxies, and what they can replace, in words and cells, for the command and the explorer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from core.proxies.rows import CorrelationRow, ProxyRow
from core.values.derived import named
from tui.drawing.plain import plain

ENOUGH: Final = 0.7
"""The Spearman correlation from which on one ranking may replace another: half of its variance."""

PROXY_HEADER: Final = ("", "block infl.", "w/o first", "rel. norm", "w/o first", "drop", "phi first", "phi ends")
CORRELATION_HEADER: Final = ("of", "proxy", "tokens", "target", "Spearman", "95% interval", "Kendall", "top 3")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on replacing a target by a proxy: ``yes``, ``no``, or ``open`` if the documents do not decide it."""

    answer: Literal["yes", "no", "open"]
    sentence: str


def proxy_title(rows: Sequence[ProxyRow]) -> str:
    """Return the title of a table of proxies: of which model, task and documents they are."""
    first = rows[0]
    stored = max(row.n_stored for row in rows)
    value = plain(named(first.value))
    against = f"drop and phi ({value}) are of {stored} of them" if stored else "nothing of them is stored"
    return f"Proxies of {plain(first.model)} on {plain(first.task)}: {first.n} documents; {against}"


def proxy_cells(row: ProxyRow) -> list[str]:
    """Return the cells of one sublayer, in the order of ``PROXY_HEADER``."""
    cheap = (row.block_influence, row.block_influence_later, row.relative_norm, row.relative_norm_later)
    dear = (row.drop, row.phi_window_first, row.phi_window_ends)
    return [row.label, *(_fixed(value, "{:.3f}") for value in cheap), *(_fixed(value, "{:+.3f}") for value in dear)]


def correlation_cells(row: CorrelationRow) -> list[str]:
    """Return the cells of one proxy and target, in the order of ``CORRELATION_HEADER``."""
    between = ""
    if row.spearman_low is not None and row.spearman_high is not None:
        between = f"{row.spearman_low:+.2f} to {row.spearman_high:+.2f}"
    numbers = (_fixed(row.spearman, "{:+.2f}"), between, _fixed(row.kendall, "{:+.2f}"), f"{row.top3_found} of 3")
    return [row.players, row.proxy, row.tokens, row.target, *numbers]


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


def _fixed(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)
