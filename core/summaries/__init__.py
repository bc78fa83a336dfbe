"""Estimates as points to draw."""
