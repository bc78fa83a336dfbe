"""The table of faults, and a list of all that is not as it should be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.faults.verdict import Verdict

_SHOWN = 40
_WRONG_SHOWN = 3


@dataclass(slots=True)
class _Row:
    tried: int = 0
    lost: int = 0
    duplicated: int = 0
    due: int = 0
    said: int = 0
    fell: int = 0
    missing: set[str] = field(default_factory=set)

    def add(self, verdict: Verdict) -> None:
        self.tried += 1
        self.lost += verdict.lost
        self.duplicated += verdict.duplicated
        self.due += verdict.due
        self.said += verdict.said
        self.fell += not verdict.held
        self.missing |= set(verdict.missing)


def table(verdicts: Iterable[Verdict]) -> str:
    """Return the table: a row for each fault, in order of first appearance."""
    rows: dict[str, _Row] = {}
    for verdict in verdicts:
        rows.setdefault(verdict.fault, _Row()).add(verdict)
    lines = [("fault", "tried", "fell", "lost", "duplicated", "sentences")]
    for fault, row in rows.items():
        sentences = f"{row.said} of {row.due}" if row.due else "-"
        lines.append((fault, str(row.tried), str(row.fell), str(row.lost), str(row.duplicated), sentences))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = ["  ".join(_cell(cell, widths, at) for at, cell in enumerate(line)).rstrip() for line in lines]
    missing = sorted({what for row in rows.values() for what in row.missing})
    notes = [f"not there yet, so not checked: {what}" for what in missing]
    return "\n".join([text[0], "  ".join("-" * width for width in widths), *text[1:], *notes])


def _cell(cell: str, widths: list[int], at: int) -> str:
    return cell.ljust(widths[at]) if at == 0 else cell.rjust(widths[at])


def failures(part: str, seed: int, verdicts: Mapping[str, Verdict], *, every: bool = False) -> str:
    """Return what happened in each case that fell, with the command that repeats it alone."""
    fell = [(case, verdict) for case, verdict in verdicts.items() if not verdict.held]
    lines = []
    for case, verdict in fell if every else fell[:_SHOWN]:
        counts = [f"{n} {what}" for n, what in ((verdict.lost, "lost"), (verdict.duplicated, "duplicated")) if n]
        wrong = verdict.wrong if every else verdict.wrong[:_WRONG_SHOWN]
        more = [f"and {len(verdict.wrong) - len(wrong)} more"] if len(wrong) < len(verdict.wrong) else []
        lines.append(f"{verdict.fault}: {'; '.join([*counts, *wrong, *more])}")
        lines.append(f"    make faults PART={part} SEED={seed} CASE='{case}'")
    if not every and len(fell) > _SHOWN:
        lines.append(f"... and {len(fell) - _SHOWN} more cases of this part")
    return "\n".join(lines)
