"""The queries behind `store.results`, one a table."""
