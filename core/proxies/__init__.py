"""Cheap proxies of importance, compared with what they may replace. ``rows`` and ``request`` need no torch."""
