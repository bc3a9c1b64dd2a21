"""Tests that each role has the permissions that its function needs, and no others."""
