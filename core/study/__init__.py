"""A study from plan to recorded outcomes, chunk by chunk."""
