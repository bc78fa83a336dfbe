"""Cheap proxies of importance, compared with the costly values that they may replace. Only ``rows`` needs no torch."""
