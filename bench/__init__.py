"""The benchmarks: each prints a table and writes `.local/bench-<name>.json` beside it."""
