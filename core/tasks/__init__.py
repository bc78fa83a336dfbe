"""lm-eval's tasks: their names, their data, and their documents made ready."""
