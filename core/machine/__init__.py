"""The computer: files, processes, memory, and the behaviour of libraries."""
