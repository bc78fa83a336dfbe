"""The queries behind `store.results`, a file for each table."""
