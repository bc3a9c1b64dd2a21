"""The outside world, played on the loopback: providers, media hosts, S3. Imports nothing of Dailies."""
