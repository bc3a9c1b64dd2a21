"""What all tests share: the fixtures of testkit/fixtures/, and Hypothesis without a clock."""

import pytest
from hypothesis import settings

# Modules that assert: pytest shows the values of a failed assertion there too.
pytest.register_assert_rewrite(
    "resilience.roles.flows",
    "resilience.roles.flows_archive",
    "resilience.roles.flows_reconcile",
    "resilience.roles.flows_secrets",
)

pytest.register_assert_rewrite("testkit.fixtures", "testkit.support")

pytest_plugins = [
    "tests.lanes",
    "testkit.fixtures.stack",
    "tests.whole_run",
    "testkit.fixtures.aws",
    "testkit.fixtures.transfers",
    "testkit.fixtures.archiver",
    "testkit.fixtures.reconciler",
    "testkit.fixtures.provider_client",
    "testkit.fixtures.account_reader",
    "testkit.fixtures.bus_listener",
    "testkit.fixtures.console",
    "testkit.fixtures.browser",
    "testkit.fixtures.cli",
    "testkit.fixtures.billed_usage",
]

# A busy machine is no failure. 60 examples of each property fit into the minute for all fast tests.
settings.register_profile("dailies", deadline=None, max_examples=60)
settings.load_profile("dailies")
