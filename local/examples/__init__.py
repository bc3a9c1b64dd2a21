"""Tests each example as far as its own tools go without an AWS account: `make examples`."""
