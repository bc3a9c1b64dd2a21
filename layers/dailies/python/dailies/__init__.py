"""Dailies, an inbox for AI-made video: what the functions share, as a Lambda layer."""
