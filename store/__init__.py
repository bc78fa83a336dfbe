"""The DuckDB store: schema, writing outcomes, reading results, export. Knows core, not tui."""
