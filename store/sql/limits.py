"""How much a query may take. Light to import, for the program that asks."""

from __future__ import annotations

from typing import Final

SECONDS: Final = 5.0
"""How long a query may take once the store is open. Nobody can write to the store meanwhile."""

MOST_ROWS: Final = 100_000
"""How many rows of a result are kept."""

MOST_BYTES: Final = 16_000_000
"""How large the rows that are kept may be, as text."""

MOST_MEMORY_MB: Final = 256
"""How much memory DuckDB may take."""
