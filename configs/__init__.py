"""Packaged run configurations, model aliases, and the shipped offline tasks with their data."""
