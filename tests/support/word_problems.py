"""Word problems in the form of GSM8K's rows."""

from __future__ import annotations

import json
from pathlib import Path

_PROBLEMS = (
    ("Mira has 4 jars with 6 buttons each. How many buttons does she have?", "4 * 6 = 24 buttons.", 24),
    ("A ferry carries 30 cars and 12 get off. How many cars are left?", "30 - 12 = 18 cars.", 18),
    ("Olaf walks 3 miles a day. How many miles does he walk in 7 days?", "3 * 7 = 21 miles.", 21),
    ("A shelf holds 9 books. How many books do 5 such shelves hold?", "9 * 5 = 45 books.", 45),
    ("Lena buys 2 pens for 3 dollars each. How many dollars does she pay?", "2 * 3 = 6 dollars.", 6),
    ("There are 17 birds and 8 fly away. How many birds are left?", "17 - 8 = 9 birds.", 9),
)


def write_word_problems(path: Path, count: int = len(_PROBLEMS)) -> Path:
    """Write some rows into a new JSON-lines file."""
    rows = [{"question": asked, "answer": f"{steps}\n#### {number}"} for asked, steps, number in _PROBLEMS[:count]]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path
