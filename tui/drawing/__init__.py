"""What command line and explorer draw alike: numbers, names, colours, charts as text."""
