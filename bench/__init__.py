"""Benchmarks: each prints a table and writes `.local/bench-<name>.json`."""
