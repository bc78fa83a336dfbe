"""Shapley values of units (players or groups of them) from stored outcomes: an estimator a file, one type of result."""
