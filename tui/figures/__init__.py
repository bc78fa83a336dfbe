"""Figures for papers and slides by matplotlib, an optional extra.

Nothing outside this folder imports it at run time.
"""
