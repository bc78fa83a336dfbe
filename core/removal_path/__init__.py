"""A greedy removal path: the price of shrinking a model, step by step. Only ``study`` and ``path_mask`` need torch."""
