"""What all tests share: the fixtures of tests/stack.py and tests/cloud.py, and Hypothesis without a clock."""

from hypothesis import settings

pytest_plugins = [
    "tests.stack",
    "tests.cloud",
    "tests.slow_hosts",
    "tests.transfers",
    "tests.providers",
    "tests.owner",
    "tests.listener",
]

settings.register_profile("dailies", deadline=None)  # a busy machine is no failure
settings.load_profile("dailies")
