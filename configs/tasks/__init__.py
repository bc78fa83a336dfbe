"""The shipped offline tasks: definitions in lm-eval's YAML, data as JSON lines, and the script that writes the data."""
