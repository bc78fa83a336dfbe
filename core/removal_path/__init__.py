"""A greedy removal path: what a model costs to shrink, step by step. Only ``study`` and ``path_mask`` need torch."""
