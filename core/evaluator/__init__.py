"""The background process that owns the model. ``service``, ``engine`` and ``open_tasks`` need torch, the rest not."""
