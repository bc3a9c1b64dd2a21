"""Plain modules for tests: no fixtures."""
