"""What Dailies promises, tried at length: `make proof` prints the figures, `docs/resilience.md` keeps them."""
