"""Cheap proxies of importance, and how they compare with what they stand for. Only ``rows`` does without torch."""
