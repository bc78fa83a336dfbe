"""What a person meets: the command line and the explorer. Knows store and core."""
