"""Model loading and the evaluation of coalitions with torch."""
