"""Records of an evaluation, and the fingerprints that identify it."""
