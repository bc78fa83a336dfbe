"""The screens and dialogs of the explorer: one a file, each pushed with what it needs to know."""
