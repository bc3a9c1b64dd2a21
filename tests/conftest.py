"""What all tests share: the fixtures of tests/stack.py."""

pytest_plugins = ["tests.stack"]
