"""The screens and dialogs of the explorer, a file for each."""
