"""What is read from an outcome: a task's own metrics and what follows from log-probabilities."""
