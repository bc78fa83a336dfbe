"""Estimate what a study costs before it runs: operations, tokens, memory, time."""
