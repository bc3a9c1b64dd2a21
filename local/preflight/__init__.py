"""Checks the template with tools that know AWS, without an account: part of `make lint`."""
