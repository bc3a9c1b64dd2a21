"""The cost of Dailies, from counted AWS calls and dated list prices. `python -m bench.cost` writes docs/cost.md."""
