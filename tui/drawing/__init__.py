"""Drawing that the command line and the explorer share: numbers, names, colours, and charts as text."""
