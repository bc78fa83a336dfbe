"""lm-eval's tasks: their names, their data, and the preparation of their documents."""
