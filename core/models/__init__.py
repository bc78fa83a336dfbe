"""Find a model's files by its name. Loads no torch."""
