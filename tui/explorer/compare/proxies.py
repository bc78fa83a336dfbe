"""Proxies against Shapley values: those that were measured, as they were found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.findings.files import read_findings
from core.findings.finding import ProxyFinding
from core.proxies.rows import CorrelationRow, ProxyRow
from tui.drawing.gap_text import gap_texts
from tui.drawing.numbers import decimal
from tui.drawing.plain import plain
from tui.drawing.proxy_scatter import proxy_scatter
from tui.drawing.proxy_text import CORRELATION_HEADER, conclusions, correlation_cells, proxy_title
from tui.explorer.compare.view import Asked, Export, Lead, Side, View, chosen, first_fill
from tui.explorer.listing import Column, listing

_NOTHING = (
    "no proxies were measured yet: r measures those of the open model and tasks, in one pass over their documents"
)


def read_proxies(asked: Asked) -> View:
    """Read the proxies that were chosen, else the latest of the model that the explorer shows."""
    found = read_findings(asked.store)
    sides = tuple(Side(_key(each), _name(each)) for each in found.proxies)
    side = chosen(sides, asked.one, f"{asked.model_id} {asked.task_id}", asked.model_id)
    shown = next((each for each in found.proxies if side is not None and _key(each) == side.key), None)
    if shown is None:
        return View(listing=listing((), ()), notes=found.faults, nothing=_NOTHING)
    rows = [row for row in shown.rows if row.players == "sublayers"]

    def draw(row: Any, _column: int, width: int, height: int) -> str:
        return _drawn(rows, shown.correlations, row, width, height)

    return View(
        export=Export("proxies", ProxyRow, shown.rows),
        subject=proxy_title(rows),
        listing=listing(_COLUMNS, rows),
        draw=draw,
        lead=lambda row, _column: row and Lead(row.model_id, row.task_id, (row.player,)),
        notes=(*found.faults, *gap_texts(shown.gaps, asked.store)),
        fill=first_fill(shown.gaps),
        ones=sides,
        nothing=_NOTHING,
    )


def _key(finding: ProxyFinding) -> str:
    first = finding.rows[0]
    return f"{first.model_id} {first.task_id} {finding.key}"


def _name(finding: ProxyFinding) -> str:
    first = finding.rows[0]
    return f"{first.model} · {first.task} · n {first.n} · {finding.made:%Y-%m-%d %H:%M} UTC"


def _drawn(rows: Sequence[ProxyRow], found: Sequence[CorrelationRow], at: Any, width: int, height: int) -> str:
    sentences = conclusions(found) if found else ["nothing that is stored can be compared with these"]
    table = _table(found) if found else []
    here = at.label if isinstance(at, ProxyRow) else None
    chart = proxy_scatter(rows, here, width, min(max(height - len(table) - 2 * len(sentences) - 3, 10), 24))
    return "\n".join([chart, "", *(f"• {plain(sentence)}" for sentence in sentences), "", *table])


def _table(found: Sequence[CorrelationRow]) -> list[str]:
    lines = [list(CORRELATION_HEADER), *map(correlation_cells, found)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(CORRELATION_HEADER))]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def _number(title: str, field: str) -> Column:
    return Column(
        title, lambda row: decimal(getattr(row, field)), lambda row: getattr(row, field), numeric=True, falling=True
    )


_COLUMNS = (
    Column("player", lambda row: row.label, lambda row: row.player),
    _number("block infl.", "block_influence"),
    _number("w/o first", "block_influence_later"),
    _number("rel. norm", "relative_norm"),
    _number("w/o first", "relative_norm_later"),
    _number("drop", "drop"),
    _number("phi first", "phi_window_first"),
    _number("phi ends", "phi_window_ends"),
)
