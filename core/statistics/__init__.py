"""Intervals, tests, ranks and sequential decisions: plain statistics, independent of models."""
