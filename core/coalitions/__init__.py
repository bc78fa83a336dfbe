"""Players, their groupings, and the coalitions of each schedule."""
