"""The science: players, coalitions, models, tasks, the sweep, estimates. Knows neither store nor tui."""
