"""While Captions creates a new secret, a delivery that it may have signed gets 503 for a retry; none is trusted for
that.
"""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from dailies.aws.secrets import UPDATING_UNTIL
from testkit.fixtures.aws import SECRET, Cloud, Context, account
from testkit.support.recorded_events import event

RECORDED = event("captions_creator/success")


class Receiver:
    """The function of Captions' webhook, its secret tagged or not, in a new environment for each call."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        cloud.set_secret("the-secret")

    def answers(self, authorization: str) -> tuple[int, dict[str, str]]:
        handler = self.cloud.function("captions_creator").lambda_handler
        response = handler({**RECORDED, "headers": {"authorization": authorization}}, Context())
        return response["statusCode"], response["headers"]

    def mark(self, until: float) -> None:
        tag: Any = {"Key": UPDATING_UNTIL, "Value": str(int(until))}
        self.cloud.secretsmanager.tag_resource(SecretId=SECRET, Tags=[tag])


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with account() as cloud:
        yield Receiver(cloud)


def test_an_unknown_bearer_gets_503_and_nothing_of_it_is_stored(receiver: Receiver) -> None:
    receiver.mark(time.time() + 60)
    status, headers = receiver.answers("Bearer what-captions-has-made-just-now")
    assert (status, headers["retry-after"]) == (503, "5")
    assert receiver.cloud.typed_rows() == []


def test_its_retry_verifies_once_the_secret_is_stored(receiver: Receiver) -> None:
    receiver.mark(time.time() + 60)
    receiver.cloud.set_secret("what-captions-has-made-just-now")
    assert receiver.answers("Bearer what-captions-has-made-just-now")[0] == 200
    assert receiver.answers("Bearer the-secret")[0] == 200
    assert receiver.answers("Bearer another")[0] == 503


def test_when_the_mark_has_lapsed_it_is_refused(receiver: Receiver) -> None:
    """Also if the rotation that left it has died."""
    receiver.mark(time.time() - 1)
    assert receiver.answers("Bearer another")[0] == 401
