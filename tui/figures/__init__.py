"""Figures for papers and slides, drawn by matplotlib: an optional extra, which nothing else here may import."""
