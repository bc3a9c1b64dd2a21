"""Calling a provider's API: credentials, rate limit, retries."""
