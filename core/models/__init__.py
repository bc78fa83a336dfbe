"""Which model is meant and where its files are; loads no torch."""
