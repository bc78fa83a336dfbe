"""Players, groups of players, and the coalitions that a schedule asks for."""
