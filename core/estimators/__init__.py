"""Shapley values of units (players, or groups of them) from stored outcomes: one estimator a file, one result type."""
