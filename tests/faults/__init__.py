"""The fault harness: breaks things on purpose, and counts what is lost. `make faults` runs it."""
