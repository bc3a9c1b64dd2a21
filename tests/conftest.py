"""What all tests share: the fixtures of tests/stack.py and tests/cloud.py, and Hypothesis without a clock."""

import pytest
from hypothesis import settings

# Where the steps of the tests assert: what did not hold is told with its values.
pytest.register_assert_rewrite(
    "proof.roles.flows",
    "proof.roles.flows_archive",
    "proof.roles.flows_reconcile",
    "proof.roles.flows_secrets",
)

pytest_plugins = [
    "tests.lanes",
    "tests.stack",
    "tests.whole_run",
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
    "tests.bill",
]

# A busy machine is no failure; 60 examples of each property are what a minute for all fast tests allows.
settings.register_profile("dailies", deadline=None, max_examples=60)
settings.load_profile("dailies")
