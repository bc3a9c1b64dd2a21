"""Code shared by the tests and the resilience runs."""
