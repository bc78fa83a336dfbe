"""Benchmarks of the sweep: against a loop over lm-eval, and against the limit of the machine."""
