"""Summaries of scores and estimates as plain values, for charts and tables."""
