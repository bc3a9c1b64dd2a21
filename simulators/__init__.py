"""The outside world, simulated on the loopback: providers, media hosts, S3. Imports nothing from Dailies."""
