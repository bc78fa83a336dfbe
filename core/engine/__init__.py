"""Loading a model and evaluating coalitions on it; torch lives here."""
