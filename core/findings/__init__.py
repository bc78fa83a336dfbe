"""Finished paths and proxies, kept in files so that they can be looked at without the model. Light to import."""
