"""Recorded events: what AWS hands to each function. `python -m simulators.recorded_events` writes events/."""
