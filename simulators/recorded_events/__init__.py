"""Recorded events: the input that AWS passes to each function. `python -m simulators.recorded_events` writes
events/."""
