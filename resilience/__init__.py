"""Long tests of Dailies' promises: `make proof` prints the figures, `docs/resilience.md` keeps them."""
