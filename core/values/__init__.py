"""Values read from outcomes: a task's own metrics, and values derived from log-probabilities."""
