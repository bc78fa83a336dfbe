"""The shipped offline tasks: lm-eval YAML definitions, JSON-lines data, and the script that writes the data."""
