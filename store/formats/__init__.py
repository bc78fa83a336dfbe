"""The formats that rows can be written in, a file each. ``registry`` finds them and those of plugins."""
