"""The computer underneath: files, processes, memory, and how libraries behave in them."""
