"""Faults of a transfer from a link to an object."""
