"""The test command: its time at one revision and another, and whether it passes under load.

Each revision is a clone in a temporary folder, with its own environments, where `make test` runs as for any user.
Seconds are from the command's start to its end; CPU seconds are those of all processes that it started.
"""
