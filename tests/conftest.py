"""What all tests share: the fixtures of tests/stack.py and tests/cloud.py, and Hypothesis without a clock."""

import pytest
from hypothesis import settings

# Where the steps of the tests assert: what did not hold is told with its values.
pytest.register_assert_rewrite(
    "tests.role_flows",
    "tests.role_flows_archive",
    "tests.role_flows_reconcile",
    "tests.role_flows_secrets",
)

pytest_plugins = [
    "tests.lanes",
    "tests.stack",
    "tests.cloud",
    "tests.slow_hosts",
    "tests.transfers",
    "tests.desk",
    "tests.sweeps",
    "tests.providers",
    "tests.owner",
    "tests.listener",
    "tests.console",
    "tests.browser",
    "tests.command",
    "tests.registered",
    "tests.bill",
]

# A busy machine is no failure; 60 examples of each property are what a minute for all fast tests allows.
settings.register_profile("dailies", deadline=None, max_examples=60)
settings.load_profile("dailies")
