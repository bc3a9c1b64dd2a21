"""A receiver responds in time however slow AWS is: else a provider gets API Gateway's own 5xx, without Retry-After."""

import pytest
from botocore.config import Config

from dailies.aws import bucket, secrets, table
from dailies.aws.secrets import MAX_REFRESH_SECONDS
from testkit.support.template import functions, receivers

OWN_SECONDS = 1.0  # for verification and parsing, and on a cold start for creating the clients
GATEWAY_SECONDS = 30  # API Gateway's timeout


def longest(client: Config) -> float:
    """The maximum seconds of a call: each attempt times out; before the next, botocore pauses up to 1, 2, 4 ... s."""
    tries: int = client.retries["total_max_attempts"]  # type: ignore[attr-defined]
    one: float = client.connect_timeout + client.read_timeout  # type: ignore[attr-defined]
    return tries * one + sum(min(2.0**pause, 20.0) for pause in range(tries - 1))


def test_a_call_takes_the_sum_of_its_attempts_and_pauses() -> None:
    assert longest(Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1})) == 3
    assert longest(Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 3})) == 12


@pytest.mark.parametrize("name", receivers())
def test_the_secret_the_bucket_and_the_table_at_their_slowest_leave_time_to_say_so(name: str) -> None:
    """Reading the secret begins no call after its time limit; the last one may take its whole timeout. A large body
    goes to the bucket, and then its row into the table.
    """
    secret = MAX_REFRESH_SECONDS + longest(secrets.CLIENT)
    timeout = functions()[name]["Timeout"]
    assert secret + longest(bucket.CLIENT) + longest(table.CLIENT) + OWN_SECONDS <= timeout < GATEWAY_SECONDS
