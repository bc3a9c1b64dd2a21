"""The test command: how long it takes in one revision and in another, and whether it passes whatever else runs.

Each revision is a clone of its own in a temporary folder, with its own environments, and its `make test` is run as
anybody would. Seconds are from the command's start to its end; CPU seconds are of everything that it started.
"""
