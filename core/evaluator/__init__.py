"""The background process that owns the model, and how to talk to it. Only ``service`` and ``engine`` need torch."""
