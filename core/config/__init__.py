"""A run as configured by a YAML file or the command line."""
