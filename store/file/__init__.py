"""The DuckDB file: where it is, how it is opened, which values its columns hold."""
