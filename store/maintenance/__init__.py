"""Care of the DuckDB file: check it, save what a damaged one holds, merge several, and remove dead space."""
