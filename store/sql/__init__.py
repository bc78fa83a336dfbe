"""SQL over the store that only reads: within bounds, and in a process of its own."""
