"""Measuring the sweep: against a loop over lm-eval, and against what the machine could do at most."""
