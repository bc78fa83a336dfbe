"""The DuckDB file: its location, its connections, and the columns that hold values."""
