"""Intervals, tests, ranks and sequential decisions: plain statistics that know nothing of models."""
