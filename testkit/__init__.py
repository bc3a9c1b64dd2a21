"""What the tests and the resilience runs share."""
