"""That each role may do what its function needs, and nothing else."""
